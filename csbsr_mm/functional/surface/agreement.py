"""How much of two contours agrees within a tolerance, at all thresholds: surface Dice and boundary F1.

With S, S' the contours of the predicted and the true mask, d(x, S') the distance of a contour element to the
nearest one of S' and w(x) its length (``_contour`` draws the elements), r a tolerance::

    P = length of S within r of S' / length of S        R = length of S' within r of S / length of S'
    surface Dice  = (both lengths within) / (both lengths)
    boundary F1   = 2 P R / (P + R)

The surface Dice at a threshold is :func:`.distances.surface_dice`, that of DeepMind's surface-distance.

References:
    Nikolov et al., Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
    radiotherapy, 2018 (surface Dice).
    Csurka et al., What is a good evaluation measure for semantic segmentation?, 2013 (boundary F1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csbsr_mm.functional._levels import as_thresholds, image_levels, image_mask, sorted_parts
from csbsr_mm.functional._tensors import ArrayOrTensor
from csbsr_mm.functional.tolerance import as_tolerances, disc, nearness_classes, ranks

from ._contour import Spacing, compiled, distance_grid, find_contour, framed, nearest_distances
from .distances import as_spacing


class SurfaceCounts(NamedTuple):
    """Lengths of contours that agree within a tolerance, at every threshold.

    Attributes:
        predicted: (T,) length of the predicted contour.
        predicted_within: (T,) or (R, T) how much of it is within the tolerance of the true contour.
        true: Length of the true contour.
        true_within: (T,) or (R, T) how much of it is within the tolerance of the predicted contour.
    """

    predicted: NDArray[np.float64]
    predicted_within: NDArray[np.float64]
    true: float
    true_within: NDArray[np.float64]


def surface_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    tolerance: float | Sequence[float] = 2.0,
    spacing: Spacing = (1.0, 1.0),
    ignore: ArrayOrTensor | None = None,
) -> SurfaceCounts:
    """Measure how much of the contours of {prob > t} and of the target agrees, for every threshold t.

    Args:
        prob: (H, W) floating-point probabilities; compared in float32, strictly.
        target: (H, W) mask, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        tolerance: Largest distance that counts as agreement, in units of ``spacing``; one or several (R,).
        spacing: Size of a pixel along (rows, columns); the fast path needs both equal.
        ignore: (H, W) bool of pixels that are taken as background in both masks, or None.

    Returns:
        The lengths in units of ``spacing``, as arrays.

    Raises:
        ValueError: If shapes differ, ``prob`` is of integers or an argument is out of range.

    Example:
        >>> prob, target = np.zeros((8, 8), np.float32), np.zeros((8, 8), bool)
        >>> prob[2:4, 2:4], target[2:4, 3:5] = 0.9, True
        >>> normalized_surface_dice(surface_sweep(prob, target, [0.5, 0.95], tolerance=1))
        array([1., 0.])
    """
    limits, tolerances, spacing = as_thresholds(thresholds), as_tolerances(tolerance), as_spacing(spacing)
    mask, known = image_mask(target, np.shape(prob), ignore)
    predicted = np.empty(len(limits))
    predicted_within, true_within = np.empty((2, len(tolerances), len(limits)))
    for positions, ascending in sorted_parts(limits):
        levels = image_levels(prob, ascending, known, margin=1)
        part = measure_contours(levels, len(positions), mask, tolerances, spacing)
        predicted[positions], predicted_within[:, positions], true_within[:, positions] = part
    true = float(find_contour(mask, spacing).length.sum())
    if not np.ndim(tolerance):
        return SurfaceCounts(predicted, predicted_within[0], true, true_within[0])
    return SurfaceCounts(predicted, predicted_within, true, true_within)


def normalized_surface_dice(counts: SurfaceCounts) -> NDArray[np.float64]:
    """Share of both contours together that is within the tolerance of the other.

    Args:
        counts: Result of :func:`surface_sweep`.

    Returns:
        In [0, 1], in the shape of ``counts.true_within``; 1 where both masks are empty.
    """
    whole = counts.predicted + counts.true
    within = counts.predicted_within + counts.true_within
    # Both lengths are sums in different orders, so that their quotient may exceed 1 by rounding.
    return np.where(whole > 0, np.minimum(within / np.where(whole > 0, whole, 1), 1), 1.0)


def boundary_f1(counts: SurfaceCounts) -> NDArray[np.float64]:
    """Harmonic mean of the shares of either contour that are within the tolerance of the other.

    Args:
        counts: Result of :func:`surface_sweep`.

    Returns:
        In [0, 1], in the shape of ``counts.true_within``; 1 where both masks are empty, 0 where one is.
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        precision, recall = counts.predicted_within / counts.predicted, counts.true_within / counts.true
        f1 = 2 * precision * recall / (precision + recall)
    f1 = np.minimum(np.nan_to_num(f1, nan=0.0), 1)
    return np.where((counts.predicted == 0) & (counts.true == 0), 1.0, f1)


