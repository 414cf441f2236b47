"""Masks that are there already: compared with the truth, and measured."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from csbsr_mm.cli import main
from csbsr_mm.metrics import CrackMetrics


@pytest.fixture
def folders(tmp_path):
    """Three photos' probabilities as 16-bit pictures, and their masks."""
    rng = np.random.default_rng(3)
    for folder in ('predicted', 'true'):
        (tmp_path / folder).mkdir()
    for number in range(3):
        mask = np.zeros((24, 32), bool)
        mask[5 + number : 8 + number, 4:28] = number != 2
        prob = np.clip(0.6 * np.roll(mask, number, 0) + 0.35 * rng.random(mask.shape), 0, 1)
        Image.fromarray(np.rint(65535 * prob).astype(np.uint16)).save(tmp_path / f'predicted/{number}.png')
        Image.fromarray(255 * mask.astype(np.uint8)).save(tmp_path / f'true/{number}.jpg', quality=95)
    return tmp_path / 'predicted', tmp_path / 'true'


def registered_metrics(pairs) -> dict[str, float]:
    """What MMSegmentation's metrics report for the same photos."""
    import torch

    from csbsr_mm.evaluation import AIUMetric, HD95Metric

    found = {}
    for metric in (AIUMetric(), HD95Metric()):
        for prob, mask in pairs:
            label = torch.from_numpy(mask.astype(np.int64))[None]
            sample = dict(seg_prob=dict(data=torch.from_numpy(prob)[None]), gt_sem_seg=dict(data=label))
            metric.process({}, [sample])
        found |= metric.evaluate(size=len(pairs))
    return found


def test_evaluate_agrees_with_the_registered_metrics(folders, capsys):
    predicted, true = folders
    out = predicted.parent
    assert main(['evaluate', *map(str, folders), '--json', f'{out}/m.json', '--csv', f'{out}/m.csv']) == 0
    found = json.loads((out / 'm.json').read_text())['metrics']
    pairs = [
        (
            (np.asarray(Image.open(predicted / f'{number}.png')) / 65535).astype(np.float32),
            np.asarray(Image.open(true / f'{number}.jpg')) > 127,
        )
        for number in range(3)
    ]
    expected = registered_metrics(pairs)
    assert found == pytest.approx({name: expected[name] for name in found})
    assert 'IoU_max' in capsys.readouterr().out
    with (out / 'm.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert np.mean([float(row['IoU_max']) for row in rows]) == pytest.approx(found['IoU_max'])
    assert np.mean([float(row['HD95_min']) for row in rows]) == pytest.approx(found['HD95_min'])


def test_a_mask_has_one_value_at_every_threshold(folders, capsys):
    _, true = folders
    assert main(['evaluate', str(true), str(true)]) == 0
    # JPEG leaves masks that are not quite 0 and 255, so the best threshold is the middle one.
    values = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert float(values['IoU_max']) == 1
    assert float(values['HD95_min']) == 0


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda p, t: (p / '1.png').unlink(), '1 of 3 masks of .* have no prediction in .*: 1'),
        (lambda p, t: np.save(p / '1.npy', np.zeros((24, 32))), 'have one name; leave one'),
        (lambda p, t: Image.new('L', (9, 9)).save(p / '1.png'), r'1.png is \(9, 9\) and .* give them one'),
    ],
)
def test_evaluate_refuses_what_does_not_fit(folders, capsys, spoil, message):
    import re

    spoil(*folders)
    assert main(['evaluate', *map(str, folders)]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_crack_metrics_of_tensors_and_of_nothing():
    import torch

    prob, mask = np.random.default_rng(0).random((16, 16), np.float32), np.eye(16, dtype=bool)
    arrays, tensors = CrackMetrics(), CrackMetrics()
    arrays.update(prob, mask)
    tensors.update(torch.from_numpy(prob), torch.from_numpy(mask))
    assert arrays.compute() == pytest.approx(tensors.compute(), abs=0, nan_ok=True)
    with pytest.raises(ValueError, match='no image was measured'):
        CrackMetrics().compute()


def test_measure_a_bar_of_known_size(tmp_path, capsys):
    mask = np.zeros((400, 400), np.uint8)
    mask[100:112, 40:360] = 255
    Image.fromarray(mask).save(tmp_path / 'bar.png')
    words = ['measure', str(tmp_path / 'bar.png'), '--scale', '4', '--csv', str(tmp_path / 'bar.csv')]
    assert main(words) == 0
    assert 'bar: 1 cracks, area 240.0 px²' in capsys.readouterr().out
    with (tmp_path / 'bar.csv').open(newline='') as file:
        (row,) = csv.DictReader(file)
    assert float(row['area_px2']) == 240
    assert float(row['max_width_px']) == pytest.approx(3, abs=0.05)
    assert main([*words, '--mm-per-pixel', '2']) == 0
    assert 'area 960.0 mm²' in capsys.readouterr().out
    assert main([*words, '--mm-per-pixel', '0']) == 2


def test_help_says_the_defaults_that_apply():
    """The parser knows them without importing what they belong to."""
    from csbsr_mm.cli import build_parser
    from csbsr_mm.inspection.measurement.cracks import MIN_AREA
    from csbsr_mm.inspection.report.pages import BLUR_LIMIT

    parser = build_parser('predict')._subparsers._group_actions[0].choices['predict']
    helps = {action.dest: action.help for action in parser._actions}
    assert f'({MIN_AREA:g})' in helps['min_area']
    assert f'({BLUR_LIMIT:g})' in helps['blur_limit']
