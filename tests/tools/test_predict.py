"""``csbsr predict`` from photos to report, on every kind of trouble."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
from helpers.models import tiny_csbsr
from helpers.saved_model import save_model
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.inspection.measurement.cracks import measure_cracks


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Config file and checkpoint of a tiny model that finds cracks here and there."""
    folder = tmp_path_factory.mktemp('model')
    config, checkpoint, _ = save_model(folder, tiny_csbsr(sr_loss=None))
    return config, checkpoint


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for number in range(3):
        image = np.random.default_rng(number).integers(0, 256, (14 + number, 21, 3), np.uint8)
        Image.fromarray(image).save(folder / f'p{number}.png')
    return folder


@pytest.fixture
def predict(model, tmp_path):
    def run(*arguments):
        options = ['--out-dir', tmp_path / 'out', '--device', 'cpu', '--tile', 12, '--overlap', 4]
        return main([str(word) for word in ('predict', *model, *arguments, *options)])

    return run


def records(out):
    return {path.stem: json.loads(path.read_text()) for path in (out / 'records').iterdir()}


def table(out):
    with (out / 'summary.csv').open(newline='', encoding='utf-8-sig') as file:
        return {row['photo']: row for row in csv.DictReader(file)}


def test_from_photos_to_report(predict, model, photos, tmp_path):
    out = tmp_path / 'out'
    assert (
        predict(photos, '--mm-per-pixel', 0.5, '--min-area', 0, '--min-length', 0, '--min-elongation', 0) == 0
    )
    summary = json.loads((out / 'summary.json').read_text())
    assert [photo['name'] for photo in summary['photos']] == ['p0', 'p1', 'p2']
    infer = CrackInferencer.from_config(*model, device='cpu', tile=12, overlap=4)
    for photo in summary['photos']:
        expected = infer(photo['source'])
        mask = cv2.imread(str(out / photo['files']['mask']), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(mask == 255, expected.mask)
        area = measure_cracks(expected.mask, scale=4, min_area=0).total.area
        assert photo['total']['area'] == area >= expected.mask.sum() / 16
        assert photo['total_mm']['length'] == pytest.approx(0.5 * photo['total']['length'])
        assert photo['tiles'] == expected.tiles > 1
        assert photo['seam_rms']['probability'] > 0
        row = table(out)[photo['name']]
        assert float(row['area_mm2']) == pytest.approx(0.25 * photo['total']['area'], abs=0.01)
        assert int(row['cracks']) == len(photo['cracks'])
    assert {path.name for path in out.iterdir()} == {
        'cracks.csv',
        'index.html', 'kernel', 'mask', 'overlay', 'preview', 'probability', 'records', 'sr', 'summary.csv',
        'summary.json',
    }  # fmt: skip


def test_exports(predict, photos, tmp_path, capsys):
    out = tmp_path / 'out'
    assert predict(photos, '--export', 'geojson, dwg') == 2
    assert "no format 'dwg'" in capsys.readouterr().err
    assert not out.exists()
    everything = ('--min-area', 0, '--min-length', 0, '--min-elongation', 0)
    assert predict(photos, '--export', 'geojson, cvat', *everything) == 0
    assert sorted(path.name for path in (out / 'export').iterdir()) == ['cracks.geojson', 'cvat.xml']
    features = json.loads((out / 'export/cracks.geojson').read_text())['features']
    named = {(one['properties']['photo'], one['properties']['crack']) for one in features}
    listed = {(f'{name}.png', k + 1) for name, one in records(out).items() for k in range(len(one['cracks']))}
    assert named
    assert named <= listed
    assert (out / 'export/cvat.xml').read_text().count('<polygon') == len(listed)


def test_resume_does_not_redo(predict, photos, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    assert predict(photos) == 0
    before = {path: path.stat().st_mtime_ns for path in (out / 'mask').iterdir()}
    done = []
    original = CrackInferencer.predict

    def counted(self, photo, *args):
        done.append(photo.path.name)
        return original(self, photo, *args)

    monkeypatch.setattr(CrackInferencer, 'predict', counted)
    Image.fromarray(np.full((14, 21, 3), 9, np.uint8)).save(photos / 'new.png')
    (out / 'mask' / 'p1.png').unlink()
    assert predict(photos, '--resume') == 0
    assert done == ['new.png', 'p1.png']
    after = {path: path.stat().st_mtime_ns for path in (out / 'mask').iterdir()}
    assert all(after[path] == time for path, time in before.items() if path.name != 'p1.png')
    assert list(table(out)) == ['new', 'p0', 'p1', 'p2']

    done.clear()
    Image.fromarray(np.full((14, 22, 3), 9, np.uint8)).save(photos / 'p0.png')
    assert predict(photos, '--resume') == 0
    assert done == ['p0.png']
    done.clear()
    assert predict(photos, '--resume', '--threshold', 0.4) == 0
    assert len(done) == 4
    done.clear()
    assert predict(photos, '--resume', '--threshold', 0.4, '--mm-per-pixel', 2, '--blur-limit', 1) == 0
    assert done == []
    assert predict(photos) == 0
    assert len(done) == 4


def test_interrupted_and_resumed(predict, photos, tmp_path, monkeypatch, capsys):
    original = CrackInferencer.predict

    def interrupted(self, photo, *args):
        if photo.path.name == 'p1.png':
            raise KeyboardInterrupt
        return original(self, photo, *args)

    with monkeypatch.context() as patch:
        patch.setattr(CrackInferencer, 'predict', interrupted)
        assert predict(photos) == 130
    assert '--resume goes on from here' in capsys.readouterr().out
    assert list(table(tmp_path / 'out')) == ['p0']
    assert predict(photos, '--resume') == 0
    assert list(table(tmp_path / 'out')) == ['p0', 'p1', 'p2']
    assert not list((tmp_path / 'out').glob('.scratch-*'))


def test_scratch_files_of_a_killed_run_are_removed(predict, photos, tmp_path):
    (tmp_path / 'out' / '.scratch-killed').mkdir(parents=True)
    (tmp_path / 'out' / '.scratch-killed' / 'x.raster').touch()
    assert predict(photos, '--resume') == 0
    assert not list((tmp_path / 'out').glob('.scratch-*'))


def test_unreadable_photos_are_skipped_and_reported(predict, photos, tmp_path, capsys):
    (photos / 'a_broken.jpg').write_bytes(b'\xff\xd8\xff no jpeg')
    (photos / 'z_empty.tif').touch()
    assert predict(photos) == 1
    output = capsys.readouterr().out
    assert '3 of 5 photos done, 2 failed' in output
    assert 'a_broken.jpg is no image' in output
    rows = table(tmp_path / 'out')
    assert [row['status'] for row in rows.values()] == ['failed', 'ok', 'ok', 'ok', 'failed']
    assert 'is no image' in rows['a_broken']['error']
    (photos / 'a_broken.jpg').unlink()
    shutil.copy(photos / 'p0.png', photos / 'z_empty.tif')
    assert predict(photos, '--resume') == 0


def test_a_photo_that_breaks_the_network_does_not_stop_the_run(predict, photos, tmp_path, monkeypatch):
    original = CrackInferencer.predict

    def fails(self, photo, *args):
        if photo.path.name == 'p1.png':
            raise RuntimeError('CUDA out of memory')
        return original(self, photo, *args)

    monkeypatch.setattr(CrackInferencer, 'predict', fails)
    assert predict(photos) == 1
    assert 'use a smaller tile or batch size' in records(tmp_path / 'out')['p1']['error']
    assert records(tmp_path / 'out')['p2']['status'] == 'ok'


def test_no_sr_images(predict, photos, tmp_path):
    assert predict(photos, '--no-sr') == 0
    assert not (tmp_path / 'out' / 'sr').exists()


@pytest.mark.parametrize('per_tile', [False, True])
def test_blur_of_a_photo(predict, photos, tmp_path, per_tile):
    assert predict(photos, *(['--per-tile'] if per_tile else []), '--blur-limit', 0.01) == 0
    rows = table(tmp_path / 'out')
    assert all(float(row['blur_spread_output_px']) > 0.01 for row in rows.values())
    assert {row['note'] for row in rows.values()} == {'too blurred to judge'}


def test_spreadsheets_run_no_formula(predict, tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    (folder / '=1+1.jpg').write_text('no photo')
    assert predict(folder / '=1+1.jpg') == 1
    cells = [cell for row in table(tmp_path / 'out').values() for cell in row.values()]
    assert not any(cell.startswith(('=', '+', '-', '@')) for cell in cells)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['missing.jpg'], 'missing.jpg is no file'),
        (['{photos}', '--tile', '4', '--overlap', '4'], 'got tile=4 and overlap=4'),
        (['{photos}', '--threshold', '2'], 'threshold must be a probability'),
        (['{photos}', '--mm-per-pixel', '0'], '--mm-per-pixel must be positive, got 0.0'),
        (['{photos}', '--min-area', '-1'], 'min_area must not be negative'),
    ],
)
def test_wrong_usage(model, photos, tmp_path, capsys, arguments, message):
    arguments = [argument.format(photos=photos) for argument in arguments]
    assert main(['predict', *model, *arguments, '--out-dir', str(tmp_path / 'out')]) == 2
    assert message in capsys.readouterr().err


def test_missing_config_or_checkpoint(model, photos, tmp_path, capsys):
    for config, checkpoint in (('missing.py', model[1]), (model[0], 'missing.pth')):
        assert main(['predict', config, checkpoint, str(photos), '--out-dir', str(tmp_path / 'out')]) == 2
        assert 'does not exist' in capsys.readouterr().err


def test_results_that_cannot_be_written(model, photos, tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert main(['predict', *model, str(photos), '--out-dir', str(tmp_path / 'file' / 'out')]) == 2
    assert 'Not a directory' in capsys.readouterr().err


def test_folder_without_photos(predict, tmp_path, capsys):
    (tmp_path / 'empty').mkdir()
    assert predict(tmp_path / 'empty') == 2
    assert 'no photos' in capsys.readouterr().err