def measure_contours(
    levels: NDArray[np.uint8],
    count: int,
    mask: NDArray[np.bool_],
    tolerances: NDArray[np.float64],
    spacing: Spacing,
) -> tuple[NDArray, NDArray, NDArray]:
    """Lengths of the contours of {levels > j}, and within each tolerance of and to that of a mask.

    Args:
        levels: (H + 2, W + 2) threshold levels in a frame of zeros.
        count: Number of levels ``j``.
        mask: (H, W) true mask.
        tolerances: (R,) in units of ``spacing``, in any order.
        spacing: Size of a pixel.

    Returns:
        (count,) lengths of the predicted contours; (R, count) of them, and of the true contour, within.
    """
    if not compiled(mask.shape, spacing):
        return _loop(levels[1:-1, 1:-1], count, mask, tolerances, spacing)
    from . import _agreement_numba as agreement
    from ._contour_numba import find_contours

    prediction, target = find_contours(levels), find_contours(framed(mask))
    pixels = tolerances / spacing[0]
    vertices = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.bool_)
    vertices[target.place >> 16, target.place & 0xFFFF] = True
    classes = nearness_classes(vertices, pixels)
    corners, straight = agreement.lengths_by_class(
        prediction.place, prediction.levels, classes, len(pixels) + 1
    )
    units = np.sqrt(2) / 2 * corners[..., :count] + straight[..., :count]
    offsets, ends = disc(tuple(np.sort(pixels).tolist()))
    corners, straight = agreement.lengths_found(
        target.place, target.levels, prediction.low, prediction.high, offsets, ends
    )
    found = np.sqrt(2) / 2 * corners[..., :count] + straight[..., :count]
    order = ranks(pixels)
    return units.sum(0) * spacing[0], units[:-1].cumsum(0)[order] * spacing[0], found[order] * spacing[0]


def _loop(
    levels: NDArray[np.uint8], count: int, mask: NDArray[np.bool_], tolerances: NDArray, spacing: Spacing
) -> tuple[NDArray, NDArray, NDArray]:
    """As :func:`measure_contours`, one threshold after the other."""
    length, within, found = (
        np.zeros(count),
        np.zeros((len(tolerances), count)),
        np.zeros((len(tolerances), count)),
    )
    true = find_contour(mask, spacing)
    to_target = distance_grid(true, spacing) if mask.any() else np.full(true.grid.shape, np.inf)
    limits = tolerances[:, None] + 1e-9
    for j in range(int(levels.max())):
        contour = find_contour(levels > j, spacing)
        length[j] = contour.length.sum()
        within[:, j] = ((to_target[contour.grid] <= limits) * contour.length).sum(1)
        found[:, j] = ((nearest_distances(true, contour, spacing) <= limits) * true.length).sum(1)
    return length, within, found
