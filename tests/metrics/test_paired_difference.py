"""Paired differences beside SciPy's bootstrap and paired t interval."""

import numpy as np
import pytest
from scipy import stats

from csbsr_mm.metrics.paired_difference import paired_difference


@pytest.fixture
def runs():
    rng = np.random.default_rng(4)
    photos = rng.random(60)
    reference = photos + 0.05 * rng.standard_normal((3, 60))
    return reference + 0.02 + 0.05 * rng.standard_normal((3, 60)), reference


def test_interval_is_that_of_scipy(runs):
    values, reference = runs
    found = paired_difference(values, reference, confidence=0.9)
    of_image = (values - reference).mean(0)
    expected = stats.bootstrap((of_image,), np.mean, confidence_level=0.9, method='percentile')
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.05 * width)
    t = stats.ttest_1samp(of_image, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((t.low, t.high), abs=0.1 * width)


def test_mean_and_seeds(runs):
    values, reference = runs
    found = paired_difference(values, reference)
    assert found.mean == pytest.approx(values.mean() - reference.mean())
    assert found.by_seed == pytest.approx((values.mean(1) - reference.mean(1)).tolist())
    back = paired_difference(reference, values)
    assert back.mean == pytest.approx(-found.mean)
    assert back.larger == pytest.approx(1 - found.larger)


def test_equal_runs_differ_by_nothing(runs):
    values, _ = runs
    assert paired_difference(values, values) == (0, 0, 0, 0.5, (0, 0, 0))


@pytest.mark.parametrize(
    ('values', 'reference', 'message'),
    [
        ([1, 2, 3], [1, 2], r'got \(1, 3\) and \(1, 2\)'),
        ([[1]], [[2]], 'at least two images'),
        ([1, np.inf, 3], [1, 2, 3], 'not finite in image 1'),
    ],
)
def test_what_cannot_be_paired(values, reference, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(values, reference)
