"""Thinning against other libraries, and centre lines at all thresholds against a loop over them."""

import numpy as np
import pytest
import torch
from helpers.crack_shapes import straight_crack
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from csbsr_mm.functional import _levels, tolerance
from csbsr_mm.functional.centerline import centerline_sweep, cl_dice, cl_iou, skeleton, skeletonize, sweep

EIGHT = np.ones((3, 3))
percent = st.integers(0, 100).map(lambda value: np.float32(value / 100))


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        for module in (skeleton, sweep, tolerance, _levels):
            monkeypatch.setattr(module, 'numba_kernels', lambda name: None)
    return request.param


def random_masks(count, largest):
    """Masks of any density, from single pixels to blots, of any size."""
    rng = np.random.default_rng(0)
    for number in range(count):
        mask = rng.random(rng.integers(1, largest, 2)) < rng.choice([0.2, 0.5, 0.7, 0.9, 0.97])
        yield np.kron(mask, np.ones((3, 4), bool)) if number % 3 == 0 else mask


@pytest.mark.usefixtures('backend')
def test_lines_are_those_of_scikit_image():
    morphology = pytest.importorskip('skimage.morphology')
    for mask in random_masks(300, 50):
        np.testing.assert_array_equal(skeletonize(mask), morphology.thin(mask))


def test_lines_cross_the_words_of_64_rows():
    for mask in random_masks(20, 260):
        np.testing.assert_array_equal(skeletonize(mask), skeleton._skeleton_numpy(mask))


@pytest.mark.usefixtures('backend')
def test_no_crack_vanishes_or_breaks():
    for mask in random_masks(100, 40):
        lines = skeletonize(mask)
        labels, number = ndimage.label(mask, EIGHT)
        assert ndimage.label(lines, EIGHT)[1] == number == len(np.unique(labels[lines]))


def test_lines_of_straight_cracks_run_in_the_middle():
    zhang = pytest.importorskip('skimage.morphology').skeletonize
    for degrees in range(0, 180, 15):
        mask = straight_crack(7, degrees)
        lines = skeletonize(mask)
        edge = ndimage.distance_transform_edt(mask)[lines]
        assert np.median(edge) >= 3
        aside = ndimage.distance_transform_edt(~zhang(mask))[lines]
        ends = ndimage.distance_transform_edt(mask)[lines] < 3
        assert aside[~ends].max() <= 1


def test_tensors_stay_tensors():
    lines = skeletonize(torch.ones(3, 5))
    assert lines.dtype == torch.bool
    np.testing.assert_array_equal(lines.numpy(), skeletonize(np.ones((3, 5))))


@st.composite
def cases(draw):
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    prob = draw(arrays(np.float32, shape, elements=percent, fill=st.just(np.float32(0.3))))
    thresholds = draw(st.none() | st.lists(percent, min_size=1, max_size=300).map(np.float32))
    limits = draw(st.lists(st.sampled_from([0.0, 1.0, 1.5, 4.0]), min_size=1, max_size=3))
    return prob, draw(arrays(bool, shape)), thresholds, limits, draw(st.none() | arrays(bool, shape))


def near(points, mask, limit):
    """How many points have a pixel of the mask within the limit: all pairs, in whole numbers."""
    squared = ((np.argwhere(points)[:, None] - np.argwhere(mask)[None]) ** 2).sum(-1)
    return (squared <= limit**2 + 1e-9).any(1).sum()


def brute_force(prob, target, thresholds, limits, ignore):
    known = np.ones_like(target) if ignore is None else ~ignore
    true = target & known
    line = skeleton._skeleton_numpy(true)
    columns = []
    for threshold in thresholds:
        predicted = (prob > threshold) & known
        lines = skeleton._skeleton_numpy(predicted)
        pairs = [(lines, true), (lines, line), (line, predicted), (line, lines)]
        columns.append([lines.sum(), *([near(*pair, limit) for limit in limits] for pair in pairs)])
    length, *rest = zip(*columns, strict=True)
    on_crack, on_line, found, line_found = (np.array(values).T for values in rest)
    return np.array(length), on_crack, on_line, line.sum(), found, line_found


@pytest.mark.usefixtures('backend')
def test_equals_a_loop_over_thresholds():
    @settings(max_examples=80, deadline=None)
    @given(case=cases())
    def check(case):
        prob, target, thresholds, limits, ignore = case
        counts = centerline_sweep(prob, target, thresholds, limits, ignore)
        expected = brute_force(prob, target, _levels.as_thresholds(thresholds), limits, ignore)
        for actual, truth in zip(counts, expected, strict=True):
            np.testing.assert_array_equal(actual, truth)

    check()


def cl_dice_as_published(predicted, target, thinned):
    """The formula of Shit et al. with another library's lines."""
    precision = (thinned(predicted) & target).sum() / thinned(predicted).sum()
    recall = (thinned(target) & predicted).sum() / thinned(target).sum()
    return 2 * precision * recall / (precision + recall)


def test_cl_dice_and_cl_iou_of_other_libraries_lines():
    thin = pytest.importorskip('skimage.morphology').thin
    target = straight_crack(6, 30)
    prob = ndimage.gaussian_filter(straight_crack(5, 34, shift=2.0).astype(float), 2)
    thresholds = [0.1, 0.3, 0.5, 0.7]
    counts = centerline_sweep(prob, target, thresholds, tolerance=[0, 4])
    for j, threshold in enumerate(np.float32(thresholds)):
        predicted = np.float32(prob) > threshold
        assert cl_dice(counts)[0, j] == pytest.approx(
            cl_dice_as_published(predicted, target, thin), abs=1e-12
        )
        to_truth = ndimage.distance_transform_edt(~thin(target))
        to_prediction = ndimage.distance_transform_edt(~thin(predicted))
        hit = (to_prediction[thin(target)] <= 4).sum()
        false = (to_truth[thin(predicted)] > 4).sum()
        assert cl_iou(counts)[1, j] == pytest.approx(hit / (thin(target).sum() + false), abs=1e-12)


@pytest.mark.parametrize(('predicted', 'true', 'value'), [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)])
def test_empty_masks(predicted, true, value):
    counts = centerline_sweep(np.full((5, 9), float(predicted)), np.full((5, 9), true), [0.5])
    assert cl_dice(counts) == cl_iou(counts) == value
