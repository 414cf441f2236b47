"""The sweep by tensor operations against the compiled one, which other tests hold against peers."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.functional import hausdorff_sweep
from csbsr_mm.functional.surface.device_sweep import sweep_on_device


def batch(seed, images=3, height=33, width=41):
    """Probability maps from rough to smooth, and targets that resemble them."""
    rng = np.random.default_rng(seed)
    prob = np.stack(
        [
            cv2.GaussianBlur(rng.random((height, width)), (0, 0), sigma)
            for sigma in rng.uniform(0.5, 4, images)
        ]
    )
    low, high = prob.min((1, 2), keepdims=True), prob.max((1, 2), keepdims=True)
    prob = ((prob - low) / (high - low)).astype(np.float32)
    target = prob + 0.2 * rng.random(prob.shape) > rng.uniform(0.5, 1.1)
    return torch.from_numpy(prob), torch.from_numpy(target)


@given(
    seed=st.integers(0, 10**6), images=st.integers(1, 4), height=st.integers(1, 40), width=st.integers(1, 40)
)
@settings(max_examples=25, deadline=None)
def test_equals_the_compiled_sweep(seed, images, height, width):
    prob, target = batch(seed, images, height, width)
    expected = hausdorff_sweep(prob, target, percentile=(95, 50, 100))
    found = sweep_on_device(prob, target, percentile=(95, 50, 100))
    assert expected.shape == (images, 3, 99)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_empty_masks_and_unknown_pixels():
    prob, target = batch(1)
    target[0], prob[1], ignore = False, 0, torch.rand(prob.shape) < 0.2
    prob[2, :3] = torch.nan
    for empty in ('image_width', 'inf', 'nan', 7.0):
        expected = hausdorff_sweep(prob, target, empty=empty, ignore=ignore)
        found = sweep_on_device(prob, target, empty=empty, ignore=ignore)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_thresholds_in_any_order_and_spacing():
    prob, target = batch(2)
    expected = hausdorff_sweep(prob, target, [0.7, 0.2, 0.2, 1.5, -1], spacing=(0.5, 0.5))
    found = sweep_on_device(prob, target, [0.7, 0.2, 0.2, 1.5, -1], spacing=(0.5, 0.5))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_batch_is_its_images():
    prob, target = batch(3)
    expected = torch.stack([hausdorff_sweep(*images) for images in zip(prob, target, strict=True)])
    assert torch.equal(hausdorff_sweep(prob, target), expected)
    assert np.array_equal(hausdorff_sweep(prob.numpy(), target.numpy()), expected)


def test_sizes_must_agree():
    prob, target = batch(4)
    with pytest.raises(ValueError, match='must have the shape'):
        hausdorff_sweep(prob, target[:2])
    with pytest.raises(ValueError, match='one shape'):
        sweep_on_device(prob, target[:, :5])
