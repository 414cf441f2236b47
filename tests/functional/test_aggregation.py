"""Aggregations of counts against loops over images and thresholds, and scikit-learn."""

import numpy as np
import pytest

from csbsr_mm.functional import aggregation
from csbsr_mm.functional.aggregation import MatchedPixels, ap_pooled, f1_score
from csbsr_mm.functional.tolerance import tolerance_sweep

THRESHOLDS = np.linspace(0, 0.95, 20).astype(np.float32)


def images(count=6, tolerance=1.0, seed=0):
    """Random maps with their counts; one image has no crack, one is perfect."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        target = rng.random((20, 24)) < (0 if number == 1 else 0.1)
        prob = np.clip(target * 0.4 + rng.random((20, 24)) * 0.6, 0, 1).astype(np.float32)
        pairs.append((target.astype(np.float32) if number == 2 else prob, target))
    counts = [tolerance_sweep(prob, target, THRESHOLDS, tolerance) for prob, target in pairs]
    return pairs, MatchedPixels(
        correct=np.array([c.correct for c in counts]),
        predicted=np.array([c.predicted for c in counts]),
        found=np.array([c.found for c in counts]),
        true=np.array([[c.true] for c in counts]),
    )


def f1_in_words(correct, predicted, found, true):
    if predicted == 0 and true == 0:
        return 1.0
    if predicted == 0 or true == 0 or correct == 0 or found == 0:
        return 0.0
    return 2 / (predicted / correct + true / found)


@pytest.mark.parametrize('seed', range(5))
def test_figures_equal_loops(seed):
    _, matched = images(seed=seed)
    count, thresholds = matched.correct.shape
    each = np.array(
        [
            [f1_in_words(*(v[i, t] for v in matched[:3]), matched.true[i, 0]) for t in range(thresholds)]
            for i in range(count)
        ]
    )
    sums = [v.sum(0) for v in matched[:3]]
    pooled = [f1_in_words(*(v[t] for v in sums), matched.true.sum()) for t in range(thresholds)]
    best = [max(range(thresholds), key=lambda t, i=i: each[i, t]) for i in range(count)]
    ois = f1_in_words(*(sum(v[i, best[i]] for i in range(count)) for v in matched[:3]), matched.true.sum())
    expected = {
        'ods_per_image_mean': max(each.mean(0)),
        'ois_per_image_mean': np.mean([max(row) for row in each]),
        'ods_pooled': max(pooled),
        'ois_pooled': ois,
    }
    for name, value in expected.items():
        assert getattr(aggregation, name)(matched) == pytest.approx(value, abs=1e-12), name


def test_without_tolerance_the_average_precision_is_that_of_scikit_learn():
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(3)
    target = rng.random((30, 30)) < 0.2
    prob = (rng.integers(1, 60, (30, 30)) / 64 + 0.05 * target).astype(np.float32)
    below_each = np.nextafter(np.unique(prob), np.float32(0), dtype=np.float32)
    counts = tolerance_sweep(prob, target, below_each, tolerance=0)
    one = MatchedPixels(
        counts.correct[None], counts.predicted[None], counts.found[None], np.array([[counts.true]])
    )
    expected = metrics.average_precision_score(target.ravel(), prob.ravel())
    assert ap_pooled(one) == pytest.approx(expected, abs=1e-12)


def test_average_precision_of_a_worked_example():
    # Pixels in falling order of probability: right, wrong, right; thresholds let 1, 2, 3 of them through.
    one = MatchedPixels(
        correct=np.array([[2.0, 1, 1]]), predicted=np.array([[3.0, 2, 1]]), found=np.array([[2.0, 1, 1]]),
        true=np.array([[2.0]]),
    )  # fmt: skip
    assert ap_pooled(one) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_average_precision_needs_a_crack():
    assert np.isnan(ap_pooled(MatchedPixels(*np.zeros((3, 1, 4)), np.zeros((1, 1)))))


def test_the_order_of_thresholds_does_not_matter():
    _, matched = images()
    mixed = np.random.default_rng(0).permutation(matched.correct.shape[1])
    other = MatchedPixels(*(values[:, mixed] for values in matched[:3]), matched.true)
    assert ap_pooled(other) == pytest.approx(ap_pooled(matched), abs=1e-15)
    assert aggregation.ods_pooled(other) == aggregation.ods_pooled(matched)


def test_f1_of_single_numbers():
    assert f1_score(1, 2, 1, 2) == 0.5
