"""Agreement of centre lines at many thresholds: clDice, clIoU, crack length found and falsely found.

With P the predicted mask at a threshold, T the true one, S_P and S_T their centre lines and d the distance
between pixel centres::

    clDice     = 2 a b / (a + b),   a = |S_P and T| / |S_P|,   b = |S_T and P| / |S_T|
    clIoU(r)   = |{x in S_T : d(x, S_P) <= r}| / (|S_T| + |{x in S_P : d(x, S_T) > r}|)
    recall(r)  = |{x in S_T : d(x, P) <= r}| / |S_T|          share of the crack's length that is found
    false(r)   = |{x in S_P : d(x, T) > r}|                   length of what is no crack, in pixels

Lines are those of :func:`.skeletonize`, and their length is their number of pixels.

References:
    Shit et al., clDice - a novel topology-preserving loss function for tubular structure segmentation, 2021.
    Benz and Rodehorst, OmniCrack30k: a benchmark for crack segmentation, 2024 (clIoU with 4 pixels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csbsr_mm.functional._levels import as_thresholds, image_levels, image_mask, sorted_parts
from csbsr_mm.functional._numba import numba_kernels
from csbsr_mm.functional._tensors import ArrayOrTensor
from csbsr_mm.functional.tolerance import as_tolerances, count_found, disc, nearness_classes, ranks

from .skeleton import skeleton_of


class CenterlineCounts(NamedTuple):
    """Pixels of predicted and true centre lines, at every threshold.

    Attributes:
        predicted: (T,) length of the predicted lines.
        on_crack: (T,) or (R, T) how much of it is within the tolerance of the true mask.
        on_line: The same of the true line.
        true: Length of the true line.
        found: (T,) or (R, T) how much of it is within the tolerance of the predicted mask.
        line_found: The same of the predicted line.
    """

    predicted: NDArray[np.float64]
    on_crack: NDArray[np.float64]
    on_line: NDArray[np.float64]
    true: float
    found: NDArray[np.float64]
    line_found: NDArray[np.float64]


def centerline_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    tolerance: float | Sequence[float] = 0.0,
    ignore: ArrayOrTensor | None = None,
) -> CenterlineCounts:
    """Measure the centre lines of {prob > t} and the target against each other, for every threshold t.

    Args:
        prob: (H, W) floating-point probabilities; compared in float32, strictly.
        target: (H, W) mask, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        tolerance: Largest distance between pixel centres that counts as agreement; one or several (R,).
        ignore: (H, W) bool of pixels that are taken as background in both masks, or None.

    Returns:
        The lengths in pixels, as arrays.

    Raises:
        ValueError: If shapes differ, ``prob`` is of integers or a tolerance is negative.

    Example:
        >>> prob, target = np.zeros((7, 20)), np.zeros((7, 20), bool)
        >>> target[2:5, 2:18], prob[2:5, 2:10] = True, 0.8
        >>> counts = centerline_sweep(prob, target, [0.5])
        >>> counts.predicted, counts.on_crack, counts.true, counts.found
        (array([6.]), array([6.]), 14.0, array([7.]))
        >>> cl_dice(counts)
        array([0.66666667])
    """
    limits, tolerances = as_thresholds(thresholds), as_tolerances(tolerance)
    mask, known = image_mask(target, np.shape(prob), ignore)
    line = skeleton_of(mask)
    near_crack, near_line = nearness_classes(mask, tolerances), nearness_classes(line, tolerances)
    predicted = np.empty(len(limits))
    on_crack, on_line, found, line_found = np.empty((4, len(tolerances), len(limits)))
    for positions, ascending in sorted_parts(limits):
        levels = image_levels(prob, ascending, known)
        count = len(positions)
        predicted[positions], on_crack[:, positions], on_line[:, positions], line_found[:, positions] = (
            measure_lines(levels, count, near_crack, near_line, line, tolerances)
        )
        found[:, positions] = count_found(levels, line, tolerances, count)
    counts = CenterlineCounts(predicted, on_crack, on_line, float(line.sum()), found, line_found)
    if np.ndim(tolerance):
        return counts
    return counts._replace(on_crack=on_crack[0], on_line=on_line[0], found=found[0], line_found=line_found[0])


def cl_dice(counts: CenterlineCounts) -> NDArray[np.float64]:
    """Centre-line Dice of counts, with their tolerance; clDice as published for a tolerance of 0.

    Args:
        counts: Result of :func:`centerline_sweep`.

    Returns:
        In [0, 1], in the shape of ``counts.found``: 1 where no mask has a line, 0 where one has none.
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        precision, recall = counts.on_crack / counts.predicted, counts.found / counts.true
        dice = 2 * precision * recall / (precision + recall)
    return np.where((counts.predicted == 0) & (counts.true == 0), 1.0, np.nan_to_num(dice, nan=0.0))


