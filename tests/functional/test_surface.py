"""Surface distances against published figures, DeepMind's package and the symmetries of the plane."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import deepmind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from csbsr_mm.functional import _levels, surface
from csbsr_mm.functional.surface import (
    _contour,
    average_surface_distance,
    hausdorff_sweep,
    robust_hausdorff,
    surface_dice,
)

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'metrics.npz')
PERCENTILES = st.sampled_from([95.0, 50.0, 100.0, 1e-6, 5.0, 99.9]) | st.floats(0.1, 100)

pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')


def shapes(largest=24):
    return st.tuples(st.integers(1, largest), st.integers(1, largest))


@st.composite
def masks(draw, number=2):
    """Masks of one shape: noise of any density, rectangles that may touch the border, full or empty ones."""
    shape = draw(shapes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    drawn = []
    for _ in range(number):
        mask = rng.random(shape) < draw(st.sampled_from([0, 0.02, 0.1, 0.5, 0.9, 1]))
        if draw(st.booleans()):
            top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
            mask[:] = False
            mask[top : top + rng.integers(1, 9), left : left + rng.integers(1, 9)] = True
        drawn.append(mask)
    return drawn


@st.composite
def maps(draw):
    """A probability map and a mask of one shape; the map's values may sit on the thresholds."""
    target = draw(masks(1))[0]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    prob = rng.random(target.shape) ** draw(st.sampled_from([0.3, 1, 8]))
    steps = draw(st.sampled_from([None, 100, 255, 3]))
    if steps:
        prob = np.round(prob * steps) / steps
    return prob.astype(np.float32), target


@pytest.fixture(params=['numba', 'plain'])
def backend(request, monkeypatch):
    if request.param == 'plain':
        for module in (_contour, _levels):
            monkeypatch.setattr(module, 'numba_kernels', lambda name: None)
        _levels._scale.cache_clear()
        yield
        _levels._scale.cache_clear()
    else:
        yield


@pytest.mark.usefixtures('backend')
def test_golden_figures():
    for index, (gt, prob) in enumerate(zip(GOLDEN['gt'], GOLDEN['prob'], strict=True)):
        distances = hausdorff_sweep(prob, gt, percentile=(95, 50))
        np.testing.assert_allclose(distances[0], GOLDEN['hd95'][index], rtol=0, atol=1e-9)
        np.testing.assert_allclose(distances[1], GOLDEN['hd50'][index], rtol=0, atol=1e-9)
        average = average_surface_distance(prob > np.float32(0.5), gt)
        expected = GOLDEN['asd_gt_to_pred_and_pred_to_gt_at_0_5'][index]
        np.testing.assert_allclose(average, expected, rtol=0, atol=1e-9)


@pytest.mark.usefixtures('backend')
def test_golden_figures_at_another_spacing():
    spacing = (0.5, 2.0)
    for gt, prob, figures in zip(
        GOLDEN['gt'], GOLDEN['prob'], GOLDEN['spacing_0_5_2_0_hd95_asd_at_0_4'], strict=False
    ):
        pred = prob > np.float32(0.4)
        actual = robust_hausdorff(pred, gt, 95, spacing), *average_surface_distance(pred, gt, spacing)
        np.testing.assert_allclose(actual, figures, rtol=0, atol=1e-9)
        assert hausdorff_sweep(prob, gt, [0.4], spacing=spacing)[0] == pytest.approx(figures[0], abs=1e-9)


@settings(max_examples=120, deadline=None)
@given(pair=masks(), percentile=PERCENTILES)
def test_single_distance_equals_deepminds(pair, percentile):
    pred, target = pair
    for spacing in ((1.0, 1.0), (0.3, 0.3), (1.0, 2.5)):
        expected = deepmind.robust_hausdorff(target, pred, percentile, spacing)
        assert robust_hausdorff(pred, target, percentile, spacing) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(pair=maps(), percentile=PERCENTILES, data=st.data())
def test_sweep_equals_a_loop_over_deepminds(pair, percentile, data):
    prob, target = pair
    thresholds = data.draw(
        st.none() | st.lists(st.floats(0, 1, width=32), min_size=1, max_size=4).map(np.float32)
    )
    distances = hausdorff_sweep(prob, target, thresholds, percentile)
    limits = _levels.as_thresholds(thresholds)
    for index in data.draw(st.lists(st.integers(0, len(limits) - 1), min_size=1, max_size=5)):
        expected = deepmind.robust_hausdorff(target, prob > limits[index], percentile)
        assert distances[index] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=maps(), percentile=PERCENTILES, spacing=st.sampled_from([(1.0, 1.0), (2.0, 2.0), (1.0, 0.25)]))
