"""Folders of predictions: what is read, matched and refused, kept and compared."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from csbsr_mm.cli import main
from csbsr_mm.metrics import CrackMetrics
from csbsr_mm.scoring import files, match, measures_of, read_mask, read_prediction, run, score_files
from csbsr_mm.scoring.comparison import by_source, differences
from csbsr_mm.scoring.page import worst_first, write_panel
from csbsr_mm.scoring.sources import sources_of

NAMES = ('CFD_1', 'CFD_2', 'GAPS_1', 'GAPS_2', 'GAPS_3')


@pytest.fixture
def folders(tmp_path):
    """Masks, and predictions of a good and a worse model as pictures of 16 bits."""
    rng = np.random.default_rng(3)
    for folder in ('good', 'worse', 'true'):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(NAMES):
        mask = np.zeros((24, 32), bool)
        mask[5 + number : 8 + number, 4:28] = number != 2
        Image.fromarray(255 * mask.astype(np.uint8)).save(tmp_path / f'true/{name}.png')
        for folder, shift in (('good', 0), ('worse', 2)):
            prob = np.clip(0.6 * np.roll(mask, shift, 0) + 0.35 * rng.random(mask.shape), 0, 1)
            Image.fromarray(np.rint(65535 * prob).astype(np.uint16)).save(tmp_path / f'{folder}/{name}.png')
    return tmp_path


def expected(folder, true, **options):
    metrics = CrackMetrics(**options)
    for name in NAMES:
        prob = (np.asarray(Image.open(folder / f'{name}.png')) / 65535).astype(np.float32)
        metrics.update(prob, np.asarray(Image.open(true / f'{name}.png')) > 127, name=name)
    return metrics


def test_every_protocol_of_two_models_and_a_report(folders, capsys):
    good, worse, true, out = (folders / name for name in ('good', 'worse', 'true', 'out'))
    words = ['evaluate', good, true, '--against', worse, '--protocol', 'all', '--out', out, '--photos', good]
    assert main([*map(str, words), '--sources', 'prefix']) == 0
    content = json.loads((out / 'metrics.json').read_text())
    for name in ('good', 'worse'):
        figures = expected(folders / name, true).compute()
        assert content['metrics'][name] == pytest.approx(figures, abs=0, nan_ok=True)
    change = content['differences']['worse']['IoU_max']
    assert change['mean'] > 0
    assert change['low'] <= change['mean'] <= change['high']
    printed = capsys.readouterr().out
    assert re.search(r'F1_2px_ods_pooled +\d\.\d{4} +\d\.\d{4}', printed)
    assert 'best on these images' in printed
    assert content['sources']['good']['GAPS']['images'] == 3
    page = (out / 'index.html').read_text()
    assert page.count('<polyline') == 2 * page.count('<svg')
    assert all(f'panels/{name}.png' in page for name in NAMES)
    with Image.open(out / 'panels/CFD_1.png') as picture:
        assert picture.size == (32 * 6 + 4 * 5, 24)
    with (out / 'images.csv').open(newline='') as file:
        assert len(list(csv.DictReader(file))) == 2 * len(NAMES)


def test_a_threshold_chosen_on_validation_images_is_reported(folders, capsys):
    words = [
        'evaluate',
        folders / 'good',
        folders / 'true',
        '--validation',
        folders / 'worse',
        folders / 'true',
    ]
    assert main([*map(str, words), '--json', str(folders / 'm.json')]) == 0
    content = json.loads((folders / 'm.json').read_text())
    chosen = expected(folders / 'worse', folders / 'true', measures=['overlap']).compute()[
        'IoU_max_threshold'
    ]
    assert f'IoU_at_{chosen:g}' in content['metrics']
    assert any(f'at_{chosen:g}: best IoU on the 5 images' in note for note in content['thresholds'])


def test_a_run_that_was_cut_off_goes_on(folders, monkeypatch):
    pairs, read = match(folders / 'good', folders / 'true'), []
    monkeypatch.setattr(run, 'read_prediction', lambda path: read.append(path) or read_prediction(path))
    cache = folders / 'cache'
    first = score_files(pairs[:3], CrackMetrics(measures=['overlap']), cache=cache)
    assert len(read) == 3 == len(first)
    whole = score_files(pairs, CrackMetrics(measures=['overlap']), cache=cache)
    assert len(read) == 5
    assert whole.compute() == score_files(pairs, CrackMetrics(measures=['overlap'])).compute()
    read.clear()
    (cache / 'CFD_1.npz').write_bytes(b'torn')
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(folders / 'good' / 'CFD_2.png')
    score_files(pairs, CrackMetrics(measures=['overlap']), cache=cache)
    assert sorted(path.stem for path in read) == ['CFD_1', 'CFD_2']
    read.clear()
    score_files(pairs, CrackMetrics(measures=['overlap'], smooth=0.5), cache=cache)
    assert len(read) == 5


def test_names_of_models_must_differ(folders, capsys):
    words = ['evaluate', folders / 'good', folders / 'true', '--against', folders / 'good']
    assert main(list(map(str, words))) == 2
    assert 'none twice: give --names' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('values', 'suffix', 'prob'),
    [
        (np.array([[0, 51, 255]], np.uint8), 'png', [[0, 0.2, 1]]),
        (np.array([[0, 13107, 65535]], np.uint16), 'png', [[0, 0.2, 1]]),
        (np.array([[0, 13107, 65535]], np.uint16), 'tif', [[0, 0.2, 1]]),
        (np.array([[0, 1, 1]], np.uint8), 'png', [[0, 1, 1]]),
        (np.array([[0, 0.2, 1]], np.float64), 'npy', [[0, 0.2, 1]]),
        (np.array([[False, True]]), 'npy', [[0, 1]]),
    ],
)
def test_what_predictions_may_be(tmp_path, values, suffix, prob):
    path = tmp_path / f'a.{suffix}'
    if suffix == 'npy':
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)
    np.testing.assert_allclose(read_prediction(path), prob, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (np.zeros((1, 2, 2)), r'one map \(H, W\), got float64 of shape'),
        (np.array([[-1.0, 3]]), r'in \[0, 1\], got -1 to 3; apply the sigmoid'),
        (np.array([[np.nan, 0.3]]), r'in \[0, 1\], got nan'),
        (np.array([[-1, 3]]), 'holds -1 to 3; pictures are of 8 or 16 bits'),
        (np.array([['a']]), 'must hold one map'),
        (np.zeros((0, 3)), 'must hold one map'),
    ],
)
def test_what_predictions_may_not_be(tmp_path, values, message):
    np.save(tmp_path / 'a.npy', values)
    with pytest.raises(ValueError, match=message):
        read_prediction(tmp_path / 'a.npy')


def test_masks_of_other_values_are_named(tmp_path):
    path = tmp_path / 'a.png'
    Image.fromarray(np.array([[0, 128, 255]], np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'a.png holds the values 0, 128, 255; masks are of'):
        read_mask(path)
    mask, ignore = read_mask(path, ignore_value=128)
    np.testing.assert_array_equal(mask, [[False, False, True]])
    np.testing.assert_array_equal(ignore, [[False, True, False]])
    for one in (1, 255):
        Image.fromarray(np.array([[0, one, 0]], np.uint8)).save(path)
        np.testing.assert_array_equal(read_mask(path)[0], [[False, True, False]])


def test_a_palette_is_not_taken_for_brightness(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), 'P')
    picture.putpalette([0, 0, 0, 128, 0, 0])
    picture.save(tmp_path / 'a.png')
    np.testing.assert_array_equal(read_mask(tmp_path / 'a.png')[0], [[False, True]])


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder'):
        files.files_by_name(tmp_path / 'none')
    with pytest.raises(FileNotFoundError, match='there are no images'):
        files.files_by_name(tmp_path)


def test_differences_leave_out_what_is_unknown():
    first = [{'a': 1.0, 'b': np.nan}, {'a': 2.0, 'b': 1.0}, {'a': 4.0, 'b': np.nan}]
    other = [{'a': 0.0, 'b': 1.0}, {'a': 0.0, 'b': 1.0}, {'a': 0.0, 'b': 2.0}]
    found = differences(first, other)
    assert found['a'].mean == pytest.approx(7 / 3)
    assert 'b' not in found
    with pytest.raises(ValueError, match='the same images, got 3 and 2'):
        differences(first, other[:2])


def test_sources(tmp_path, folders):
    metrics = expected(folders / 'good', folders / 'true', measures=['overlap'])
    found = by_source(metrics, sources_of(metrics.names, 'prefix'))
    assert list(found) == ['GAPS', 'CFD']
    rows = metrics.per_image()
    assert found['CFD']['IoU_max'] == pytest.approx((rows[0]['IoU_max'] + rows[1]['IoU_max']) / 2)
    table = tmp_path / 's.csv'
    table.write_text('image,source\n' + ''.join(f'{name}.png,{name[-1]}\n' for name in NAMES))
    assert sources_of(NAMES, str(table)) == ['1', '2', '1', '2', '3']
    table.write_text('image,source\nCFD_1,a\n')
    with pytest.raises(ValueError, match='lacks 4 of 5 images: CFD_2'):
        sources_of(NAMES, str(table))
    table.write_text('image,set\n')
    with pytest.raises(ValueError, match='needs the columns image and source'):
        sources_of(NAMES, str(table))


def test_worst_images_come_first_and_errors_have_colours(folders):
    metrics = expected(folders / 'worse', folders / 'true', measures=['overlap'])
    values = [row['IoU_max'] for row in metrics.per_image()]
    assert [values[index] for index in worst_first(metrics)] == sorted(values)
    pairs = match(folders / 'worse', folders / 'true')
    write_panel(folders / 'p.png', pairs[:1], 0.5, None, None)
    picture = np.asarray(Image.open(folders / 'p.png'))[:, -32:]
    mask, ignore = read_mask(pairs[0].mask)
    missed = mask & (read_prediction(pairs[0].prediction) <= 0.5)
    assert ignore is None
    np.testing.assert_array_equal((picture == (207, 34, 46)).all(-1), missed)


def test_unknown_protocols():
    with pytest.raises(ValueError, match=r'protocols are paper, .*; got bsds'):
        measures_of(['paper', 'bsds'])
