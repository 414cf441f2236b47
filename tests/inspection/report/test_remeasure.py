"""A report measured again equals a run with those settings."""

import json
import time

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.inspection.measurement.selection import SelectionRules
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.photos.input_files import find_photos

MEASURED = ('total', 'cracks', 'ignored', 'blobs', 'threshold', 'rules')


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(170, 200, (120, 160, 3)).astype(np.uint8)
    image[30:34, 10:140] = 10
    image[80:83, 10:140] = 90
    Image.fromarray(image).save(tmp_path / 'a.png')
    return tmp_path


def predict(photos, out, threshold, **rules):
    folder = OutputFolder(photos / out)
    inferencer = CrackInferencer(DarkBackend(2), threshold=threshold)
    run = PredictionRun(inferencer, folder, rules=SelectionRules(**rules))
    records = list(run.run(find_photos([photos / 'a.png'])))
    Report(folder, records, settings={'Threshold': threshold}, title='Bridge').write()
    return photos / out


def record(folder):
    return json.loads((folder / 'records/a.json').read_text())


def test_as_a_run_with_these_settings(photos):
    old, expected = predict(photos, 'old', 0.8), predict(photos, 'expected', 0.5, min_length=20)
    assert (
        main(['report', str(old), '--threshold', '0.5', '--min-length', '20', '--mm-per-pixel', '0.5']) == 0
    )
    for name in MEASURED:
        assert record(old)[name] == record(expected)[name], name
    for file in ('mask/a.png', 'overlay/a.jpg', 'preview/a_after.webp'):
        found, wanted = (np.asarray(Image.open(folder / file)) for folder in (old, expected))
        assert np.array_equal(found, wanted), file
    summary = json.loads((old / 'summary.json').read_text())
    assert (summary['title'], summary['mm_per_pixel']) == ('Bridge', 0.5)
    assert summary['settings']['Threshold'] == 0.5
    assert summary['photos'][0]['total_mm']['length'] == 0.5 * record(old)['total']['length']


def test_works_when_the_photo_is_gone(photos):
    old, expected = predict(photos, 'old', 0.8), predict(photos, 'expected', 0.5)
    (photos / 'a.png').unlink()
    assert main(['report', str(old), '--threshold', '0.5']) == 0
    assert len(record(old)['cracks']) == len(record(expected)['cracks']) == 2


def test_rules_alone_leave_the_pictures(photos):
    old = predict(photos, 'old', 0.5)
    written = (old / 'mask/a.png').stat().st_mtime_ns
    time.sleep(0.01)
    assert main(['report', str(old), '--peak', '0.8']) == 0
    assert len(record(old)['cracks']) == 1
    assert (old / 'mask/a.png').stat().st_mtime_ns == written


def test_no_report_there(tmp_path, capsys):
    assert main(['report', str(tmp_path)]) == 2
    assert 'holds no summary.json' in capsys.readouterr().err
