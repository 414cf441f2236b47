"""What a report says beside its numbers, and the colours of its overlays."""

import csv
import json
from dataclasses import asdict

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image
from scipy.special import ndtr

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.inspection.measurement.cracks import measure_cracks
from csbsr_mm.inspection.measurement.selection import SelectionRules
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.inspection.scale.scales import PhotoScale, ScaleTable
from csbsr_mm.inspection.widths.classes import WidthClasses
from csbsr_mm.inspection.widths.errors import ErrorCurve, WidthErrors
from csbsr_mm.inspection.widths.estimates import Estimator
from csbsr_mm.inspection.widths.options import WidthOptions
from csbsr_mm.photos.input_files import find_photos

CLASSES = WidthClasses((0.3, 0.6))
LINE = [0.5, 20.0]
CURVE = ErrorCurve(LINE, [0.4, 0.4], [0.5, 0.5])
ABOUT = dict(weights='ab', threshold=0.5, source='measured on 80', widths=[0.4, 6], blurs=[1, 4])
ERRORS = WidthErrors(
    dict.fromkeys(('mean_width', 'width_95', 'max_width', 'subpixel_mean'), CURVE), about=ABOUT
)


def painted():
    """Two dark bars on grey: 2 pixels wide and 40 long, and 10 wide and 60 long."""
    photo = np.full((90, 100, 3), 230, np.uint8)
    photo[10:12, 20:60] = photo[40:50, 20:80] = 20
    return photo


def record(threshold=0.5):
    dark = 1 - painted()[..., 0] / 255
    found = measure_cracks(
        dark > threshold, probability=lambda box: dark[box.top : box.bottom, box.left : box.right]
    )
    return dict(source='/p/a.png', scale=1, threshold=threshold, **asdict(found))


def test_terms_of_an_interval():
    """By hand: bias off, spread and scale in squares; 1.645 standard deviations to either side."""
    scales = ScaleTable({}, PhotoScale(0.1, 0.01))
    crack = record()['cracks'][0]
    assert crack['mean_width'] == pytest.approx(10, abs=0.01)
    found = Estimator(scales, ERRORS, CLASSES).of(record(), 0)
    value = 0.1 * (10 - 0.4)
    std = 0.1 * np.hypot(0.5, 9.6 * 0.1)
    expected = (value, value - 1.6449 * std, value + 1.6449 * std, std)
    for got, wanted in zip(found['values']['mean_width'].values(), expected, strict=True):
        assert got == pytest.approx(wanted, abs=2e-4)
    assert found['unit'] == 'mm'
    assert found['above']['0.6']['mean_width'] == pytest.approx(ndtr((value - 0.6) / std), abs=1e-4)
    assert found['values']['length']['corrected'] == pytest.approx(0.1 * crack['length'], abs=1e-3)


def test_other_threshold_or_no_table_knows_geometry_alone():
    for estimator in (Estimator(ScaleTable({}), ERRORS), Estimator(ScaleTable({}))):
        found = estimator.of(record(0.4), 0)
        assert found['source'].startswith('geometry alone')
        assert found['values']['mean_width']['corrected'] == pytest.approx(10, abs=0.01)
        assert found['unit'] == 'px'
        assert 'above' not in found


def test_lengths_per_class_use_corrected_widths():
    scales = ScaleTable({}, PhotoScale(0.1))
    lengths = Estimator(scales, ERRORS, WidthClasses((0.17, 0.6))).of(record())['length_per_class']
    # The thin bar is 0.2 mm wide as measured and 0.16 mm as corrected.
    assert list(lengths.values()) == [pytest.approx(4, abs=0.1), 0, pytest.approx(6, abs=0.1)]


def test_no_largest_width_is_below_the_mean():
    """Tables that take more off the largest width than there is between the two."""
    curves = dict(mean_width=CURVE, width_95=CURVE, max_width=ErrorCurve(LINE, [0.4, 3.0], [0.5, 0.5]))
    found = Estimator(ScaleTable({}), WidthErrors(curves, about=ABOUT)).of(record(), 0)['values']
    assert (
        found['max_width']['corrected'] == found['width_95']['corrected'] >= found['mean_width']['corrected']
    )


