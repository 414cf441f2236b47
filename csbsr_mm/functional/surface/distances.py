"""Distances between the contours of a predicted and a true mask, weighted by contour length.

With S, S' the contours of the two masks, d(x, S') the distance of a contour element x to the nearest element
of S' and w(x) its length (``_contour`` draws the elements), one direction's percentile q is::

    Q_q(S, S') = min { r : sum_{x in S, d(x, S') <= r} w(x) >= q/100 * sum_{x in S} w(x) }

and the robust Hausdorff distance is the larger of both directions. HD95 is that of q = 95. All numbers are
those of DeepMind's surface-distance, for masks that touch the border too.

Without a contour there is no distance. Two empty masks are at distance 0; for one empty mask the caller
chooses: the image's width (what CSBSR reports), infinity, NaN or any number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csbsr_mm.functional._levels import (
    as_mask,
    as_probabilities,
    as_thresholds,
    sorted_parts,
    threshold_levels,
)
from csbsr_mm.functional._tensors import ArrayOrTensor, is_on_device, is_tensor

from ._contour import (
    Contour,
    Distances,
    Spacing,
    bounding_box,
    compiled,
    contour_distances,
    distance_grid,
    find_contour,
    framed,
    nearest_distances,
    sort_distances,
)


def robust_hausdorff(
    pred: ArrayOrTensor,
    target: ArrayOrTensor,
    percentile: float = 95.0,
    spacing: Spacing = (1.0, 1.0),
    empty: str | float = 'image_width',
    ignore: ArrayOrTensor | None = None,
) -> float:
    """Robust Hausdorff distance between two masks.

    Args:
        pred: (H, W) mask, non-zero = crack.
        target: (H, W) mask, non-zero = crack.
        percentile: In (0, 100]; 100 is the plain Hausdorff distance.
        spacing: Size of a pixel along (rows, columns).
        empty: Distance if exactly one mask is empty: ``'image_width'``, ``'inf'``, ``'nan'`` or a number.
        ignore: (H, W) bool of pixels that are taken as background in both masks, or None.

    Returns:
        The distance in units of ``spacing``.

    Raises:
        ValueError: If shapes differ or an argument is out of range.

    Equation:
        max(Q_q(S, S'), Q_q(S', S)).

    Reference:
        Nikolov et al., Deep learning to achieve clinically applicable segmentation of head and
        neck anatomy for radiotherapy, 2018 (the definition with element lengths).

    Example:
        >>> pred, target = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
        >>> pred[2:4, 2:4] = target[2:4, 5:7] = True
        >>> robust_hausdorff(pred, target)
        3.0
    """
    first, second = _masks(pred, target, ignore)
    percentiles, spacing = as_percentiles(percentile), as_spacing(spacing)
    one_empty = value_for_empty(empty, first.shape[1] * spacing[1])
    return float(_sweep(framed(first), second, 1, percentiles, spacing, one_empty)[0, 0])


def average_surface_distance(
    pred: ArrayOrTensor, target: ArrayOrTensor, spacing: Spacing = (1.0, 1.0)
) -> tuple[float, float]:
    """Mean distance between two contours, weighted by length, in either direction.

    Args:
        pred: (H, W) mask, non-zero = crack.
        target: (H, W) mask, non-zero = crack.
        spacing: Size of a pixel along (rows, columns).

    Returns:
        Mean distance from the target's contour to the prediction's, and the reverse; both NaN if a
        mask is empty.

    Raises:
        ValueError: If shapes differ or an argument is out of range.

    Equation:
        sum_x w(x) d(x, S') / sum_x w(x).

    Example:
        >>> target, pred = np.zeros((8, 9), bool), np.zeros((8, 9), bool)
        >>> target[2:5, 2:5] = pred[2:5, 2:7] = True
        >>> [round(distance, 3) for distance in average_surface_distance(pred, target)]
        [0.185, 0.595]
    """
    first, second = _masks(pred, target, None)
    spacing = as_spacing(spacing)
    if not first.any() or not second.any():
        return float('nan'), float('nan')
    pred_to_gt, gt_to_pred = contour_distances(first, second, spacing)
    means = [float(np.sum(d.distance * d.length) / np.sum(d.length)) for d in (gt_to_pred, pred_to_gt)]
    return means[0], means[1]


def surface_dice(
    pred: ArrayOrTensor, target: ArrayOrTensor, tolerance: float, spacing: Spacing = (1.0, 1.0)
) -> float:
    """Share of both contours that lies within a tolerance of the other one.

    Args:
        pred: (H, W) mask, non-zero = crack.
        target: (H, W) mask, non-zero = crack.
        tolerance: Largest distance that counts as agreement, in units of ``spacing``.
        spacing: Size of a pixel along (rows, columns).

    Returns:
        In [0, 1]; 0 if one mask is empty, NaN if both are.

    Raises:
        ValueError: If shapes differ or an argument is out of range.

    Equation:
        (length of S within the tolerance of S' + length of S' within it of S) / (length of S and
        S').

    Example:
        >>> pred, target = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
        >>> pred[2:4, 2:4] = target[2:4, 3:5] = True
        >>> surface_dice(pred, target, tolerance=1)
        1.0
    """
    directions = contour_distances(*_masks(pred, target, None), as_spacing(spacing))
    whole = sum(np.sum(direction.length) for direction in directions)
    within = sum(np.sum(d.length[d.distance <= tolerance]) for d in directions)
    return float(within / whole) if whole else float('nan')


def hausdorff_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None = None,
    percentile: float | Sequence[float] = 95.0,
    spacing: Spacing = (1.0, 1.0),
    empty: str | float = 'image_width',
    ignore: ArrayOrTensor | None = None,
) -> ArrayOrTensor:
    """Robust Hausdorff distance between {prob > t} and the target, for every threshold t.

    The numbers of a loop over :func:`robust_hausdorff`, from one pass over all thresholds: some
    hundred times faster than such a loop over other libraries (``docs/metrics.md``). Tensors on an
    accelerator are measured there, a batch at a time; only percentiles on a tie, which are rare, travel
    to the host.

    Args:
        prob: (H, W) or (B, H, W) floating-point probabilities; compared in float32, strictly.
        target: Mask of the same shape, non-zero = crack.
        thresholds: (T,) in any order; 0.01, 0.02, ... 0.99 by default.
        percentile: One or several in (0, 100].
        spacing: Size of a pixel along (rows, columns); the fast path needs both equal.
        empty: Distance if exactly one mask is empty: ``'image_width'``, ``'inf'``, ``'nan'`` or a number.
        ignore: Bool, in the shape of ``prob``, of pixels that are taken as background in both masks, or
            None.

    Returns:
        (T,) float64, or (P, T) for several percentiles, with a leading B for a batch; an array or a
        tensor as ``prob`` is, on its device.

    Raises:
        ValueError: If shapes differ, an argument is out of range or ``prob`` is of integers.

    Example:
        >>> prob, target = np.zeros((8, 8), np.float32), np.zeros((8, 8), bool)
        >>> prob[2:4, 2:4], prob[2:4, 5:7], target[2:4, 2:4] = 0.9, 0.4, True
        >>> hausdorff_sweep(prob, target, [0.1, 0.5, 0.95])
        array([3., 0., 8.])
    """
    if np.ndim(prob) == 3:
        return _batched_sweep(prob, target, thresholds, percentile, spacing, empty, ignore)
    if is_tensor(prob) and is_on_device(prob) and spacing[0] == spacing[1]:
        from .device_sweep import sweep_on_device

        hidden = None if ignore is None else ignore[None]
        return sweep_on_device(prob[None], target[None], thresholds, percentile, spacing, empty, hidden)[0]
    probabilities = as_probabilities(prob)
    mask = as_mask(target, 'target', probabilities.shape)
    if ignore is not None:
        unknown = as_mask(ignore, 'ignore', mask.shape)
        probabilities, mask = np.where(unknown, np.float32(-np.inf), probabilities), mask & ~unknown
    limits, percentiles, spacing = as_thresholds(thresholds), as_percentiles(percentile), as_spacing(spacing)
    one_empty = value_for_empty(empty, mask.shape[1] * spacing[1])
    distances = np.empty((len(percentiles), len(limits)))
    for positions, ascending in sorted_parts(limits):
        levels = threshold_levels(probabilities, ascending, margin=1)
        distances[:, positions] = _sweep(levels, mask, len(positions), percentiles, spacing, one_empty)
    result = distances if np.ndim(percentile) else distances[0]
    if not is_tensor(prob):
        return result
    import torch

    return torch.from_numpy(result).to(prob.device)


def _batched_sweep(
    prob: ArrayOrTensor,
    target: ArrayOrTensor,
    thresholds: ArrayLike | None,
    percentile: float | Sequence[float],
    spacing: Spacing,
    empty: str | float,
    ignore: ArrayOrTensor | None,
) -> ArrayOrTensor:
    """:func:`hausdorff_sweep` of each image of a batch."""
    if np.shape(prob) != np.shape(target) or not len(prob):
        raise ValueError(f'target must have the shape {np.shape(prob)} of prob, got {np.shape(target)}')
    if is_tensor(prob) and is_on_device(prob) and spacing[0] == spacing[1]:
        from .device_sweep import sweep_on_device

        return sweep_on_device(prob, target, thresholds, percentile, spacing, empty, ignore)
    unknown = [None] * len(prob) if ignore is None else ignore
    curves = [
        hausdorff_sweep(image, mask, thresholds, percentile, spacing, empty, hidden)
        for image, mask, hidden in zip(prob, target, unknown, strict=True)
    ]
    if not is_tensor(prob):
        return np.stack(curves)
    import torch

    return torch.stack(curves)


def _sweep(
    levels: NDArray[np.uint8],
    target: NDArray[np.bool_],
    count: int,
    percentiles: NDArray,
    spacing: Spacing,
    one_empty: float,
) -> NDArray:
    """(P, count) distances of {levels > j}; ``levels`` has a frame of one pixel."""
    highest = int(levels.max())
    distances = np.full((len(percentiles), count), one_empty)
    if not target.any():
        distances[:, highest:] = 0.0
        return distances
    rows, columns = bounding_box((levels[1:-1, 1:-1] > 0) | target)
    levels = np.ascontiguousarray(levels[rows.start : rows.stop + 2, columns.start : columns.stop + 2])
    target = target[rows, columns]
    if not compiled(target.shape, spacing):
        distances[:, :highest] = _loop(levels[1:-1, 1:-1], highest, target, percentiles, spacing)
        return distances
    from ._sweep import sweep_squared

    squared, ties = sweep_squared(levels, framed(target), percentiles)
    distances[:, :highest] = np.sqrt(squared) * spacing[0]
    for k, j in zip(*np.nonzero(ties), strict=True):
        directions = contour_distances(levels[1:-1, 1:-1] > j, target, spacing)
        distances[k, j] = max(percentile_of(direction, percentiles[k] / 100) for direction in directions)
    return distances


def _loop(
    levels: NDArray[np.uint8],
    highest: int,
    target: NDArray[np.bool_],
    percentiles: NDArray,
    spacing: Spacing,
) -> NDArray:
    """(P, highest) distances of {levels > j}, one threshold after the other."""
    true_contour = find_contour(target, spacing)
    to_target = distance_grid(true_contour, spacing)
    distances = np.empty((len(percentiles), highest))
    present = np.bincount(levels.ravel(), minlength=highest + 1)
    for j in range(highest):
        if j and not present[j]:
            distances[:, j] = distances[:, j - 1]
            continue
        contour: Contour = find_contour(levels > j, spacing)
        directions = (
            sort_distances(to_target[contour.grid], contour.length),
            sort_distances(nearest_distances(true_contour, contour, spacing), true_contour.length),
        )
        distances[:, j] = [max(percentile_of(d, q / 100) for d in directions) for q in percentiles]
    return distances


def percentile_of(direction: Distances, share: float) -> float:
    """Smallest distance within which ``share`` of the contour's length lies."""
    cumulated = np.cumsum(direction.length) / np.sum(direction.length)
    index = int(np.searchsorted(cumulated, share))
    return float(direction.distance[min(index, len(cumulated) - 1)])


def _masks(
    pred: ArrayOrTensor, target: ArrayOrTensor, ignore: ArrayOrTensor | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both masks as bool arrays of one shape, background where ignored."""
    second = as_mask(target, 'target')
    first = as_mask(pred, 'pred', second.shape)
    if ignore is None:
        return first, second
    known = ~as_mask(ignore, 'ignore', second.shape)
    return first & known, second & known


def as_percentiles(percentile: float | Sequence[float]) -> NDArray[np.float64]:
    """The percentiles as an array, checked."""
    values = np.atleast_1d(np.asarray(percentile, float))
    if not ((values > 0) & (values <= 100)).all():
        raise ValueError(f'percentile must be in (0, 100], got {percentile}')
    return values


def as_spacing(spacing: Spacing) -> Spacing:
    """The spacing as two positive floats."""
    rows, columns = (float(size) for size in spacing)
    if not (0 < rows < np.inf and 0 < columns < np.inf):
        raise ValueError(f'spacing must be two positive numbers, got {spacing}')
    return rows, columns


def value_for_empty(empty: str | float, image_width: float) -> float:
    """The distance that stands for one empty mask."""
    if empty == 'image_width':
        return image_width
    if isinstance(empty, str) and empty not in ('inf', 'nan'):
        raise ValueError(f"empty must be 'image_width', 'inf', 'nan' or a number, got {empty!r}")
    return float(empty)
