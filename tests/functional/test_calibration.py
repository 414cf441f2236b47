"""Calibration against loops over pixels and scikit-learn."""

import numpy as np
import pytest
import torch

from csbsr_mm.functional import calibration
from csbsr_mm.functional.calibration import (
    CalibrationCounts,
    brier_score,
    calibration_counts,
    expected_calibration_error,
)


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        monkeypatch.setattr(calibration, 'numba_kernels', lambda name: None)
    return request.param


def maps(seed, shape=(13, 17)):
    rng = np.random.default_rng(seed)
    prob = np.round(rng.random(shape), rng.integers(1, 6)).astype(np.float32)
    return prob, rng.random(shape) < prob**2


def loop(prob, target, bins):
    """ECE and Brier score, pixel by pixel."""
    members = [[] for _ in range(bins)]
    for p, y in zip(prob.ravel().tolist(), target.ravel().tolist(), strict=True):
        members[min(int(p * bins), bins - 1)].append((p, y))
    gaps = [abs(sum(p for p, _ in m) - sum(y for _, y in m)) for m in members]
    errors = [(p - y) ** 2 for m in members for p, y in m]
    return sum(gaps) / prob.size, sum(errors) / prob.size


@pytest.mark.usefixtures('backend')
@pytest.mark.parametrize('bins', [1, 10, 15])
def test_equals_a_loop_over_pixels(bins):
    for seed in range(20):
        prob, target = maps(seed)
        counts = calibration_counts(prob, target, bins)
        error, brier = loop(prob, target, bins)
        assert expected_calibration_error(counts) == pytest.approx(error, abs=1e-12)
        assert brier_score(counts) == pytest.approx(brier, abs=1e-12)


def test_scikit_learn_agrees():
    metrics = pytest.importorskip('sklearn.metrics')
    prob, target = maps(1, (50, 50))
    expected = metrics.brier_score_loss(target.ravel(), prob.ravel().astype(float))
    assert brier_score(calibration_counts(prob, target)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.usefixtures('backend')
def test_ignored_pixels_do_not_count_and_images_add_up():
    prob, target = maps(2)
    ignore = np.zeros_like(target)
    ignore[:5] = True
    broken = np.where(ignore, np.float32(np.nan), prob)
    below, above = calibration_counts(broken, target, ignore=ignore), calibration_counts(prob[:5], target[:5])
    whole = calibration_counts(prob, target)
    for part, other, total in zip(below, above, whole, strict=True):
        np.testing.assert_allclose(part + other, total, rtol=0, atol=1e-9)


def test_a_perfect_map_has_no_error_and_a_wrong_one_all():
    target = torch.tensor([[0, 1, 1, 0]])
    right, wrong = calibration_counts(target.float(), target), calibration_counts(1 - target.float(), target)
    assert (expected_calibration_error(right), brier_score(right)) == (0, 0)
    assert (expected_calibration_error(wrong), brier_score(wrong)) == (1, 1)


def test_no_pixel_has_no_score():
    nothing = CalibrationCounts(np.zeros(3), np.zeros(3), np.zeros(3), 0.0)
    assert np.isnan(expected_calibration_error(nothing))
    assert np.isnan(brier_score(nothing))


@pytest.mark.parametrize('value', [-0.1, 1.5, np.nan])
def test_probabilities_are_checked(value):
    with pytest.raises(ValueError, match=r'prob must be in \[0, 1\]'):
        calibration_counts(np.full((2, 2), value), np.zeros((2, 2)))


def test_bins_are_checked():
    with pytest.raises(ValueError, match='bins must be at least 1, got 0'):
        calibration_counts(np.zeros((2, 2)), np.zeros((2, 2)), bins=0)
