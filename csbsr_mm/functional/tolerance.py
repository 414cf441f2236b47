"""Precision and recall of a probability map with a tolerance in pixels, at many thresholds in one pass.

With P the predicted pixels at a threshold, T the true ones and d the distance between pixel centres, a pixel
counts as right if the other mask has a pixel within the tolerance r::

    precision = |{x in P : d(x, T) <= r}| / |P|         recall = |{x in T : d(x, P) <= r}| / |T|

One distance map to T and one disc around each pixel of T serve all thresholds, and histograms of threshold
levels give all counts.

Pixels are not paired one to one, as BSDS pairs thinned edges: several predicted pixels may match one true
pixel.

Reference:
    Shi et al., Automatic road crack detection using random structured forests, 2016 (within 5 pixels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._levels import as_thresholds, image_levels, image_mask, sorted_parts
from ._numba import numba_kernels
from ._tensors import ArrayOrTensor, is_on_device, is_tensor
from .distance import distance_to

if TYPE_CHECKING:
    from torch import Tensor


class ToleranceCounts(NamedTuple):
    """Pixels that agree within a tolerance, at every threshold.

    Attributes:
        predicted: (T,) number of predicted pixels.
        correct: (T,) or (R, T) number of them within the tolerance of a true pixel.
        true: Number of true pixels.
        found: (T,) or (R, T) number of them within the tolerance of a predicted pixel.
    """

    predicted: NDArray[np.float64]
    correct: NDArray[np.float64]
    true: float
    found: NDArray[np.float64]


def tolerance_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    tolerance: float | Sequence[float] = 2.0,
    ignore: ArrayOrTensor | None = None,
) -> ToleranceCounts:
    """Count predicted and true pixels, and those within a tolerance of each other, for every threshold.

    Tensors on an accelerator are counted there, with equal results; only the counts travel.

    Args:
        prob: (H, W) floating-point probabilities; compared in float32, strictly.
        target: (H, W) mask, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        tolerance: Largest distance between pixel centres that counts as agreement; one or several (R,).
        ignore: (H, W) bool of pixels that are taken as background in both masks, or None.

    Returns:
        The counts, as arrays.

    Raises:
        ValueError: If shapes differ, ``prob`` is of integers or a tolerance is negative.

    Example:
        >>> prob, target = np.zeros((1, 6)), np.array([[0, 1, 1, 0, 0, 0]])
        >>> prob[0, 2:4], prob[0, 5] = 0.9, 0.4
        >>> counts = tolerance_sweep(prob, target, [0.1, 0.5], tolerance=1)
        >>> counts.correct / counts.predicted, counts.found / counts.true
        (array([0.66666667, 1.        ]), array([1., 1.]))
    """
    limits, tolerances = as_thresholds(thresholds), as_tolerances(tolerance)
    if is_tensor(prob) and is_on_device(prob):
        return _sweep_on_device(prob, target, limits, tolerances, ignore, np.ndim(tolerance) == 0)
    mask, known = image_mask(target, np.shape(prob), ignore)
    predicted = np.empty(len(limits))
    correct, found = np.empty((len(tolerances), len(limits))), np.empty((len(tolerances), len(limits)))
    nearness = nearness_classes(mask, tolerances)
    for positions, ascending in sorted_parts(limits):
        levels = image_levels(prob, ascending, known)
        predicted[positions], correct[:, positions] = count_near(levels, nearness, tolerances, len(positions))
        found[:, positions] = count_found(levels, mask, tolerances, len(positions))
    if not np.ndim(tolerance):
        correct, found = correct[0], found[0]
    return ToleranceCounts(predicted, correct, float(np.count_nonzero(mask)), found)


def _sweep_on_device(
    prob: Tensor,
    target: Tensor,
    limits: NDArray[np.float32],
    tolerances: NDArray[np.float64],
    ignore: Tensor | None,
    is_one: bool,
) -> ToleranceCounts:
    """:func:`tolerance_sweep` of a tensor on an accelerator; the maps stay there."""
    from ._tolerance_torch import counts_on_device

    if not prob.is_floating_point():
        raise ValueError(f'prob must be floating-point probabilities, got {prob.dtype}')
    if prob.ndim != 2 or prob.shape != target.shape:
        raise ValueError(f'prob and target must be of one shape (H, W), got {prob.shape} and {target.shape}')
    squared = [squared_limit(value) for value in tolerances]
    hidden = None if ignore is None else ignore != 0
    predicted, correct, true, found = counts_on_device(prob, target != 0, limits, squared, hidden)
    if is_one:
        correct, found = correct[0], found[0]
    return ToleranceCounts(predicted, correct, float(true), found)


def as_tolerances(tolerance: float | Sequence[float]) -> NDArray[np.float64]:
    """The tolerances as an array, checked."""
    values = np.atleast_1d(np.asarray(tolerance, float))
    if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f'tolerance must be one or several numbers >= 0, in pixels, got {tolerance!r}')
    return values


def squared_limit(tolerance: float) -> int:
    """The largest squared distance between pixel centres within a tolerance."""
    return int(np.floor(tolerance**2 + 1e-9))


def nearness_classes(mask: NDArray[np.bool_], tolerances: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(H, W) how many of the tolerances each pixel exceeds with its distance to the mask.

    Without a mask every pixel exceeds all.
    """
    if not mask.any():
        return np.full(mask.shape, len(tolerances), np.uint8)
    # Both sides are float32 roots of integers, so that equal distances compare as equal.
    ascending = np.sort(np.sqrt(np.array([squared_limit(t) for t in tolerances], np.float32)))
    distance = distance_to(mask)
    kernels = numba_kernels('_tolerance_numba')
    if kernels is not None:
        return kernels.count_exceeded(distance, ascending)
    return np.searchsorted(ascending, distance).astype(np.uint8)


