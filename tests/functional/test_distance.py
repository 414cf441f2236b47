"""Distance maps against brute force, the released implementation's figures and SciPy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from csbsr_mm.functional.distance import _torch, distance_to, maps, signed_distance

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'distance.npz')

masks = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(lambda shape: arrays(bool, shape))


def nearest(points, targets):
    """Distance in float64 of each point to the nearest target, pair by pair."""
    gaps = points[:, None].astype(float) - targets[None]
    return np.sqrt((gaps**2).sum(-1).min(1))


def brute_force(crack, background, normalize):
    """The definition, for one image: (D_out, signed map)."""
    to_crack, signed = np.zeros(crack.shape), np.zeros(crack.shape)
    pixels = np.argwhere(np.ones_like(crack))
    if crack.any():
        to_crack = nearest(pixels, np.argwhere(crack)).reshape(crack.shape)
    if crack.any() and background.any():
        inside = nearest(pixels, np.argwhere(background)).reshape(crack.shape) * crack
        outside = to_crack * background
        edge = inside == 1
        if normalize:
            outside, inside = outside / outside.max(), inside / inside.max()
        signed = np.where(edge, 0, outside - inside)
    return to_crack, signed


@pytest.fixture(params=['numba', 'scipy'])
def backend(request, monkeypatch):
    if request.param == 'scipy':
        monkeypatch.setattr(maps, 'numba_kernels', lambda name: None)


@pytest.mark.usefixtures('backend')
def test_golden_figures():
    gt = GOLDEN['gt']
    np.testing.assert_allclose(distance_to(gt), GOLDEN['gt_distance'], rtol=1e-6)
    np.testing.assert_allclose(signed_distance(gt), GOLDEN['sdf_normalised'], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(signed_distance(gt, False), GOLDEN['sdf_pixels'], rtol=1e-6)


@settings(max_examples=150, deadline=None)
@given(mask=masks, normalize=st.booleans(), data=st.data())
def test_equals_the_definition_on_every_path(mask, normalize, data):
    ignore = data.draw(arrays(bool, mask.shape))
    background = ~mask & ~ignore
    expected, _ = brute_force(mask, background, normalize)
    np.testing.assert_allclose(distance_to(mask), expected, rtol=1e-6)
    _, expected = brute_force(mask & ~ignore, background, normalize)
    actual = signed_distance(mask, normalize, ignore)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)
    crack = torch.from_numpy(mask & ~ignore)[None]
    on_device = _torch.signed_distance(crack, torch.from_numpy(background)[None], normalize)
    np.testing.assert_array_equal(on_device[0].numpy(), actual)


@pytest.mark.parametrize('density', [0.0005, 0.02, 0.5, 0.97])
@pytest.mark.parametrize('shape', [(70, 131), (200, 33)])
def test_paths_agree_to_the_bit(density, shape, monkeypatch):
    mask = np.random.default_rng(3).random((3, *shape)) < density
    mask[0, 40:] = False
    compiled = distance_to(mask), signed_distance(mask), signed_distance(mask, normalize=False)
    monkeypatch.setattr(maps, 'numba_kernels', lambda name: None)
    plain = distance_to(mask), signed_distance(mask), signed_distance(mask, normalize=False)
    crack = torch.from_numpy(mask)
    monkeypatch.setattr(_torch, '_CHUNK_ELEMENTS', 3 * mask.size)
    tensors = (
        _torch.distance_to(crack),
        _torch.signed_distance(crack, ~crack, True),
        _torch.signed_distance(crack, ~crack, False),
    )
    for first, second, third in zip(compiled, plain, tensors, strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third.numpy())


@pytest.mark.usefixtures('backend')
def test_one_sided_masks_are_zero_everywhere():
    no_crack, all_crack = np.zeros((5, 7), bool), np.ones((5, 7), bool)
    for mask in (no_crack, all_crack):
        for normalize in (True, False):
            assert not signed_distance(mask, normalize).any()
        assert not distance_to(mask).any()
    half_known = np.zeros((5, 7), bool)
    half_known[:, 3:] = True
    assert not signed_distance(half_known, ignore=~half_known).any()
    on_device = _torch.distance_to(torch.from_numpy(no_crack)[None])
    assert not on_device.any()


@pytest.mark.usefixtures('backend')
def test_ignored_pixels_change_nothing():
    rng = np.random.default_rng(0)
    mask = rng.random((2, 20, 30)) < 0.2
    padded = np.pad(mask, ((0, 0), (3, 5), (2, 9)))
    ignore = np.pad(np.zeros_like(mask), ((0, 0), (3, 5), (2, 9)), constant_values=True)
    garbage = padded ^ (ignore & (rng.random(ignore.shape) < 0.5))
    actual = signed_distance(garbage, ignore=ignore)
    np.testing.assert_array_equal(actual[:, 3:-5, 2:-9], signed_distance(mask))
    assert not actual[ignore].any()


def test_sides_beyond_sixteen_bits():
    mask = np.zeros((2, 70_000), bool)
    mask[0, [5, 69_990]] = True
    np.testing.assert_array_equal(distance_to(mask), distance_transform_edt(~mask).astype(np.float32))
    np.testing.assert_array_equal(distance_to(mask.T), distance_transform_edt(~mask.T).astype(np.float32))


def test_tensors_keep_kind_and_shape():
    labels = torch.zeros(2, 1, 9, 8, dtype=torch.int64)
    labels[0, 0, 4, 2:5] = 1
    for actual in (distance_to(labels), signed_distance(labels, ignore=labels > 1)):
        assert actual.shape == labels.shape
        assert actual.dtype == torch.float32
    expected = signed_distance(labels.numpy())
    np.testing.assert_array_equal(signed_distance(labels).numpy(), expected)
    assert signed_distance(labels.numpy()[..., ::2, :].swapaxes(0, 2)).shape == (5, 1, 2, 8)


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match=r'\(7,\).*\(\.\.\., H, W\)'):
        distance_to(np.zeros(7))
    with pytest.raises(ValueError, match='ignore has shape'):
        signed_distance(np.zeros((3, 4)), ignore=np.zeros((4, 3), bool))


def test_crack_that_fills_whole_columns():
    """A column without background is no background at distance H: the nearest lies beside it."""
    mask = np.zeros((2, 40), bool)
    mask[:, 10:30] = True
    inside = signed_distance(mask, normalize=False)[0, 10:30]
    expected = -np.minimum(np.arange(1, 21), np.arange(20, 0, -1)).astype(float)
    expected[[0, -1]] = 0
    assert np.array_equal(inside, expected)