def test_nothing_found_is_certain():
    nothing = dict(source='a', scale=1, threshold=0.5, **asdict(measure_cracks(np.zeros((20, 20), bool))))
    found = Estimator(ScaleTable({}, PhotoScale(0.1)), ERRORS, CLASSES).of(nothing)
    assert found['values']['max_width'] == dict(corrected=0, low=0, high=0, std=0)
    assert list(found['length_per_class'].values()) == [0, 0, 0]
    assert found['above']['0.3']['max_width'] == 0


@pytest.fixture
def folder(tmp_path):
    """A report on one photo, in the folder of a run."""
    (tmp_path / 'photos').mkdir()
    Image.fromarray(painted()).save(tmp_path / 'photos/a.png')
    folder = OutputFolder(tmp_path / 'out')
    run = PredictionRun(CrackInferencer(DarkBackend(), threshold=0.5), folder, rules=SelectionRules(4.0))
    records = list(run.run(find_photos([str(tmp_path / 'photos')])))
    assert records[0]['status'] == 'ok'
    Report(folder, records, 0.1, widths=WidthOptions(ERRORS, CLASSES)).write()
    return folder


def rows(folder, name):
    with (folder.root / name).open(encoding='utf-8-sig', newline='') as file:
        return list(csv.DictReader(file))


def test_tables_and_page(folder):
    summary = json.loads((folder.root / 'summary.json').read_text())
    crack = summary['photos'][0]['cracks_estimates'][0]
    row = rows(folder, 'cracks.csv')[0]
    assert float(row['mean_width_mm']) == pytest.approx(1.0, abs=0.01)
    assert float(row['mean_width_mm_corrected']) == pytest.approx(0.96, abs=0.01)
    for part in ('low', 'high'):
        assert float(row[f'max_width_mm_{part}']) == pytest.approx(
            crack['values']['max_width'][part], abs=1e-3
        )
    assert row['errors_from'] == 'measured on 80'
    assert 'p_max_width_above_0.3_mm' in row
    total = rows(folder, 'summary.csv')[0]
    lengths = [float(total[name]) for name in CLASSES.columns]
    assert sum(lengths) == pytest.approx(float(total['length_mm_corrected']), rel=0.01)
    page = (folder.root / 'index.html').read_text()
    assert 'measured on 80' in page
    assert '0.3 to 0.6 mm' in page


def test_written_anew_with_other_classes(folder):
    """Errors stay with the report; given classes colour the overlay, and ``none`` takes colours away."""
    plain = np.asarray(Image.open(folder.root / 'overlay/a.jpg')).astype(int)
    assert main(['report', str(folder.root), '--width-classes', '0.5']) == 0
    summary = json.loads((folder.root / 'summary.json').read_text())
    assert summary['width_errors']['about'] == ABOUT
    assert list(summary['photos'][0]['total_estimates']['above']) == ['0.5']
    colored = np.asarray(Image.open(folder.root / 'overlay/a.jpg')).astype(int)
    thin, wide = colored[10:12, 30:50].mean((0, 1)), colored[42:48, 30:70].mean((0, 1))
    blue, purple = WidthClasses((0.5,)).colors.astype(int)
    for found, color in ((thin, blue), (wide, purple)):
        assert np.abs(found - (0.7 * color + 0.3 * 20)).max() < 25
    assert main(['report', str(folder.root), '--width-classes', 'none']) == 0
    again = np.asarray(Image.open(folder.root / 'overlay/a.jpg')).astype(int)
    assert np.abs(again - plain).max() <= 1
    assert (
        'above' not in json.loads((folder.root / 'summary.json').read_text())['photos'][0]['total_estimates']
    )


def test_measure_masks_by_class(tmp_path, capsys):
    Image.fromarray(255 - painted()).convert('L').save(tmp_path / 'a.png')
    words = ['measure', str(tmp_path / 'a.png'), '--width-classes', '0.5', '--csv', str(tmp_path / 'a.csv')]
    assert main([*words, '--mm-per-pixel', '0.1']) == 0
    assert '4.0 mm up to 0.5 mm' in capsys.readouterr().out
    with (tmp_path / 'a.csv').open() as file:
        wide, thin = csv.DictReader(file)
    assert float(wide['length_mm_above_0.5_mm']) == pytest.approx(6, abs=0.1)
    assert float(thin['length_mm_above_0.5_mm']) == 0
    assert main(words) == 2
