"""Kernel vectors against SciPy and scikit-image style definitions."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from csbsr_mm.models.sr.blur_kernel import blur_and_sample, resize_kernel, unit_sum


@pytest.mark.parametrize('method', ['grouped', 'unfold'])
@pytest.mark.parametrize(('size', 'scale'), [((4, 4), 4), ((12, 20), 4), ((10, 6), 2), ((8, 16), 8)])
def test_blur_and_sample_is_scipys_correlation(method: str, size: tuple[int, int], scale: int) -> None:
    rng = np.random.default_rng(0)
    images, kernels = rng.random((2, 3, *size)), rng.random((2, 7, 7))
    got = blur_and_sample(
        torch.from_numpy(images), torch.from_numpy(kernels).reshape(2, 49, 1, 1), scale, method
    )
    for image, kernel, blurred in zip(images, kernels, got.numpy(), strict=True):
        for channel, expected in zip(image, blurred, strict=True):
            whole = correlate2d(channel, kernel, mode='same')
            np.testing.assert_allclose(whole[::scale, ::scale], expected, atol=1e-13)


def test_half_precision_is_left_at_once() -> None:
    kernel = torch.rand(2, 49, 1, 1).to(torch.bfloat16)
    total = unit_sum(resize_kernel(kernel, 7, 21)).sum(1)
    assert total.dtype == torch.float32
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-6)
    with torch.autocast('cpu', torch.bfloat16):
        blurred = blur_and_sample(torch.rand(2, 3, 8, 8), unit_sum(kernel), 4)
    assert blurred.dtype == torch.float32


def test_resizing_keeps_a_constant_kernel_and_the_same_size() -> None:
    kernel = torch.full((1, 49, 1, 1), 0.25, dtype=torch.float64)
    assert resize_kernel(kernel, 7, 7) is kernel
    torch.testing.assert_close(resize_kernel(kernel, 7, 21), torch.full((1, 441, 1, 1), 0.25).double())
