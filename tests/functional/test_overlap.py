"""IoU over thresholds against published figures and a loop over thresholds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from csbsr_mm.functional import _levels, overlap
from csbsr_mm.functional.overlap import iou_sweep, overlap_sweep

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'metrics.npz')

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
thresholds_lists = st.none() | st.lists(st.floats(-0.125, 1.125, width=32), min_size=1, max_size=300).map(
    np.float32
)
probabilities = (
    st.floats(0, 1, width=32)
    | st.integers(0, 100).map(lambda percent: np.float32(percent / 100))
    | st.just(np.float32(np.nan))
)


@st.composite
def cases(draw):
    shape = draw(shapes)
    prob = draw(arrays(np.float32, shape, elements=probabilities))
    return prob, draw(arrays(bool, shape)), draw(st.none() | arrays(bool, shape)), draw(thresholds_lists)


def brute_force(prob, target, ignore, thresholds, smooth):
    known = np.ones_like(target) if ignore is None else ~ignore
    values = []
    for threshold in _levels.as_thresholds(thresholds):
        pred = (prob > threshold) & known
        both, either = (pred & target & known).sum(), (pred | (target & known)).sum()
        values.append((both + smooth) / (either + smooth))
    return np.array(values)


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        for module in (overlap, _levels):
            monkeypatch.setattr(module, 'numba_kernels', lambda name: None)
        _levels._scale.cache_clear()
        yield
        _levels._scale.cache_clear()
    else:
        yield


@pytest.mark.usefixtures('backend')
def test_golden_figures():
    for gt, prob, expected in zip(GOLDEN['gt'], GOLDEN['prob'], GOLDEN['iou'], strict=True):
        np.testing.assert_allclose(iou_sweep(prob, gt), expected, rtol=0, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_equals_a_loop_over_thresholds(case):
    prob, target, ignore, thresholds = case
    expected = brute_force(prob, target, ignore, thresholds, 1e-5)
    actual = iou_sweep(prob, target, thresholds, ignore=ignore)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)
    tensors = [None if value is None else torch.from_numpy(value) for value in (prob, target, ignore)]
    counts = overlap._counts_on_device(*tensors[:2], _levels.as_thresholds(thresholds), tensors[2])
    for on_device, on_host in zip(counts, overlap_sweep(prob, target, thresholds, ignore), strict=True):
        np.testing.assert_array_equal(on_device.numpy(), on_host)


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_plain_path_gives_the_same_numbers(case):
    prob, target, ignore, thresholds = case
    compiled = overlap_sweep(prob, target, thresholds, ignore)
    with pytest.MonkeyPatch.context() as patch:
        for module in (overlap, _levels):
            patch.setattr(module, 'numba_kernels', lambda name: None)
        patch.setattr(_levels, '_scale', lambda thresholds: None)
        plain = overlap_sweep(prob, target, thresholds, ignore)
    np.testing.assert_array_equal(compiled, plain)


@settings(max_examples=100, deadline=None)
@given(start=st.floats(-2, 2, width=32), step=st.floats(2**-13, 1, width=32), count=st.integers(1, 254))
def test_levels_hold_on_both_sides_of_every_threshold(start, step, count):
    """The guess of nearly equidistant thresholds, where it is easiest to be off by one."""
    thresholds = np.unique((start + step * np.arange(count)).astype(np.float32))
    beside = [np.nextafter(thresholds, np.float32(side)) for side in (-np.inf, np.inf)]
    prob = np.concatenate([thresholds, *beside, [-1e30, 1e30]]).astype(np.float32)[None]
    expected = (prob[..., None] > thresholds).sum(-1)
    np.testing.assert_array_equal(_levels.threshold_levels(prob, thresholds), expected)


def test_default_thresholds_are_guessed():
    """The fast path serves the thresholds everybody uses."""
    assert _levels._scale(_levels.DEFAULT_THRESHOLDS.tobytes()) is not None
    assert len(_levels.DEFAULT_THRESHOLDS) == 99


def test_two_empty_masks():
    nothing = np.zeros((3, 3))
    assert iou_sweep(nothing, nothing, [0.5]) == 1
    assert np.isnan(iou_sweep(nothing, nothing, [0.5], smooth=0))


def test_tensors_in_tensors_out():
    prob, target = torch.rand(7, 9, generator=torch.manual_seed(0)), torch.zeros(7, 9, dtype=torch.long)
    target[2:4] = 1
    iou = iou_sweep(prob, target)
    assert iou.dtype == torch.float64
    np.testing.assert_array_equal(iou.numpy(), iou_sweep(prob.numpy(), target.numpy()))
    both, either = overlap_sweep(prob, target)
    assert (both <= either).all()


def test_bad_arguments_are_named():
    mask = np.ones((3, 4), bool)
    with pytest.raises(ValueError, match='divide 8-bit maps by 255'):
        iou_sweep(mask, mask)
    with pytest.raises(ValueError, match=r'target has shape \(4, 3\), expected \(3, 4\)'):
        iou_sweep(mask * 0.5, mask.T)
    with pytest.raises(ValueError, match='thresholds must be a list of numbers'):
        iou_sweep(mask * 0.5, mask, [])
