"""A run over files: what stays, what goes, and what is said when the disk is full."""

import errno
import json

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.photo_output import OutputFolder
from csbsr_mm.inspection.prediction_run import PredictionRun
from csbsr_mm.photos.input_files import find_photos


@pytest.fixture
def photos(tmp_path):
    image = np.full((60, 90, 3), 180, np.uint8)
    image[30:34, 10:80] = 10
    for name in ('a.png', 'b.png'):
        Image.fromarray(image).save(tmp_path / name)
    return tmp_path


def start(photos, **options):
    run = PredictionRun(CrackInferencer(DarkBackend(2)), OutputFolder(photos / 'out'), **options)
    return run.run(find_photos([photos], exclude=photos / 'out'))


def test_results_of_a_photo_that_fails_now_are_gone(photos):
    first = list(start(photos))
    assert [record['status'] for record in first] == ['ok', 'ok']
    assert first[0]['total']['mean_width'] == pytest.approx(4, abs=0.2)
    (photos / 'a.png').write_text('broken')
    second = list(start(photos))
    assert [record['status'] for record in second] == ['failed', 'ok']
    assert not list((photos / 'out').rglob('a.*g'))
    assert json.loads((photos / 'out/records/a.json').read_text())['status'] == 'failed'
    assert (photos / 'out/mask/b.png').is_file()


def test_full_disk_stops_the_run_and_names_the_photo(photos, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('csbsr_mm.inspection.photo_output.PhotoWriter.write', write)
    with pytest.raises(RuntimeError, match=r'no space left in .*out for the results of .*a\.png'):
        list(start(photos))


def test_other_errors_name_the_photo(photos, monkeypatch):
    def write(*_):
        raise OSError(errno.EIO, 'Input/output error')

    monkeypatch.setattr('csbsr_mm.inspection.photo_output.PhotoWriter.write', write)
    records = list(start(photos))
    assert all(name in record['error'] for name, record in zip(('a.png', 'b.png'), records, strict=True))
