"""Robust Hausdorff distance at all thresholds at once: branch and bound over blocks of contour vertices.

The result at a threshold is the larger of two weighted percentiles, one for either direction. Anything
that shows that one of them exceeds some value, the *floor*, spares measuring all distances below it:

1. Distances between blocks of 8x8 vertices bound all distances within 10 pixels, for all thresholds
   together (``_contour_numba``). Where they already put enough length beyond a distance, that is the floor.
2. Prediction to target: measure the vertices that may lie above the floor (``_nearest_numba``), take the
   percentile (``_tail_numba``), raise the floor.
3. Target to prediction: measure one vertex a block (``_search_numba``), raise the floor once more, measure
   the rest.

Every step is exact: bounds decide only what is not worth measuring.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.distance import _numba as distance

from . import _contour_numba as contour
from . import _nearest_numba as nearest
from . import _search_numba as search
from . import _tail_numba as tail

_BINS_PER_BLOCK = 4  # resolution of the histograms of block distances
_CLOSE = 4  # squared block distance up to which a scan along a vertex's row is short
_MANY = 500  # vertices that make up for the column distances such scans need
_LARGEST_BLOCK_DISTANCE = contour.FAR**2 + contour.MAX_BLOCKS**2


@lru_cache(maxsize=8)
def _tables(side: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Tables by squared block distance: its bin, a bound of squared distances, and a reach in blocks.

    Returns:
        Bin of each squared block distance; squared pixel distance that no vertex reaches; squared block
        distance that the nearest vertex's block keeps; and, by bin, the least squared pixel distance.
    """
    slack = (side - 1) * np.sqrt(2) + 1e-6
    blocks = np.sqrt(np.arange(_LARGEST_BLOCK_DISTANCE + 1))
    bins = np.floor(blocks * _BINS_PER_BLOCK + 1e-9).astype(np.int64)
    bound = np.minimum((blocks * side + slack) ** 2 + 1, np.iinfo(np.int32).max).astype(np.int32)
    reach = ((blocks + 2 * slack / side) ** 2).astype(np.int64)
    least = np.maximum(np.arange(bins[-1] + 1) * side / _BINS_PER_BLOCK - slack, 0)
    return bins, bound, reach, np.ceil(least**2).astype(np.int64)


def _disc(radius: int) -> NDArray:
    """Offsets within a radius and their squared length, nearest first."""
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    squared = rows**2 + columns**2
    order = np.argsort(squared, kind='stable')
    offsets = np.stack([rows, columns, squared], 1)[order]
    return offsets[offsets[:, 2] <= radius**2]


_DISC = _disc(contour.FRAME)


def sweep_squared(
    padded_levels: NDArray, padded_target: NDArray, percentiles: NDArray
) -> tuple[NDArray, NDArray]:
    """Squared robust Hausdorff distances between a target and {level > j} for each j.

    Args:
        padded_levels: (H + 2, W + 2) uint8 with a frame of 0; levels at most 254.
        padded_target: (H + 2, W + 2) uint8 of 0 and 1 with a frame of 0, not empty.
        percentiles: (P,) in (0, 100].

    Returns:
        (P, L) int64 squared distances for each threshold ``j`` below the highest level L, and (P, L) bool
        that tell where the percentile falls on a tie, so that it has to be computed otherwise.
    """
    prediction, target = contour.find_contours(padded_levels), contour.find_contours(padded_target)
    thresholds = int(prediction.top.max())
    squared = np.full((len(percentiles), thresholds), -1, np.int64)
    ties = np.zeros(squared.shape, np.bool_)
    if thresholds == 0:
        return squared, ties
    bounds = _BlockBounds(prediction, target, thresholds)
    for k, percentile in enumerate(percentiles):
        _percentile(bounds, 1 - percentile / 100, squared[k], ties[k])
    return squared, ties


def pair_distances(
    padded_first: NDArray, padded_second: NDArray
) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
    """Exact distances between the contours of two masks, both ways.

    Args:
        padded_first: (H + 2, W + 2) uint8 of 0 and 1 with a frame of 0, not empty.
        padded_second: The same.

    Returns:
        For the elements of either: (n,) squared distances to the other, (n, 4) levels as in
        ``Contours``.
    """
    first, second = contour.find_contours(padded_first), contour.find_contours(padded_second)
    return _all_distances(first, second), _all_distances(second, first)


def _all_distances(source: contour.Contours, target: contour.Contours) -> tuple[NDArray, NDArray]:
    """Squared distance of every source vertex to the target's contour, and the vertices' levels."""
    blocks = np.flatnonzero(np.diff(source.start))
    between = _distances_to_blocks(target).ravel()[blocks]
    levels, squared = _measure(source, target, blocks, between, np.flatnonzero(np.diff(target.start)))
    return squared, levels


