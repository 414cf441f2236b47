"""What a log without a terminal says: progress inside a photo, and what was skipped."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image
from rich.console import Console

from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.terminal import PhotoProgress, conclude
from csbsr_mm.photos.input_files import SourcePhoto
from csbsr_mm.photos.reader import read_photo


@pytest.fixture
def log():
    return Console(file=io.StringIO(), force_terminal=False, width=60)


def test_a_long_photo_shows_progress(tmp_path, log, monkeypatch):
    """300 tiles of 12 seconds: a line for each half minute."""
    now = [0.0]
    Image.new('RGB', (30, 20)).save(tmp_path / 'a.png')
    photo = SourcePhoto(tmp_path / 'a.png', 'a')
    with PhotoProgress([photo], log) as progress:
        monkeypatch.setattr(progress._log, 'clock', lambda: now[0])
        for tile in range(1, 301):
            now[0] += 12
            progress.on_tile(photo, tile, 300)
    lines = [line for line in log.file.getvalue().splitlines() if 'tiles' in line]
    assert len(lines) == 99
    assert lines[0] == 'a: 4 of 300 tiles done, 1 %, about 59 min left'
    assert lines[-1].startswith('a: 298 of 300 tiles done, 99 %')


def test_skipped_pages_are_named_at_the_end(tmp_path, log):
    tifffile.imwrite(tmp_path / 'a.tif', np.zeros((3, 20, 30, 3), np.uint8), photometric='rgb')
    record = dict(name='a', status='ok', source=str(tmp_path / 'a.tif'))
    record['skipped'] = read_photo(tmp_path / 'a.tif').skipped
    assert conclude([record], 1, False, OutputFolder(tmp_path / 'out'), log) == 0
    assert (
        f'{tmp_path}/a.tif: pages 2, 3 of 3 skipped: save them as files of their own' in log.file.getvalue()
    )
