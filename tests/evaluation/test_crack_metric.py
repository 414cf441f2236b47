"""CrackMetric reports the accumulator's figures, and those of the single metrics, to the last digit."""

import numpy as np
import pytest
from helpers.curve_samples import GOLDEN, evaluate, golden_samples, rows, sample

from csbsr_mm.evaluation import AIUMetric, CrackMetric, HD95Metric
from csbsr_mm.metrics import CrackMetrics


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize('workers', [0, 2])
def test_figures_are_those_of_the_accumulator(workers):
    metrics = CrackMetrics(at=(0.5, 0.3))
    for number, (prob, label) in enumerate(zip(GOLDEN['prob'], GOLDEN['gt'], strict=True)):
        metrics.update(prob, label == 1, name=f'{number}.png')
    found = evaluate(CrackMetric(at=(0.5, 0.3), workers=workers), golden_samples())
    same(found, metrics.compute())


def test_the_single_metrics_agree():
    found = evaluate(CrackMetric(), golden_samples())
    expected = evaluate(AIUMetric(), golden_samples()) | evaluate(HD95Metric(), golden_samples())
    same({name: found[name] for name in expected}, expected)


def test_ignored_pixels_are_those_of_the_accumulator():
    rng = np.random.default_rng(0)
    prob, label = rng.random((1, 40, 50), np.float32), rng.integers(0, 2, (40, 50))
    label[:9] = 255
    metrics = CrackMetrics()
    metrics.update(prob[0], label == 1, label == 255)
    same(evaluate(CrackMetric(), [sample(0, label, seg_prob=prob)]), metrics.compute())


def test_values_of_images_and_curves_are_written(tmp_path):
    files = dict(per_image_csv=str(tmp_path / 'images.csv'), curve_csv=str(tmp_path / 'curve.csv'))
    found = evaluate(CrackMetric(measures=['f1', 'centerlines'], **files), golden_samples())
    images = rows(files['per_image_csv'])
    assert len(images) == len(GOLDEN['gt'])
    clean = [float(row['clDice_max']) for row in images]
    assert np.mean(clean) == pytest.approx(found['clDice_max'], abs=1e-12)
    assert len(rows(files['curve_csv'])) == 99
    assert {'F1_2px', 'clDice', 'length_recall_2px'} <= rows(files['curve_csv'])[0].keys()


def test_unknown_measures():
    with pytest.raises(ValueError, match='measures must be of overlap'):
        CrackMetric(measures=['IoU'])