def _measure(
    source: contour.Contours,
    target: contour.Contours,
    blocks: NDArray,
    between: NDArray,
    target_blocks: NDArray,
) -> tuple[NDArray, NDArray]:
    """Levels of the vertices of some source blocks and their exact squared distances to the target."""
    close = between <= _CLOSE
    vertices = nearest.block_vertices(source.start, blocks[close])
    if len(vertices) <= _MANY:
        reach_of = _tables(source.side)[2]
        return nearest.prediction_to_target(source, target, blocks, between, reach_of, target_blocks)
    place = source.place[vertices]
    inner = slice(contour.FRAME, -contour.FRAME)
    grid = (target.low < target.high)[inner, inner].copy()
    column = np.empty(grid.shape, np.uint16)
    near = distance.squared_distance_at_points(place >> 16, place & 0xFFFF, grid, column)
    levels, far = _measure(source, target, blocks[~close], between[~close], target_blocks)
    packed = source.levels.view(np.uint32).ravel()  # four bytes at a time
    levels = np.concatenate([packed[vertices], levels.view(np.uint32).ravel()])
    return levels.view(np.uint8).reshape(-1, 4), np.concatenate([near, far])


def _distances_to_blocks(contours: contour.Contours) -> NDArray:
    """Squared distance of every block to the nearest one that has vertices, in blocks."""
    occupied = contours.top > contours.bottom
    squared = np.empty(occupied.shape, np.int32)
    distance.squared_distance(occupied, np.empty(occupied.shape, np.uint16), squared)
    return squared


class _BlockBounds:
    """What the blocks alone tell about the distances between two contours, for all percentiles."""

    def __init__(self, prediction: contour.Contours, target: contour.Contours, thresholds: int):
        self.prediction, self.target = prediction, target
        bins, self.bound_of, _, self.least_squared = _tables(prediction.side)
        bin_count = len(self.least_squared)

        self.blocks = np.flatnonzero(np.diff(prediction.start))
        self.target_blocks = np.flatnonzero(np.diff(target.start))
        self.to_target = _distances_to_blocks(target).ravel()[self.blocks]
        self.histogram, counts = tail.vertex_histogram(
            prediction.start, prediction.levels, self.blocks, bins[self.to_target], bin_count, thresholds
        )
        self.total = tail.length(counts)

        depth = (thresholds - np.minimum(prediction.bottom, thresholds)).astype(np.uint8)
        outside = contour.block_distances(prediction.top, thresholds, self.target_blocks)
        inside = contour.block_distances(depth, thresholds, self.target_blocks)[:, ::-1]
        self.to_prediction = np.maximum(outside, inside)
        self.target_lengths = tail.block_lengths(target.start, target.levels, self.target_blocks)
        self.target_histogram = tail.block_histogram(self.target_lengths, self.to_prediction, bins, bin_count)
        self.target_total = np.full(thresholds, tail.length(self.target_lengths.sum()))


def _percentile(bounds: _BlockBounds, share: float, squared: NDArray, tie: NDArray) -> None:
    """Write the squared distances of one percentile, whose tail has a ``share`` of the length."""
    prediction, target = bounds.prediction, bounds.target
    floor = np.full(squared.shape, -1, np.int64)
    tail.raise_floor(bounds.histogram, bounds.least_squared, bounds.total, share, floor)
    tail.raise_floor(bounds.target_histogram, bounds.least_squared, bounds.target_total, share, floor)

    begin, end = prediction.bottom.ravel()[bounds.blocks], prediction.top.ravel()[bounds.blocks]
    needed = tail.blocks_above(floor, bounds.bound_of[bounds.to_target], begin, end)
    levels, distances = _measure(
        prediction, target, bounds.blocks[needed], bounds.to_target[needed], bounds.target_blocks
    )
    tail.tail_percentiles(distances, levels, bounds.total, share, floor, squared, tie)
    np.maximum(floor, squared, out=floor)

    blocks = bounds.target_blocks
    first, last, bound = tail.thresholds_above(floor, bounds.to_prediction, bounds.bound_of)
    representative, widest = search.measure_representatives(
        target, blocks, first, last, bound, prediction, _DISC
    )
    histogram = tail.representative_histogram(bounds.target_lengths, bound, widest, first, last)
    tail.raise_floor(histogram, np.arange(len(histogram)) ** 2, bounds.target_total, share, floor)
    levels, distances = search.target_to_prediction(
        target, blocks, first, last, floor, representative, widest, bound, prediction, _DISC
    )
    tail.tail_percentiles(distances, levels, bounds.target_total, share, floor, squared, tie)
