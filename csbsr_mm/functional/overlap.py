"""Overlap of a probability map with a mask at many thresholds, in one pass over the pixels.

With |P_t| pixels above threshold t, |T| target pixels and |P_t ∩ T| in both::

    IoU(t) = (|P_t ∩ T| + smooth) / (|P_t| + |T| - |P_t ∩ T| + smooth)

All counts come from two histograms of how many thresholds each pixel exceeds, one on the target
and one off it: their sums from the top are |P_t ∩ T| and |P_t \\ T|. The cost does not depend on
the number of thresholds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._levels import as_mask, as_probabilities, as_thresholds, sorted_parts, threshold_levels
from ._numba import numba_kernels
from ._tensors import ArrayOrTensor, is_on_device, is_tensor

if TYPE_CHECKING:
    from torch import Tensor


def iou_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    smooth: float = 1e-5,
    ignore: ArrayOrTensor | None = None,
) -> ArrayOrTensor:
    """Intersection over union of {prob > t} and the target, for every threshold t.

    Args:
        prob: (H, W) floating-point probabilities; compared in float32, strictly.
        target: (H, W) mask, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        smooth: Added to both counts, so that two empty masks have IoU 1. With 0 they have NaN.
        ignore: (H, W) bool of pixels to leave out, or None.

    Returns:
        (T,) float64, an array or a tensor as ``prob`` is, on its device.

    Raises:
        ValueError: If shapes differ or ``prob`` is of integers.

    Equation:
        IoU = (|P ∩ T| + smooth) / (|P ∪ T| + smooth).

    Example:
        >>> prob, target = np.array([[0.2, 0.6, 0.9]]), np.array([[0, 0, 1]])
        >>> iou_sweep(prob, target, [0.1, 0.5, 0.7]).round(3)
        array([0.333, 0.5  , 1.   ])
    """
    both, either = overlap_sweep(prob, target, thresholds, ignore)
    if is_tensor(both):
        return (both + smooth) / (either + smooth)
    with np.errstate(invalid='ignore'):
        return (both + smooth) / (either + smooth)


def overlap_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    ignore: ArrayOrTensor | None = None,
) -> tuple[ArrayOrTensor, ArrayOrTensor]:
    """Number of pixels in both of {prob > t} and the target, and in either, for every threshold t.

    Args:
        prob: (H, W) floating-point probabilities; compared in float32, strictly.
        target: (H, W) mask, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        ignore: (H, W) bool of pixels to leave out, or None.

    Returns:
        Intersection and union, (T,) float64, arrays or tensors as ``prob`` is, on its device.

    Raises:
        ValueError: If shapes differ or ``prob`` is of integers.

    Example:
        >>> prob, target = np.array([[0.2, 0.6, 0.9]]), np.array([[0, 0, 1]])
        >>> overlap_sweep(prob, target, [0.1, 0.5])
        (array([1., 1.]), array([3., 2.]))
    """
    limits = as_thresholds(thresholds)
    if is_tensor(prob) and is_on_device(prob):
        return _counts_on_device(prob, target, limits, ignore)
    both, either = _counts(prob, target, limits, ignore)
    if is_tensor(prob):
        import torch

        return torch.from_numpy(both), torch.from_numpy(either)
    return both, either


def _counts(
    prob: ArrayOrTensor, target: ArrayOrTensor, thresholds: NDArray, ignore: ArrayOrTensor | None
) -> tuple[NDArray, NDArray]:
    """Pixels in both masks and in either, for each threshold."""
    probabilities = as_probabilities(prob)
    labels = as_mask(target, 'target', probabilities.shape).view(np.uint8)
    if ignore is not None:
        labels = np.where(as_mask(ignore, 'ignore', labels.shape), np.uint8(2), labels)
    both, either = np.empty(len(thresholds)), np.empty(len(thresholds))
    for positions, ascending in sorted_parts(thresholds):
        histogram = _histogram(threshold_levels(probabilities, ascending), labels)
        above = histogram[:, ::-1].cumsum(1)[:, ::-1][:, 1 : len(positions) + 1]
        both[positions] = above[1]
        either[positions] = above[0] + histogram[1].sum()
    return both, either


def _histogram(levels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(2, 256) number of pixels by label, 0 or 1, and level."""
    kernels = numba_kernels('_levels_numba')
    if kernels is not None:
        return kernels.count_levels(levels, labels)
    cells = np.bincount((labels.astype(np.int64) * 256 + levels).ravel(), minlength=3 * 256)
    return cells.reshape(3, 256)[:2]


def _counts_on_device(
    prob: Tensor, target: Tensor, thresholds: NDArray, ignore: Tensor | None
) -> tuple[Tensor, Tensor]:
    """As :func:`_counts`, with tensor operations where ``prob`` lives."""
    import torch

    if prob.ndim != 2 or prob.shape != target.shape:
        raise ValueError(f'prob and target must be of one shape (H, W), got {prob.shape} and {target.shape}')
    order = np.argsort(thresholds, kind='stable')
    ascending = torch.from_numpy(thresholds[order]).to(prob.device)
    count = len(order)
    levels = torch.bucketize(prob.float().nan_to_num(nan=-torch.inf), ascending)
    cells = torch.where(target != 0, levels + count + 1, levels)
    if ignore is not None:
        cells = cells[ignore == 0]
    histogram = torch.bincount(cells.flatten(), minlength=2 * count + 2).view(2, count + 1).double()
    above = histogram.flip(1).cumsum(1).flip(1)[:, 1:]
    position = torch.from_numpy(order).to(prob.device).argsort()
    return above[1][position], (above[0] + histogram[1].sum())[position]
