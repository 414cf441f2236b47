"""Tolerant precision and recall against a loop over thresholds and pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from csbsr_mm.functional import _levels, tolerance
from csbsr_mm.functional.tolerance import tolerance_sweep

percent = st.integers(0, 100).map(lambda value: np.float32(value / 100))
tolerances = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 2.2360679, 5.0]), min_size=1, max_size=3)


@st.composite
def cases(draw):
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    sparse = draw(st.booleans())
    prob = draw(arrays(np.float32, shape, elements=percent, fill=st.just(np.float32(0))))
    target = draw(arrays(bool, shape, fill=st.just(False)) if sparse else arrays(bool, shape))
    thresholds = draw(st.none() | st.lists(percent, min_size=1, max_size=300).map(np.float32))
    return prob, target, thresholds, draw(tolerances), draw(st.none() | arrays(bool, shape))


def brute_force(prob, target, thresholds, tolerances, ignore):
    """Every pair of pixels, in whole numbers; returns what :func:`tolerance_sweep` does."""
    known = np.ones_like(target) if ignore is None else ~ignore
    true = np.argwhere(target & known)
    rows = []
    for threshold in thresholds:
        predicted = np.argwhere((prob > threshold) & known)
        squared = ((predicted[:, None] - true[None]) ** 2).sum(-1)
        for limit in tolerances:
            near = squared <= limit**2 + 1e-9
            rows.append((len(predicted), near.any(1).sum(), near.any(0).sum()))
    table = np.array(rows).reshape(len(thresholds), len(tolerances), 3)
    return table[:, 0, 0], table[..., 1].T, len(true), table[..., 2].T


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        for module in (tolerance, _levels):
            monkeypatch.setattr(module, 'numba_kernels', lambda name: None)
    return request.param


@pytest.mark.usefixtures('backend')
def test_equals_all_pairs_of_pixels(monkeypatch):
    @settings(max_examples=150, deadline=None)
    @given(case=cases())
    def check(case):
        prob, target, thresholds, limits, ignore = case
        counts = tolerance_sweep(prob, target, thresholds, limits, ignore)
        expected = brute_force(prob, target, _levels.as_thresholds(thresholds), limits, ignore)
        for actual, truth in zip(counts, expected, strict=True):
            np.testing.assert_array_equal(actual, truth)

    check()


@pytest.mark.usefixtures('backend')
def test_equals_a_loop_over_distance_maps_on_larger_images():
    rng = np.random.default_rng(0)
    for _ in range(20):
        prob = rng.random((70, 90), np.float32) ** 3
        target = rng.random((70, 90)) > 0.99
        counts = tolerance_sweep(prob, target, tolerance=[0, 2, 5])
        for j in range(0, 99, 14):
            predicted = prob > _levels.DEFAULT_THRESHOLDS[j]
            assert counts.predicted[j] == predicted.sum()
            for r, limit in enumerate((0, 2, 5)):
                assert counts.correct[r, j] == (distance_transform_edt(~target)[predicted] <= limit).sum()
                found = (distance_transform_edt(~predicted)[target] <= limit).sum() if predicted.any() else 0
                assert counts.found[r, j] == found


def test_one_tolerance_has_no_axis_and_tensors_are_welcome():
    prob, target = torch.tensor([[0.2, 0.0, 0.8]]), torch.tensor([[0, 1, 0]])
    counts = tolerance_sweep(prob, target, [0.5, 0.1], tolerance=1)
    np.testing.assert_array_equal(counts.predicted, [1, 2])
    np.testing.assert_array_equal(counts.correct, [1, 2])
    np.testing.assert_array_equal(counts.found, [1, 1])


@pytest.mark.parametrize('limit', [-1, np.nan, np.inf, [], [[1]]])
def test_tolerances_are_checked(limit):
    with pytest.raises(ValueError, match='tolerance must be'):
        tolerance_sweep(np.zeros((2, 2)), np.zeros((2, 2)), tolerance=limit)


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_tensor_operations_count_what_the_kernels_count(case):
    """As they do on an accelerator, whose dispatch is opened here for tensors of the CPU."""
    prob, target, thresholds, limits, ignore = case
    expected = tolerance_sweep(prob, target, thresholds, limits, ignore)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tolerance, 'is_on_device', lambda tensor: isinstance(tensor, torch.Tensor))
        hidden = None if ignore is None else torch.from_numpy(ignore)
        tensors = (torch.from_numpy(prob), torch.from_numpy(target))
        counts = tolerance_sweep(*tensors, thresholds, limits, hidden)
        one = tolerance_sweep(*tensors, thresholds, limits[0], hidden)
    for actual, truth in zip(counts, expected, strict=True):
        np.testing.assert_array_equal(actual, truth)
    np.testing.assert_array_equal(one.found, expected.found[0])


def test_tensors_on_an_accelerator_are_checked(monkeypatch):
    monkeypatch.setattr(tolerance, 'is_on_device', lambda tensor: isinstance(tensor, torch.Tensor))
    prob, target = torch.rand(4, 5), torch.rand(4, 5) > 0.5
    with pytest.raises(ValueError, match=r'floating-point probabilities, got torch\.uint8'):
        tolerance_sweep(prob.byte(), target)
    with pytest.raises(ValueError, match='must be of one shape'):
        tolerance_sweep(prob, target[:3])
    prob[:] = torch.nan
    assert not tolerance_sweep(prob, target).predicted.any()
