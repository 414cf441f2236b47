"""Kernel vectors against SciPy and scikit-image style definitions."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from csbsr_mm.models.sr.blur_kernel import blur_and_sample, normalize_kernel, resize_kernel


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
    total = normalize_kernel(resize_kernel(kernel, 7, 21)).sum(1)
    assert total.dtype == torch.float32
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-6)
    with torch.autocast('cpu', torch.bfloat16):
        blurred = blur_and_sample(torch.rand(2, 3, 8, 8), normalize_kernel(kernel), 4)
    assert blurred.dtype == torch.float32


def test_resizing_keeps_a_constant_kernel_and_the_same_size() -> None:
    kernel = torch.full((1, 49, 1, 1), 0.25, dtype=torch.float64)
    assert resize_kernel(kernel, 7, 7) is kernel
    torch.testing.assert_close(resize_kernel(kernel, 7, 21), torch.full((1, 441, 1, 1), 0.25).double())


def test_ordinary_kernels_are_divided_and_nothing_else() -> None:
    for dtype in (torch.float32, torch.float64):
        kernel = torch.randn(50, 441, 1, 1, dtype=dtype, generator=torch.Generator().manual_seed(0))
        assert torch.equal(normalize_kernel(kernel), kernel / kernel.sum(1, keepdim=True))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_a_sum_lost_in_rounding_is_no_blur(dtype: torch.dtype) -> None:
    """Zero, cancelling and subnormal vectors, beside one that only comes near."""
    ramp = torch.arange(9, dtype=dtype) - 4
    near = torch.where(ramp == 0, 1000 * torch.finfo(dtype).eps, ramp)
    kernel = torch.stack([0 * ramp, ramp, 1e30 * ramp, 0 * ramp + torch.finfo(dtype).tiny / 100, near])
    kernel = kernel.reshape(5, 9, 1, 1).requires_grad_()
    normed = normalize_kernel(kernel)
    no_blur = torch.eye(3, dtype=dtype)[1].outer(torch.eye(3, dtype=dtype)[1]).reshape(9, 1, 1)
    for index in range(4):
        assert torch.equal(normed[index], no_blur)
    assert torch.equal(normed[4], kernel[4] / kernel[4].sum())
    normed[:, 0].sum().backward()
    assert kernel.grad.isfinite().all()
    assert not kernel.grad[:4].any()
    assert kernel.grad[4].any()


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_what_is_not_finite_stays_so(value: float) -> None:
    kernel = torch.ones(1, 9, 1, 1)
    kernel[0, 3] = value
    assert normalize_kernel(kernel).isnan().any()
