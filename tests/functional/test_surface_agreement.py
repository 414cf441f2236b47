"""Agreement of contours within a tolerance against a loop over thresholds and DeepMind's formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from csbsr_mm.functional import _levels, surface_distance, tolerance
from csbsr_mm.functional.surface import agreement, boundary_f1, normalized_surface_dice, surface_sweep

percent = st.integers(0, 100).map(lambda value: np.float32(value / 100))


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        monkeypatch.setattr(agreement, 'compiled', lambda shape, spacing: False)
        for module in (tolerance, _levels):
            monkeypatch.setattr(module, 'numba_kernels', lambda name: None)
    return request.param


@st.composite
def cases(draw):
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    prob = draw(arrays(np.float32, shape, elements=percent, fill=st.just(np.float32(0))))
    thresholds = draw(st.none() | st.lists(percent, min_size=1, max_size=300).map(np.float32))
    limits = draw(st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, 20.0]), min_size=1, max_size=3))
    spacing = draw(st.sampled_from([(1.0, 1.0), (0.5, 0.5), (1.0, 2.0)]))
    return prob, draw(arrays(bool, shape)), thresholds, limits, spacing, draw(st.none() | arrays(bool, shape))


def shares_one_by_one(case):
    """Share of either contour within each tolerance at each threshold, and the surface Dice."""
    prob, target, thresholds, limits, spacing, ignore = case
    known = np.ones_like(target) if ignore is None else ~ignore
    for j, threshold in enumerate(_levels.as_thresholds(thresholds)):
        masks = target & known, (prob > threshold) & known
        found = surface_distance.compute_surface_distances(*masks, spacing)
        for r, limit in enumerate(limits):
            of_true, of_predicted = surface_distance.compute_surface_overlap_at_tolerance(found, limit)
            dice = surface_distance.compute_surface_dice_at_tolerance(found, limit)
            yield (r, j), (of_predicted, of_true, dice)


@pytest.mark.usefixtures('backend')
def test_equals_a_loop_over_thresholds():
    @settings(max_examples=100, deadline=None)
    @given(case=cases())
    def check(case):
        counts = surface_sweep(*case)
        with np.errstate(invalid='ignore'):
            precision = counts.predicted_within / counts.predicted
            recall = counts.true_within / np.float64(counts.true)
        dice = normalized_surface_dice(counts)
        for place, (of_predicted, of_true, of_both) in shares_one_by_one(case):
            np.testing.assert_allclose(precision[place], of_predicted, rtol=0, atol=1e-12)
            np.testing.assert_allclose(recall[place], of_true, rtol=0, atol=1e-12)
            np.testing.assert_allclose(dice[place], np.nan_to_num(of_both, nan=1.0), rtol=0, atol=1e-12)

    check()


def test_one_tolerance_has_no_axis():
    prob, target = np.zeros((8, 8)), np.zeros((8, 8), bool)
    prob[2:4, 2:4], target[2:4, 3:5] = 0.9, True
    counts = surface_sweep(prob, target, tolerance=1)
    assert counts.true_within.shape == counts.predicted_within.shape == (99,)


def test_boundary_f1_is_the_harmonic_mean_of_both_shares():
    prob, target = np.zeros((12, 12)), np.zeros((12, 12), bool)
    prob[2:5, 1:11], target[2:5, 1:6] = 0.9, True
    masks = target, prob > 0.5
    found = surface_distance.compute_surface_distances(*masks, (1, 1))
    of_true, of_predicted = surface_distance.compute_surface_overlap_at_tolerance(found, 1)
    expected = 2 / (1 / of_true + 1 / of_predicted)
    assert boundary_f1(surface_sweep(prob, target, [0.5], tolerance=1)) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected < 1


@pytest.mark.parametrize(('predicted', 'true', 'value'), [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)])
def test_empty_masks(predicted, true, value):
    counts = surface_sweep(np.full((3, 4), float(predicted)), np.full((3, 4), true), [0.5])
    assert normalized_surface_dice(counts) == pytest.approx(value)
    assert boundary_f1(counts) == pytest.approx(value)
