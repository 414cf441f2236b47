"""The class-weight tool on masks whose pixels are known."""

import re
import sys

import cv2
import numpy as np
import pytest
from helpers.tools import load_tool


@pytest.fixture(scope='module')
def tool():
    return load_tool('dataset_converters/count_class_weights')


@pytest.fixture
def run(tool, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['count_class_weights.py', *map(str, arguments), '--workers', '1'])
        tool.main()
        return capsys.readouterr().out

    return run


def write(path, mask):
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.asarray(mask, np.uint8))


def test_crack_masks_as_jpeg(run, tmp_path):
    for name, rows in (('a.jpg', 8), ('b.jpg', 0)):
        mask = np.zeros((40, 50))
        mask[:rows] = 255
        write(tmp_path / name, mask)
    out = run(tmp_path)
    assert 'class 0: 3,600 pixels, 90.000%' in out
    assert 'class 1: 400 pixels, 10.000%' in out
    assert 'loss_decode=dict(type="BoundaryComboLoss", class_weight=(1.0, 9.0))' in out
    (tmp_path / 'list.txt').write_text('a.png\n')
    assert 'class_weight=(1.0, 4.0)' in run(tmp_path, '--names', tmp_path / 'list.txt')


def test_the_printed_line_builds_a_loss(run, tmp_path):
    from mmseg.registry import MODELS

    write(tmp_path / 'a.png', [[0, 0, 0, 255]])
    loss_decode = re.search(r'loss_decode=(dict\(.*\))$', run(tmp_path).strip()).group(1)
    assert MODELS.build(eval(loss_decode)).class_weight == (1.0, 3.0)


def test_class_numbers_with_ignored_pixels(run, tmp_path):
    write(tmp_path / 'a.png', [[0, 0, 0, 0, 1, 1, 2, 255]])
    assert 'class_weight=(1.0, 2.0, 4.0)' in run(tmp_path, '--num-classes', 3)


@pytest.mark.parametrize(
    ('mask', 'arguments', 'message'),
    [
        ([[0, 1, 3]], ['--num-classes', '3'], r'must hold class numbers 0..2 in one channel, got \[.*3'),
        ([[0, 1]], ['--num-classes', '3'], r'no pixel of class 2 in 2 pixels'),
        ([[0, 0]], [], r'no pixel of class 1 in 2 pixels: its weight is infinite'),
        ([[0, 1, 2, 3]], [], r'mask values must be 0/255 or 0/1, got 0..3'),
    ],
)
def test_bad_masks(run, tmp_path, mask, arguments, message):
    write(tmp_path / 'a.png', mask)
    with pytest.raises(SystemExit, match=message):
        run(tmp_path, *arguments)


def test_missing_and_broken_files(run, tmp_path):
    with pytest.raises(SystemExit, match='no image in'):
        run(tmp_path)
    (tmp_path / 'a.png').write_bytes(b'no image')
    with pytest.raises(SystemExit, match='cannot be read as an image'):
        run(tmp_path)
    (tmp_path / 'list.txt').write_text('a\nb\n')
    with pytest.raises(SystemExit, match=r"1 names of .*list.txt have no mask in .*: \['b'\]"):
        run(tmp_path, '--names', tmp_path / 'list.txt')
