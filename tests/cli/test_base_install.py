"""`csbsr measure` with the base installation: what the extras bring is not there, nor is torch."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BLOCKED = (
    'torch', 'mmseg', 'mmengine', 'mmcv', 'cv2', 'PIL', 'skimage', 'tifffile', 'jinja2', 'rich', 'matplotlib',
    'onnx', 'onnxruntime', 'ezdxf', 'openpyxl', 'networkx',
)  # fmt: skip
SCRIPT = f"""
import importlib.util, sys

class Blocked:
    # Not to be found, as on a machine without it.
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {BLOCKED}:
            raise ModuleNotFoundError('No module named ' + repr(name), name=name)

sys.meta_path.insert(0, Blocked())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {BLOCKED} else find(name, *rest)
import csbsr_mm_command
sys.argv = ['csbsr', *sys.argv[1:]]
status = csbsr_mm_command.main()
assert not set(sys.modules) & set({BLOCKED})
sys.exit(status)
"""


def csbsr(*words):
    return subprocess.run(
        [sys.executable, '-c', SCRIPT, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )


@pytest.fixture
def masks(tmp_path):
    mask = np.zeros((400, 400), np.uint8)
    mask[100:112, 40:360] = 255
    Image.fromarray(mask).save(tmp_path / 'bar.png')
    np.save(tmp_path / 'bar.npy', mask > 0)
    Image.fromarray(mask).save(tmp_path / 'bar.bmp')
    return tmp_path


def test_scales_from_a_table(masks):
    """Masks are found by the names of their photos."""
    (masks / 's.csv').write_text('photo,mm_per_pixel,std\nbar.jpg,0.5,0.01\n')
    words = [
        'measure',
        masks / 'bar.png',
        '--scale',
        4,
        '--csv',
        masks / 'a.csv',
        '--scales',
        masks / 's.csv',
    ]
    assert csbsr(*words).returncode == 0
    with (masks / 'a.csv').open(newline='') as file:
        (row,) = csv.DictReader(file)
    assert (row['area_mm2'], row['mm_per_pixel_std'], row['scale_source']) == ('60.0', '0.01', 's.csv')
    (masks / 's.csv').write_text('photo,mm_per_pixel\nother.jpg,0.5\n')
    failed = csbsr(*words)
    assert failed.returncode == 2
    assert 'bar.png: the photo does not say how far the wall was' not in failed.stderr
    assert 'bar.png: it is not in the table of scales' in failed.stderr


def test_measures_masks(masks):
    done = csbsr('measure', masks / 'bar.png', masks / 'bar.npy', '--scale', 4, '--csv', masks / 'bar.csv')
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(': ')[1] for line in lines] == [
        '1 cracks, area 240.0 px², length 80.0 px, widest 3.01 px'
    ] * 2
    with (masks / 'bar.csv').open(newline='') as file:
        assert [float(row['area_px2']) for row in csv.DictReader(file)] == [240, 240]


def test_exports_masks(masks):
    words = ('--export', 'geojson,gpkg,svg,coco,label-studio,cvat', '--out-dir', masks / 'out')
    done = csbsr('measure', masks / 'bar.png', '--scale', 4, *words)
    assert done.returncode == 0, done.stderr
    (annotation,) = json.loads((masks / 'out/coco.json').read_text())['annotations']
    assert annotation['segmentation'] == [[10, 25, 90, 25, 90, 28, 10, 28]]
    assert len(list((masks / 'out').iterdir())) == 6


def test_says_what_is_missing(masks):
    done = csbsr('measure', masks / 'bar.bmp')
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == (
        "error: Reading .bmp files needs Pillow, which is not installed: pip install 'csbsr_mm[inspection]'\n"
    )
    done = csbsr('report', masks)
    assert 'csbsr report needs OpenCV, Pillow, tifffile, Jinja2, which are not installed' in done.stderr
