"""Calibration of probabilities: expected calibration error and Brier score.

With p(x) the crack probability of pixel x, y(x) in {0, 1} its label, and bins B_k of equal width in p::

    ECE   = sum over k of |B_k| / N * | mean of p over B_k - mean of y over B_k |
    Brier = mean over x of (p(x) - y(x))^2

References:
    Guo et al., On calibration of modern neural networks, 2017 (ECE; here of the crack's probability).
    Brier, Verification of forecasts expressed in terms of probability, 1950.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._levels import as_mask, as_probabilities
from ._numba import numba_kernels
from ._tensors import ArrayOrTensor

BINS = 15


class CalibrationCounts(NamedTuple):
    """Sums over the pixels of one image; sums of several images add up.

    Attributes:
        pixels: (B,) number of pixels in each bin.
        cracks: (B,) number of true crack pixels among them.
        confidence: (B,) sum of their probabilities.
        squared_error: Sum of all squared differences between probability and label.
    """

    pixels: NDArray[np.float64]
    cracks: NDArray[np.float64]
    confidence: NDArray[np.float64]
    squared_error: float


def calibration_counts(
    prob: ArrayOrTensor, target: ArrayOrTensor, bins: int = BINS, ignore: ArrayOrTensor | None = None
) -> CalibrationCounts:
    """Sum probabilities and labels in bins of equal width.

    Args:
        prob: (H, W) floating-point probabilities in [0, 1].
        target: (H, W) mask, non-zero = crack.
        bins: Number of bins; the last one includes 1.
        ignore: (H, W) bool of pixels to leave out, or None.

    Returns:
        The sums.

    Raises:
        ValueError: If shapes differ, or a probability outside of ``ignore`` is not in [0, 1].

    Example:
        >>> counts = calibration_counts(np.array([[0.1, 0.3, 0.9]]), np.array([[0, 1, 1]]), bins=2)
        >>> counts.pixels, counts.cracks
        (array([2., 1.]), array([1., 1.]))
        >>> round(expected_calibration_error(counts), 4), round(brier_score(counts), 4)
        (0.2333, 0.17)
    """
    if bins < 1:
        raise ValueError(f'bins must be at least 1, got {bins}')
    probabilities = as_probabilities(prob)
    labels = as_mask(target, 'target', probabilities.shape)
    if ignore is not None:
        known = ~as_mask(ignore, 'ignore', labels.shape)
        probabilities, labels = probabilities[known][None], labels[known][None]
    if probabilities.size and not (probabilities.min() >= 0 and probabilities.max() <= 1):
        raise ValueError(
            f'prob must be in [0, 1], got {probabilities.min():.3g} to {probabilities.max():.3g}; '
            'apply the sigmoid or the softmax to logits'
        )
    kernels = numba_kernels('_calibration_numba')
    if kernels is not None:
        return CalibrationCounts(*kernels.bin_sums(probabilities, labels, bins))
    values = probabilities.ravel().astype(float)
    bin_of = np.minimum((values * bins).astype(np.int64), bins - 1)
    truth = labels.ravel().astype(float)
    return CalibrationCounts(
        pixels=np.bincount(bin_of, minlength=bins).astype(float),
        cracks=np.bincount(bin_of, truth, bins).astype(float),
        confidence=np.bincount(bin_of, values, bins).astype(float),
        squared_error=float(np.square(values - truth).sum()),
    )


def expected_calibration_error(counts: CalibrationCounts) -> float:
    """Mean difference between probability and share of cracks, in [0, 1]; NaN without pixels."""
    return float(np.abs(counts.confidence - counts.cracks).sum() / _number(counts))


def brier_score(counts: CalibrationCounts) -> float:
    """Mean squared difference between probability and label, in [0, 1]; NaN without pixels."""
    return counts.squared_error / _number(counts)


def _number(counts: CalibrationCounts) -> float:
    return float(counts.pixels.sum()) or float('nan')
