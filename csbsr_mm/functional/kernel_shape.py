"""Size, elongation and direction of blur kernels, and the score of one constant guess."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .degradation import anisotropic_gaussian_kernel

CLEARLY_ELONGATED = 1.5
"""Ratio of the axes from which on a kernel has a direction worth comparing."""
WIDTHS = np.linspace(0.2, 8.0, 157)
"""Standard deviations that :func:`best_constant` tries, in pixels."""


class KernelShape(NamedTuple):
    """Second moments of kernels (...), each field of that shape.

    Attributes:
        size: Standard deviation in pixels: root of the mean of the variances along both axes.
        elongation: Standard deviation along the long axis over that along the short one; infinite for a line.
        angle: Direction of the long axis in radians, in [0, π), counter-clockwise on the screen.
    """

    size: NDArray[np.float64]
    elongation: NDArray[np.float64]
    angle: NDArray[np.float64]


def kernel_shape(kernel: ArrayLike) -> KernelShape:
    """Shape of blur kernels from their second moments about their centroids.

    Negative entries, which an estimate may have, count as zero. A kernel without weight has an infinite size.

    Args:
        kernel: (..., K, K).

    Returns:
        Size, elongation and angle, each (...).

    Example:
        >>> shape = kernel_shape(anisotropic_gaussian_kernel(3.0, 1.0, 0.5))
        >>> [round(float(value), 2) for value in shape]
        [2.23, 3.0, 0.5]
    """
    weight = np.clip(np.asarray(kernel, np.float64), 0, None)
    total = weight.sum((-2, -1), keepdims=True)
    weight = weight / np.where(total > 0, total, 1)
    # Rows grow downwards and angles go up.
    x, y = np.arange(weight.shape[-1], dtype=float), -np.arange(weight.shape[-2], dtype=float)[:, None]
    mean_x, mean_y = ((weight * axis).sum((-2, -1), keepdims=True) for axis in (x, y))
    x, y = x - mean_x, y - mean_y
    xx, yy, xy = ((weight * product).sum((-2, -1)) for product in (x * x, y * y, x * y))
    size = np.where(total[..., 0, 0] > 0, np.sqrt((xx + yy) / 2), np.inf)
    half, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    with np.errstate(divide='ignore', invalid='ignore'):
        elongation = np.sqrt((half + spread) / np.maximum(half - spread, 0))
    elongation = np.where(half > 0, elongation, 1.0)
    return KernelShape(size, elongation, 0.5 * np.arctan2(2 * xy, xx - yy) % np.pi)


class KernelAgreement(NamedTuple):
    """How well the shapes of estimated kernels agree with those of the true ones.

    Attributes:
        size_r2: 1 - sum of squared errors of the size over that of the true sizes' mean: 1 is perfect, 0 what
            a constant reaches, and there is no lower limit. NaN if all true sizes are equal.
        size_error: Mean absolute error of the size in pixels.
        angle_error: Mean angle between the long axes in degrees, 45 for a random direction, over the true
            kernels at least 1.5 times as long as wide. NaN if there are none.
    """

    size_r2: float
    size_error: float
    angle_error: float


def compare_shapes(estimated: KernelShape, true: KernelShape) -> KernelAgreement:
    """Compare the shapes (N,) of estimated kernels with those of the true ones.

    Example:
        >>> true = kernel_shape(anisotropic_gaussian_kernel(np.array([1.0, 3.0]), 1.0, 0.0))
        >>> agreement = compare_shapes(true._replace(angle=true.angle + 0.1), true)
        >>> [round(value, 2) for value in agreement]
        [1.0, 0.0, 5.73]
    """
    error = estimated.size - true.size
    spread = np.square(true.size - true.size.mean()).sum()
    with np.errstate(divide='ignore', invalid='ignore'):
        r2 = 1 - np.square(error).sum() / spread if spread > 1e-12 * len(error) else np.nan
    directed = true.elongation >= CLEARLY_ELONGATED
    turn = np.abs(estimated.angle - true.angle) % np.pi
    turn = np.degrees(np.minimum(turn, np.pi - turn))[directed]
    return KernelAgreement(
        float(r2), float(np.abs(error).mean()), float(turn.mean()) if len(turn) else float('nan')
    )


def kernel_psnr(estimated: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """PSNR in dB, peak 1, of kernels (..., K, K), clipped to [0, 1]; infinite for equal ones.

    Example:
        >>> float(kernel_psnr(np.full((3, 3), 0.2), np.full((3, 3), 0.1)).round(6))
        20.0
    """
    error = np.clip(np.asarray(estimated, np.float64), 0, 1) - np.clip(np.asarray(true, np.float64), 0, 1)
    with np.errstate(divide='ignore'):
        return -10 * np.log10(np.square(error).mean((-2, -1)))


def best_constant(true: ArrayLike) -> tuple[float, float]:
    """The round Gaussian that comes closest to all kernels: the baseline of an estimate without an image.

    Args:
        true: True kernels (N, K, K), K odd.

    Returns:
        Its standard deviation in pixels, and its mean PSNR in dB.

    Example:
        >>> narrow_and_wide = anisotropic_gaussian_kernel(np.array([1.0, 3.0]), np.array([2.0, 4.0]), 0.0)
        >>> [round(value, 1) for value in best_constant(narrow_and_wide)]
        [3.4, 53.8]
    """
    kernels = np.asarray(true, np.float64)
    guesses = anisotropic_gaussian_kernel(WIDTHS, WIDTHS, np.zeros_like(WIDTHS), kernels.shape[-1])
    # The score of a kernel that equals the guess is limited to 200 dB, so that the mean stays finite.
    scores = [float(np.minimum(kernel_psnr(guess, kernels), 200).mean()) for guess in guesses]
    best = int(np.argmax(scores))
    return float(WIDTHS[best]), scores[best]
