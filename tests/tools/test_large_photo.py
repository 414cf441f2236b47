"""A photo of 24 megapixels, enlarged to 384, in the memory of a small computer: 6 minutes of a CPU core."""

import json
import math
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from helpers.models import tiny_csbsr
from helpers.saved_model import save_model
from PIL import Image

from csbsr_mm.apis import CrackInferencer

TOOL = Path(__file__).parents[2] / 'tools' / 'predict.py'
# Prints the peak of resident memory in bytes, which Linux gives in kilobytes.
RUN = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name='__main__')
finally:
    print('PEAK', 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
GIBIBYTE = 2**30


def draw_wall(height, width, top=0, rows=None):
    """Rows of a plain wall with a dark line across, seven pixels wide."""
    rows = height if rows is None else rows
    strip = np.full((rows, width), 140, np.uint8)
    columns = np.arange(width)
    for offset in range(-3, 4):
        line = columns * height // width + offset - top
        inside = (line >= 0) & (line < rows)
        strip[line[inside], columns[inside]] = 20
    return np.repeat(strip[..., None], 3, 2)


def write_photo(path, height, width):
    image = Image.new('RGB', (width, height))
    for top in range(0, height, 256):
        image.paste(Image.fromarray(draw_wall(height, width, top, min(256, height - top))), (0, top))
    image.save(path, quality=90)


def write_model(folder):
    """Bicubic enlargement and a small U-Net; returns a threshold that tells the line from the wall."""
    model = tiny_csbsr(sr=dict(type='BicubicUpsampler'), sr_loss=None)
    *_, network = save_model(folder, model)
    probability = CrackInferencer(network.eval())(draw_wall(100, 100)).probability
    return float((np.median(probability) + probability.max()) / 2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='peak memory is read the Linux way')
def test_memory_is_bounded_by_the_tile(tmp_path):
    height, width = 4000, 6000
    write_photo(tmp_path / 'wall.jpg', height, width)
    threshold = write_model(tmp_path)
    command = [sys.executable, '-c', RUN, TOOL, tmp_path / 'tiny.py', tmp_path / 'tiny.pth']
    command += [tmp_path / 'wall.jpg', '--out-dir', tmp_path / 'out', '--device', 'cpu', '--no-sr']
    command += ['--tile', '448', '--threshold', threshold]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    peak = int(done.stdout.split('PEAK')[1])
    # The SR image alone would take 4.3 GiB as float32.
    assert peak < 2 * GIBIBYTE
    record = json.loads((tmp_path / 'out' / 'records' / 'wall.json').read_text())
    assert record['total']['length'] > 0.9 * math.hypot(height, width)
    assert (record['height'], record['width'], record['scale']) == (height, width, 4)
    for kind in ('mask', 'probability', 'overlay'):
        with tifffile.TiffFile(tmp_path / 'out' / record['files'][kind]) as file:
            page = file.pages.first
            assert page.shape[:2] == (4 * height, 4 * width)
            assert page.is_tiled
    preview = cv2.imread(str(tmp_path / 'out' / record['files']['after']))
    assert max(preview.shape) <= 960
    assert not list((tmp_path / 'out').glob('.scratch-*'))