def count_near(
    levels: NDArray[np.uint8], nearness: NDArray[np.uint8], tolerances: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(count,) pixels of {levels > j}, and (R, count) those within each tolerance, for j < count."""
    kernels = numba_kernels('_tolerance_numba')
    classes = len(tolerances) + 1
    if kernels is not None:
        histogram = kernels.class_histogram(levels, nearness, classes)
    else:
        cells = np.bincount((nearness.astype(np.int64) * 256 + levels).ravel(), minlength=classes * 256)
        histogram = cells.reshape(classes, 256)
    above = above_each(histogram, count)
    return above.sum(0), above[:-1].cumsum(0)[ranks(tolerances)]


def count_found(
    levels: NDArray[np.uint8], mask: NDArray[np.bool_], tolerances: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """(R, count) pixels of the mask that have one of {levels > j} within each tolerance, for j < count."""
    order = np.sort(tolerances)
    kernels = numba_kernels('_tolerance_numba')
    if kernels is not None:
        offsets, ends = disc(tuple(order.tolist()))
        rows, columns = np.nonzero(mask)
        histogram = kernels.highest_around(levels, rows, columns, offsets, ends)
    else:
        histogram = np.stack([_highest_around(levels, mask, tolerance) for tolerance in order])
    return above_each(histogram, count)[ranks(tolerances)]


def above_each(histogram: NDArray[np.integer], count: int) -> NDArray[np.float64]:
    """(..., count) how many exceed each level j < count, from (..., 256) numbers of each level."""
    return histogram[..., ::-1].cumsum(-1)[..., ::-1][..., 1 : count + 1].astype(float)


def ranks(tolerances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of each tolerance among the sorted ones."""
    return np.argsort(np.argsort(tolerances, kind='stable'), kind='stable')


def disc(ascending: tuple[float, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N, 2) offsets within the largest tolerance, nearest first, and (R,) how many lie within each."""
    radius = int(ascending[-1])
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    squared = rows**2 + columns**2
    order = np.argsort(squared, kind='stable')
    ends = np.searchsorted(squared[order], [squared_limit(t) for t in ascending], side='right')
    return np.ascontiguousarray(np.stack([rows, columns], 1)[order][: ends[-1]]), ends.astype(np.int64)


def _highest_around(
    levels: NDArray[np.uint8], mask: NDArray[np.bool_], tolerance: float
) -> NDArray[np.int64]:
    """(256,) numbers of mask pixels by the highest level within a tolerance, without Numba."""
    from scipy.ndimage import grey_dilation

    radius = int(tolerance)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    footprint = rows**2 + columns**2 <= squared_limit(tolerance)
    highest = grey_dilation(levels, footprint=footprint, mode='constant')
    return np.bincount(highest[mask], minlength=256)
