"""How close an image comes to its original: PSNR and SSIM, one value per image.

Both are those of the paper's code: no rounding to 8 bits, no cropping of borders, all channels alike.
"""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F

Array = TypeVar('Array', np.ndarray, torch.Tensor)

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


def psnr(image: Array, reference: Array, peak: float = 1.0) -> Array:
    """Peak signal-to-noise ratio in dB of each image.

    Args:
        image: (B, C, H, W), or one image (C, H, W); values in [0, ``peak``].
        reference: The original, of the same shape.
        peak: Largest possible value.

    Returns:
        (B,) values, or one number for one image, of the input's kind; infinite for equal images.

    Raises:
        ValueError: Shapes differ.

    Equation:
        PSNR = 10 log10(peak² / mean (image - reference)²)

    Example:
        >>> float(psnr(np.full((3, 8, 8), 0.6), np.full((3, 8, 8), 0.5)).round(6))
        20.0
    """
    x, y = _batches(image, reference)
    error = (x - y).square().flatten(1).mean(1)
    return _like(image, 10 * torch.log10(peak**2 / error))


def ssim(image: Array, reference: Array, peak: float = 1.0) -> Array:
    """Structural similarity of each image.

    Args:
        image: (B, C, H, W), or one image (C, H, W); values in [0, ``peak``].
        reference: The original, of the same shape.
        peak: Largest possible value.

    Returns:
        (B,) values in [-1, 1], or one number for one image, of the input's kind.

    Raises:
        ValueError: Shapes differ.

    Equation:
        SSIM = mean (2μxμy + C1)(2σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)) over channels and
        pixels; an 11x11 Gaussian window with σ = 1.5, ZERO padding, biased variances,
        C1 = (0.01 peak)², C2 = (0.03 peak)².

    Example:
        >>> photo = np.random.default_rng(0).random((3, 16, 16))
        >>> float(ssim(photo, photo).round(6))
        1.0
    """
    x, y = _batches(image, reference)
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mu_x, mu_y, xx, yy, xy = _window_means(torch.cat([x, y, x * x, y * y, x * y])).chunk(5)
    numerator = (2 * mu_x * mu_y + c1) * (2 * (xy - mu_x * mu_y) + c2)
    var_x, var_y = xx - mu_x.square(), yy - mu_y.square()
    denominator = (mu_x.square() + mu_y.square() + c1) * (var_x + var_y + c2)
    return _like(image, (numerator / denominator).flatten(1).mean(1))


def _window_means(batch: torch.Tensor) -> torch.Tensor:
    """Gaussian-weighted mean around each pixel, zeros beyond the border."""
    offsets = torch.arange(SSIM_WINDOW, dtype=batch.dtype, device=batch.device) - SSIM_WINDOW // 2
    window = torch.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    window = window / window.sum()
    planes = batch.flatten(0, 1)[:, None]
    planes = F.conv2d(planes, window.view(1, 1, 1, -1), padding=(0, SSIM_WINDOW // 2))
    planes = F.conv2d(planes, window.view(1, 1, -1, 1), padding=(SSIM_WINDOW // 2, 0))
    return planes.view_as(batch)


def _batches(image: Array, reference: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Both as batches (B, C, H, W) of one precision, single at least."""
    if image.shape != reference.shape or image.ndim not in (3, 4):
        raise ValueError(
            'image and reference must both be (C, H, W) or (B, C, H, W), got '
            f'{tuple(image.shape)} and {tuple(reference.shape)}'
        )
    x: torch.Tensor = torch.as_tensor(image)
    y: torch.Tensor = torch.as_tensor(reference)
    dtype = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
    shape = (-1, *x.shape[-3:])
    return x.to(dtype).reshape(shape), y.to(dtype).reshape(shape)


def _like(image: Array, values: torch.Tensor) -> Array:
    """Values (B,) in the form of the input: its kind of array, one number for one image."""
    values = values[0] if image.ndim == 3 else values
    return cast(Array, values if isinstance(image, torch.Tensor) else values.numpy()[()])