def cl_iou(counts: CenterlineCounts) -> NDArray[np.float64]:
    """Intersection over union of centre lines, with the counts' tolerance.

    Args:
        counts: Result of :func:`centerline_sweep`.

    Returns:
        In [0, 1], in the shape of ``counts.line_found``; 1 where no mask has a line.
    """
    either = counts.true + counts.predicted - counts.on_line
    return np.where(either > 0, counts.line_found / np.maximum(either, 1), 1.0)


def measure_lines(
    levels: NDArray[np.uint8],
    count: int,
    near_crack: NDArray[np.uint8],
    near_line: NDArray[np.uint8],
    line: NDArray[np.bool_],
    tolerances: NDArray[np.float64],
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Lengths of the lines of {levels > j}, near the crack and near its line; and of the true line near them.

    Args:
        levels: (H, W) threshold levels.
        count: Number of levels ``j``.
        near_crack: (H, W) nearness classes of the true mask.
        near_line: (H, W) nearness classes of the true line.
        line: (H, W) true line.
        tolerances: (R,) in any order.

    Returns:
        (count,), (R, count), (R, count) and (R, count) numbers of pixels.
    """
    near = [classes <= rank for classes in (near_crack, near_line) for rank in range(len(tolerances))]
    kernels = numba_kernels('centerline._packed_numba')
    if kernels is not None:
        offsets, ends = disc(tuple(np.sort(tolerances).tolist()))
        masks = np.stack([kernels.pack(mask) for mask in near])
        length, inside, found = kernels.sweep(
            levels, count, masks, np.ascontiguousarray(np.argwhere(line)), offsets, ends
        )
    else:
        length, inside, found = _sweep_numpy(levels, count, np.stack(near), line, tolerances)
    order = ranks(tolerances)
    on_crack, on_line = inside.reshape(2, len(tolerances), count).astype(float)
    return length.astype(float), on_crack[order], on_line[order], found.astype(float)[order]


def _sweep_numpy(
    levels: NDArray[np.uint8],
    count: int,
    masks: NDArray[np.bool_],
    line: NDArray[np.bool_],
    tolerances: NDArray[np.float64],
) -> tuple[NDArray, NDArray, NDArray]:
    """As the compiled sweep, one threshold after the other."""
    length, inside = np.zeros(count), np.zeros((len(masks), count))
    found = np.zeros((len(tolerances), count))
    present = np.bincount(levels.ravel(), minlength=count + 1)
    for j in reversed(range(int(levels.max()))):
        if not present[j + 1]:
            length[j], inside[:, j], found[:, j] = length[j + 1], inside[:, j + 1], found[:, j + 1]
            continue
        lines = skeleton_of(levels > j)
        length[j] = lines.sum()
        inside[:, j] = (masks & lines).sum((1, 2))
        classes = nearness_classes(lines, tolerances)[line]
        found[:, j] = [(classes <= rank).sum() for rank in range(len(tolerances))]
    return length, inside, found