def test_plain_path_gives_the_same_numbers(pair, percentile, spacing, monkeypatch):
    compiled = hausdorff_sweep(*pair, percentile=[percentile, 95], spacing=spacing)
    with monkeypatch.context() as patch:
        patch.setattr(_contour, 'numba_kernels', lambda name: None)
        plain = hausdorff_sweep(*pair, percentile=[percentile, 95], spacing=spacing)
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(pair=maps(), percentile=PERCENTILES, data=st.data())
def test_sweep_is_invariant_to_the_symmetries_of_the_plane(pair, percentile, data):
    prob, target = pair

    def sweep(prob, target):
        return hausdorff_sweep(prob, target, percentile=percentile, empty=77.0)

    expected = sweep(prob, target)
    for moved in (np.transpose, np.flipud, np.fliplr, np.rot90):
        np.testing.assert_allclose(sweep(moved(prob), moved(target)), expected, rtol=0, atol=1e-9)
    frame = data.draw(st.tuples(*[st.tuples(st.integers(0, 30), st.integers(0, 30))] * 2))
    pasted = sweep(np.pad(prob, frame), np.pad(target, frame))
    np.testing.assert_allclose(pasted, expected, rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(pair=masks(), percentile=PERCENTILES)
def test_distance_is_symmetric_and_zero_to_itself(pair, percentile):
    pred, target = pair
    distance = robust_hausdorff(pred, target, percentile)
    assert distance == robust_hausdorff(target, pred, percentile)
    assert robust_hausdorff(pred, pred, percentile) == 0
    assert average_surface_distance(pred, target) == pytest.approx(
        average_surface_distance(target, pred)[::-1], nan_ok=True
    )
    shares = [surface_dice(pred, target, tolerance) for tolerance in (0, 1, 5, 1e9)]
    if pred.any() and target.any():
        assert shares == sorted(shares)
        assert shares[-1] == 1


@settings(max_examples=60, deadline=None)
@given(pair=masks(), tolerance=st.floats(0, 6))
def test_surface_dice_equals_deepminds(pair, tolerance):
    pred, target = pair
    package = deepmind.surface_distance()
    with np.errstate(invalid='ignore'):
        expected = package.compute_surface_dice_at_tolerance(
            package.compute_surface_distances(target, pred, (1.0, 2.0)), tolerance
        )
    assert surface_dice(pred, target, tolerance, (1.0, 2.0)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize('shape', [(300, 7), (40, 170)])
def test_long_distances_and_several_percentiles(shape):
    """Far false positives and missed parts, beyond the reach of discs, and several blocks apart."""
    rng = np.random.default_rng(5)
    target = np.zeros(shape, bool)
    target[5:9, 1:5] = target[-9:-6, -6:-2] = True
    prob = (0.2 * rng.random(shape) ** 6).astype(np.float32)
    prob[4:8, 2:6] = 0.9
    prob[shape[0] // 2, shape[1] // 2] = 0.6
    distances = hausdorff_sweep(prob, target, percentile=[100, 95, 50, 10])
    for threshold in range(0, 99, 7):
        for row, percentile in enumerate([100, 95, 50, 10]):
            pred = prob > np.float32((threshold + 1) / 100)
            expected = deepmind.robust_hausdorff(target, pred, percentile)
            assert distances[row, threshold] == pytest.approx(expected, abs=1e-9)


def test_many_vertices_near_the_target_in_a_low_image():
    """Distances along rows, in an image lower than its distances are long."""
    rng = np.random.default_rng(4)
    prob, target = rng.random((3, 1000), np.float32), rng.random((3, 1000)) < 0.05
    for percentile in (95, 60):
        distances = hausdorff_sweep(prob, target, percentile=percentile)
        for threshold in (10, 60, 90):
            pred = prob > np.float32((threshold + 1) / 100)
            expected = deepmind.robust_hausdorff(target, pred, percentile)
            assert distances[threshold] == robust_hausdorff(pred, target, percentile) == expected


def test_large_blocks():
    """Above 1,016 pixels a side, blocks grow so that their number stays bounded."""
    rng = np.random.default_rng(1)
    target = np.zeros((1200, 30), bool)
    target[100:130, 5:9] = target[1100:1103] = True
    prob = np.zeros(target.shape, np.float32)
    prob[90:140, 4:10] = rng.random((50, 6))
    for percentile in (95, 40):
        distances = hausdorff_sweep(prob, target, percentile=percentile)
        for threshold in (0, 20, 55, 80):
            pred = prob > np.float32((threshold + 1) / 100)
            expected = deepmind.robust_hausdorff(target, pred, percentile)
            assert distances[threshold] == pytest.approx(expected, abs=1e-9)


def test_more_thresholds_than_a_byte_has_values():
    rng = np.random.default_rng(2)
    prob, target = rng.random((9, 12), np.float32), rng.random((9, 12)) < 0.3
    thresholds = rng.permutation(np.linspace(0, 1, 600, dtype=np.float32))
    distances = hausdorff_sweep(prob, target, thresholds)
    expected = [robust_hausdorff(prob > threshold, target) for threshold in thresholds]
    np.testing.assert_array_equal(distances, expected)


@pytest.mark.parametrize(
    ('empty', 'value'), [('image_width', 10.0), ('inf', np.inf), ('nan', np.nan), (3, 3.0)]
)
def test_empty_masks(empty, value):
    nothing, something = np.zeros((4, 5), bool), np.eye(4, 5, dtype=bool)
    options = dict(empty=empty, spacing=(1.0, 2.0))
    for pair in ((nothing, something), (something, nothing)):
        assert robust_hausdorff(*pair, **options) == pytest.approx(value, nan_ok=True)
        assert np.isnan(average_surface_distance(*pair)).all()
        assert surface_dice(*pair, tolerance=9) == 0
    assert robust_hausdorff(nothing, nothing, **options) == 0
    assert np.isnan(surface_dice(nothing, nothing, tolerance=9))
    sweep = hausdorff_sweep(nothing * 0.5, something, [0.5], **options)
    np.testing.assert_array_equal(sweep, [value])
    sweep = hausdorff_sweep(something * 0.5, nothing, [0.2, 0.5], **options)
    np.testing.assert_array_equal(sweep, [value, 0])


def test_ignored_pixels_are_background_in_both():
    rng = np.random.default_rng(0)
    prob, target = rng.random((20, 25), np.float32), rng.random((20, 25)) < 0.2
    ignore = rng.random(target.shape) < 0.4
    expected = hausdorff_sweep(np.where(ignore, 0, prob), target & ~ignore)
    garbage = np.where(ignore, rng.random(target.shape), prob)
    flipped = target ^ (ignore & (rng.random(target.shape) < 0.5))
    np.testing.assert_array_equal(hausdorff_sweep(garbage, flipped, ignore=ignore), expected)
    single = robust_hausdorff(garbage > 0.5, flipped, ignore=ignore)
    assert single == hausdorff_sweep(np.where(ignore, 0, garbage), target & ~ignore, [0.5])[0]


def test_tensors_in_tensors_out():
    prob, target = torch.rand(12, 13, generator=torch.manual_seed(0)), torch.zeros(12, 13, dtype=torch.long)
    target[3:5] = 1
    distances = hausdorff_sweep(prob.half(), target, [0.3, 0.7], percentile=[95, 50])
    assert distances.dtype == torch.float64
    expected = hausdorff_sweep(prob.half().numpy(), target.numpy(), [0.3, 0.7], percentile=[95, 50])
    np.testing.assert_array_equal(distances.numpy(), expected)
    assert isinstance(robust_hausdorff(prob > 0.5, target), float)


def test_bad_arguments_are_named():
    mask = np.ones((3, 4), bool)
    with pytest.raises(ValueError, match=r'\(0, 100\], got 0'):
        robust_hausdorff(mask, mask, 0)
    with pytest.raises(ValueError, match=r'spacing .* got \(1, 0\)'):
        robust_hausdorff(mask, mask, spacing=(1, 0))
    with pytest.raises(ValueError, match=r"empty must be .* got 'zero'"):
        robust_hausdorff(mask, ~mask, empty='zero')
    with pytest.raises(ValueError, match=r'pred has shape \(4, 3\), expected \(3, 4\)'):
        robust_hausdorff(mask.T, mask)
    with pytest.raises(ValueError, match='divide 8-bit maps by 255'):
        hausdorff_sweep(mask.astype(np.uint8), mask)
    with pytest.raises(ValueError, match=r'shape \(1, 3, 4\) of prob, got \(3, 4\)'):
        hausdorff_sweep(mask[None] * 0.5, mask)


@pytest.mark.slow
def test_a_thousand_realistic_and_adversarial_maps():
    """Ties of the percentile included: shapes whose contour lengths divide evenly."""
    rng = np.random.default_rng(9)
    for case in range(1000):
        shape = rng.integers(1, 90, 2)
        prob = np.zeros(shape, np.float32)
        target = np.zeros(shape, bool)
        for _ in range(rng.integers(1, 5)):
            top, left = (rng.integers(0, size) for size in shape)
            prob[top : top + rng.integers(1, 30), left : left + rng.integers(1, 30)] = rng.random()
            top, left = (rng.integers(0, size) for size in shape)
            target[top : top + rng.integers(1, 30), left : left + rng.integers(1, 9)] = True
        if case % 3 == 0:
            prob += 0.05 * rng.random(shape, np.float32)
        percentile = rng.choice([95, 90, 75, 50, 100])
        distances = hausdorff_sweep(prob, target, percentile=percentile)
        for threshold in rng.integers(0, 99, 4):
            pred = prob > surface.as_thresholds(None)[threshold]
            assert distances[threshold] == deepmind.robust_hausdorff(target, pred, percentile)


@settings(max_examples=30, deadline=None)
@given(mask=shapes().flatmap(lambda shape: arrays(bool, shape)))
def test_contour_length_is_that_of_both_paths(mask):
    """Element lengths of the plain path against those of the compiled one."""
    if mask.any():
        compiled, _ = _contour.contour_distances(mask, mask, (1.0, 1.0))
        np.testing.assert_allclose(
            np.sort(compiled.length), np.sort(_contour.find_contour(mask, (1.0, 1.0)).length)
        )
