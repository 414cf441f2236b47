"""Which source the scale of a photo is taken from, through the command line and back."""

import argparse
import csv
import json

import cv2
import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.cli.arguments import add_scales
from csbsr_mm.inspection.prediction import setup as prediction_setup
from csbsr_mm.inspection.scale.sources import PhotoOfRun, ScaleSources, sources_from
from csbsr_mm.photos import camera
from csbsr_mm.photos.camera import CameraFacts
from csbsr_mm.photos.reader import EXIF_IFD

MARKER = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), 5, 60)


@pytest.fixture
def photos(tmp_path):
    """One with camera data (0.75 mm per pixel), one with a marker (0.5), one with neither."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    image = np.full((160, 240, 3), 190, np.uint8)
    image[130:134, 10:200] = 10
    exif = Image.Exif()
    # 240 pixels of 36 mm at a focal length of 48 mm are 320 pixels of focal length.
    exif[EXIF_IFD] = {camera.FOCAL_LENGTH_35: 48, camera.SUBJECT_DISTANCE: 0.24}
    Image.fromarray(image).save(folder / 'camera.png', exif=exif)
    Image.fromarray(image).save(folder / 'plain.png')
    image[20:100, 60:140] = 255
    image[30:90, 70:130] = MARKER[..., None]
    Image.fromarray(image).save(folder / 'marked.png')
    return folder


@pytest.fixture(autouse=True)
def dark(monkeypatch):
    """Dark pixels are cracks, instead of what a model would say."""
    monkeypatch.setattr(
        prediction_setup, '_build_inferencer', lambda *_: CrackInferencer(DarkBackend(1), threshold=0.9)
    )


def predict(photos, *options):
    status = main(['predict', str(photos), '--out-dir', str(photos.parent / 'out'), *options])
    with (photos.parent / 'out/summary.csv').open(newline='', encoding='utf-8-sig') as file:
        return status, {row['photo']: row for row in csv.DictReader(file)}


def test_the_first_source_that_applies(photos, tmp_path, capsys):
    table = tmp_path / 'scales.csv'
    table.write_text('photo,mm_per_pixel,std\nplain.png,0.3,0.006\nelsewhere.png,1,\n')
    _, rows = predict(photos, '--scales', str(table), '--marker-size', '30', '--mm-per-pixel', '2')
    sources = {name: row['scale_source'] for name, row in rows.items()}
    assert sources['plain'] == 'scales.csv'
    assert sources['camera'].startswith('distance 0.24 m, EXIF subject distance; focal length 48 mm (35 mm')
    assert sources['marked'].startswith('marker of 30 mm, wall seen at')
    scales = {name: float(row['mm_per_pixel']) for name, row in rows.items()}
    assert scales == dict(
        plain=0.3, camera=pytest.approx(0.75, rel=1e-3), marked=pytest.approx(0.5, rel=0.02)
    )
    assert rows['plain']['mm_per_pixel_std'] == '0.006'
    assert rows['camera']['mm_per_pixel_std'] == ''
    assert 0 < float(rows['marked']['mm_per_pixel_std']) < 0.05
    assert float(rows['camera']['length_mm']) == pytest.approx(
        0.75 * float(rows['camera']['length_px']), abs=1e-2
    )
    assert float(rows['marked']['mean_width_mm']) == pytest.approx(4 * 0.5, rel=0.05)
    assert 'without a photo: elsewhere.png' in capsys.readouterr().out
    assert 'wall seen at' in (photos.parent / 'out/index.html').read_text()


def test_order(photos):
    _, rows = predict(photos, '--mm-per-pixel', '2', '--scale-order', 'number,camera')
    assert {row['mm_per_pixel'] for row in rows.values()} == {'2'}


def test_photos_without_a_scale_are_told(photos, capsys):
    _, rows = predict(photos, '--marker-size', '30')
    assert rows['plain']['mm_per_pixel'] == ''
    assert rows['plain']['scale_source'] == (
        'no scale: the photo does not say how far the wall was; no marker was found'
    )
    out = capsys.readouterr().out
    assert 'plain.png: the photo does not say how far the wall was; no marker was found' in out


def test_nothing_asked(photos):
    """Camera data give millimetres only if every photo has them."""
    assert 'length_mm' not in predict(photos)[1]['camera']
    for name in ('plain.png', 'marked.png'):
        (photos / name).unlink()
    assert float(predict(photos)[1]['camera']['mm_per_pixel']) == pytest.approx(0.75, rel=1e-3)


def test_a_table_that_leaves_out_photos_is_refused_before_the_run(photos, tmp_path, capsys):
    table = tmp_path / 'scales.csv'
    table.write_text('photo,mm_per_pixel\nmarked,0.3\n')
    assert main(['predict', str(photos), '--out-dir', str(tmp_path / 'out'), '--scales', str(table)]) == 2
    assert 'plain.png: it is not in the table of scales; the photo does not say' in capsys.readouterr().err
    assert not (tmp_path / 'out/records').exists()


def test_distance_for_all(photos):
    _, rows = predict(photos, '--wall-distance', '0.48,0.01')
    assert float(rows['camera']['mm_per_pixel']) == pytest.approx(1.5, rel=1e-3)
    assert float(rows['camera']['mm_per_pixel_std']) == pytest.approx(
        1.5 * np.hypot(1 / 48, 0.0060), rel=0.02
    )
    assert rows['plain']['scale_source'] == 'no scale: the photo does not say the focal length'


def test_report_keeps_scales_and_takes_new_ones(photos):
    predict(photos, '--marker-size', '30', '--mm-per-pixel', '2')
    out = photos.parent / 'out'
    before = json.loads((out / 'summary.json').read_text())
    assert main(['report', str(out), '--mm-per-pixel', '3']) == 0
    after = json.loads((out / 'summary.json').read_text())
    assert after['scales'] == before['scales']
    assert {photo['name']: photo['scale_of_photo']['mm_per_pixel'] for photo in after['photos']} == {
        'camera': pytest.approx(0.75, rel=1e-3), 'marked': pytest.approx(0.5, rel=0.02), 'plain': 3,
    }  # fmt: skip
    assert main(['report', str(out), '--marker-size', '60', '--scale-order', 'marker,number']) == 0
    last = json.loads((out / 'summary.json').read_text())
    assert {photo['name']: photo['scale_of_photo']['mm_per_pixel'] for photo in last['photos']} == {
        'camera': 3, 'marked': pytest.approx(1.0, rel=0.02), 'plain': 3,
    }  # fmt: skip


def test_masks_by_the_scale_of_their_photos(photos, tmp_path, capsys):
    masks = tmp_path / 'masks'
    masks.mkdir()
    for name in ('camera', 'marked'):
        mask = np.zeros((320, 480), np.uint8)
        mask[260:268, 20:400] = 255
        Image.fromarray(mask).save(masks / f'{name}.bmp')
    words = ['measure', str(masks), '--scale', '2', '--csv', str(tmp_path / 'a.csv')]
    assert main([*words, '--photos', str(photos), '--marker-size', '30']) == 0
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = {row['mask']: row for row in csv.DictReader(file)}
    assert float(rows['camera']['mean_width_mm']) == pytest.approx(4 * 0.75, rel=0.01)
    assert float(rows['marked']['mean_width_mm']) == pytest.approx(4 * 0.5, rel=0.03)
    assert rows['marked']['scale_source'].startswith('marker of 30 mm')
    assert main([*words, '--marker-size', '30']) == 2
    assert '--marker-size needs the photos of the masks; give --photos' in capsys.readouterr().err
    assert main([*words, '--photos', str(photos)]) == 0
    assert 'px²' in capsys.readouterr().out
    (photos / 'camera.png').unlink()
    assert main([*words, '--photos', str(photos), '--mm-per-pixel', '2']) == 2
    assert 'has no photo: none of --photos is called camera' in capsys.readouterr().err


def options(*words):
    parser = argparse.ArgumentParser()
    add_scales(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('--mm-per-pixel', '0'), '--mm-per-pixel must be positive, got 0'),
        (('--wall-distance', '-2'), 'distance must be positive, got -2'),
        (('--wall-distance', '2,-1'), 'standard deviation of the distance must not be negative'),
        (('--sensor-width', '0'), 'sensor width must be positive, got 0'),
        (('--marker-size', '30', '--marker-dictionary', '3x3'), "no set of markers '3X3'; there are"),
        (('--marker-dictionary', '4x4_50'), '--marker-dictionary is of use only with --marker-size'),
        (
            ('--scale-order', 'table,tape'),
            "no source of scales 'tape'; there are table, camera, marker, number",
        ),
    ],
)
def test_wrong_options(words, message):
    with pytest.raises(ValueError, match=message):
        sources_from(options(*words))


def test_sensor_width():
    facts = CameraFacts(focal_length=24.0, distance=2.0)
    photo = PhotoOfRun('a.jpg', (4000, 6000), facts)
    with pytest.raises(ValueError, match='the photo does not say the width of the sensor'):
        ScaleSources().of(photo)
    # 6000 pixels are 36 mm, seen 2000 / 24 times as large.
    scale = sources_from(options('--sensor-width', '36')).of(photo)
    assert scale.mm_per_pixel == pytest.approx(36 / 6000 * 2000 / 24)
