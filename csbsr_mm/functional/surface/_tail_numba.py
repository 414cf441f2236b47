"""Compiled percentiles of distances weighted by contour length, at all thresholds together.

The percentile q of a contour's distances is the smallest distance beyond which at most (100 - q)%
of the contour's length lies. So one looks from the far end, at the tail, and most vertices need
never be looked at.

Lengths come in three kinds (see ``_contour_numba``): straight 1, cut corner h, two corners 2 h,
with h = sqrt(2)/2. They are counted, not added up: ``corners << 32 | straights`` in one 64-bit
integer, exact in any order. A vertex changes its length only at its four levels, so that it adds
to four cells of a histogram of *differences* over thresholds, whose running sums are the lengths.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

STRAIGHT = np.int64(1)
CORNER = np.int64(1) << np.int64(32)
TOLERANCE = 1e-9  # sums closer to the limit than this share of the whole are a tie

_EXACT = 256  # squared distances below it have a bin each, those beyond it one bin per pixel
_SHIFT = 240  # 256 - sqrt(256)


@njit(cache=True, nogil=True)
def length(counts):
    """Contour length of packed counts, in pixels."""
    corners, straights = counts >> np.int64(32), counts & np.int64(0xFFFFFFFF)
    return corners * 0.7071067811865476 + straights


@njit(cache=True, nogil=True)
def add_vertex(differences, levels):
    """Add one vertex to a histogram row of length differences over the thresholds."""
    low, second, third, high = levels[0], levels[1], levels[2], levels[3]
    differences[low] += CORNER
    differences[high] -= CORNER
    if second <= third:
        differences[second] += STRAIGHT - CORNER
        differences[third] -= STRAIGHT - CORNER
    else:
        differences[third] += CORNER
        differences[second] -= CORNER


@njit(cache=True, nogil=True)
def length_at(levels, threshold):
    """Packed length of one vertex at one threshold."""
    low, second, third, high = levels[0], levels[1], levels[2], levels[3]
    if threshold < low or threshold >= high:
        return np.int64(0)
    if threshold < min(second, third) or threshold >= max(second, third):
        return CORNER
    return STRAIGHT if second <= third else CORNER + CORNER


@njit(cache=True, nogil=True)
def block_lengths(start, levels, blocks):
    """Packed length of each block's vertices at threshold 0."""
    lengths = np.zeros(blocks.shape[0], np.int64)
    for k in range(blocks.shape[0]):
        for vertex in range(start[blocks[k]], start[blocks[k] + 1]):
            lengths[k] += length_at(levels[vertex], 0)
    return lengths


@njit(cache=True, nogil=True)
def vertex_histogram(start, levels, blocks, bins, bin_count, thresholds):
    """Packed length by bin and threshold, each block's vertices in the bin of their block; and its sum."""
    differences = np.zeros((bin_count, thresholds + 1), np.int64)
    for k in range(blocks.shape[0]):
        row = differences[bins[k]]
        for vertex in range(start[blocks[k]], start[blocks[k] + 1]):
            add_vertex(row, levels[vertex])
    histogram = np.empty((bin_count, thresholds), np.int64)
    total = np.zeros(thresholds, np.int64)
    for bin_ in range(bin_count):
        counts = np.int64(0)
        for j in range(thresholds):
            counts += differences[bin_, j]
            histogram[bin_, j] = counts
            total[j] += counts
    return histogram, total


@njit(cache=True, nogil=True)
def block_histogram(lengths, squared, bin_of, bin_count):
    """Packed length by bin and threshold of blocks at (n, T) squared distances; ``bin_of`` maps these."""
    thresholds = squared.shape[1]
    histogram = np.zeros((bin_count, thresholds), np.int64)
    for k in range(lengths.shape[0]):
        for j in range(thresholds):
            histogram[bin_of[squared[k, j]], j] += lengths[k]
    return histogram


@njit(cache=True, nogil=True)
def representative_histogram(lengths, nearest, widest, first, last):
    """Packed length by whole pixels of distance that no vertex of a block falls short of, and threshold."""
    bin_count = np.int64(np.sqrt(np.float64(nearest.max()))) + 1
    histogram = np.zeros((bin_count, nearest.shape[1]), np.int64)
    for k in range(lengths.shape[0]):
        radius = np.sqrt(np.float64(widest[k])) + TOLERANCE
        for j in range(first[k], last[k]):
            least = np.sqrt(np.float64(nearest[k, j])) - radius
            if least >= 1:
                histogram[np.int64(least), j] += lengths[k]
    return histogram


@njit(cache=True, nogil=True)
def raise_floor(histogram, least_squared, total, share, floor):
    """Raise ``floor`` where more than the tail's share surely lies in far bins.

    Args:
        histogram: (bins, T) packed lengths.
        least_squared: (bins,) int64, ascending: no distance of a bin is below it.
        total: (T,) contour length at each threshold.
        share: Tail's share of the length, 1 - percentile / 100.
        floor: (T,) int64, updated: the squared percentile is known to be greater.
    """
    bins, thresholds = histogram.shape
    tail = np.zeros(thresholds, np.int64)
    done = np.zeros(thresholds, np.bool_)
    left = thresholds
    for bin_ in range(bins - 1, -1, -1):
        if least_squared[bin_] <= 0 or left == 0:
            break
        occupied = np.int64(0)
        for j in range(thresholds):
            occupied |= histogram[bin_, j]
        if occupied == 0:
            continue
        for j in range(thresholds):
            tail[j] += histogram[bin_, j]
            if histogram[bin_, j] == 0 or done[j]:
                continue
            if length(tail[j]) > (share + TOLERANCE) * total[j]:
                done[j] = True
                left -= 1
                floor[j] = max(floor[j], least_squared[bin_] - 1)


@njit(cache=True, nogil=True)
def blocks_above(floor, bound, begin, end):
    """Whether each block of thresholds [begin, end) may hold squared distances above the floor: (n,) bool."""
    above = np.zeros(bound.shape[0], np.bool_)
    for k in range(bound.shape[0]):
        for j in range(begin[k], end[k]):
            above[k] |= bound[k] > floor[j]
    return above


@njit(cache=True, nogil=True)
def thresholds_above(floor, squared, bound_of):
    """Range of thresholds at which each block may hold squared distances above the floor.

    Args:
        floor: (T,) int64.
        squared: (n, T) squared distances between block centres; ``bound_of`` maps them to squared
            distances that no vertex reaches.

    Returns:
        (n,) first threshold, (n,) threshold after the last one or 0, and the (n, T) bounds.
    """
    blocks, thresholds = squared.shape
    first, last = np.full(blocks, thresholds, np.int64), np.zeros(blocks, np.int64)
    bound = np.empty((blocks, thresholds), np.int32)
    for k in range(blocks):
        for j in range(thresholds):
            bound[k, j] = bound_of[squared[k, j]]
        for j in range(thresholds):
            if bound[k, j] > floor[j] + 1:
                first[k], last[k] = min(first[k], j), j + 1
    return first, last, bound


@njit(cache=True, nogil=True)
def _bin_of(squared):
    """Bin of a squared distance; bins follow the distance."""
    return squared if squared < _EXACT else np.int64(np.sqrt(np.float64(squared))) + _SHIFT


@njit(cache=True, nogil=True)
def _bin_start(bin_):
    """Smallest squared distance of a bin."""
    return bin_ if bin_ < _EXACT else (bin_ - _SHIFT) * (bin_ - _SHIFT)


@njit(cache=True, nogil=True)
def _find_bins(bins, levels, bin_count, limit, slack, tail):
    """Bin in which each threshold's tail exceeds its limit, or -1; ``tail``: what lies beyond it."""
    thresholds = limit.shape[0]
    histogram = np.zeros((bin_count, thresholds + 1), np.int64)
    used = np.zeros(bin_count, np.bool_)
    for k in range(bins.shape[0]):
        used[bins[k]] = True
        add_vertex(histogram[bins[k]], levels[k])
    found = np.full(thresholds, -1, np.int64)
    left = thresholds
    for bin_ in range(bin_count - 1, -1, -1):
        if not used[bin_]:
            continue
        counts = np.int64(0)
        for j in range(thresholds):
            counts += histogram[bin_, j]
            if counts != 0 and found[j] < 0:
                if length(tail[j] + counts) > limit[j] + slack[j]:
                    found[j] = bin_
                    left -= 1
                else:
                    tail[j] += counts
        if left == 0:
            break
    return found


@njit(cache=True, nogil=True)
def _lengths_in_bins(squared, bins, levels, found, offset):
    """Packed length by squared distance within each threshold's own bin, back to back from ``offset``."""
    thresholds = found.shape[0]
    first = np.full(bins.max() + 1, -1, np.int64)  # thresholds of a bin, as a linked list
    following = np.full(thresholds, -1, np.int64)
    for j in range(thresholds):
        if found[j] >= 0:
            following[j] = first[found[j]]
            first[found[j]] = j
    lengths = np.zeros(offset[thresholds], np.int64)
    for k in range(bins.shape[0]):
        j = first[bins[k]]
        while j >= 0:
            lengths[offset[j] + squared[k] - _bin_start(found[j])] += length_at(levels[k], j)
            j = following[j]
    return lengths


@njit(cache=True, nogil=True)
def tail_percentiles(squared, levels, total, share, floor, percentile, tie):
    """Weighted percentiles of squared distances at all thresholds, from the vertices in the tail.

    Args:
        squared: (n,) int32 squared distances; all those above ``floor`` have to be there.
        levels: (n, 4) uint8 as in ``Contours``.
        total: (T,) contour length at each threshold.
        share: Tail's share of it, 1 - percentile / 100.
        floor: (T,) int64 squared distances; a percentile at or below it is of no interest.
        percentile: (T,) int64, written where the percentile is above the floor.
        tie: (T,) bool, set where the tail's length meets the limit within rounding, so that the order of a
            floating-point sum would decide.
    """
    if squared.shape[0] == 0:
        return
    thresholds = floor.shape[0]
    bins = np.empty(squared.shape[0], np.int32)
    for k in range(squared.shape[0]):
        bins[k] = _bin_of(np.int64(squared[k]))
    limit, slack = share * total, TOLERANCE * total
    tail = np.zeros(thresholds, np.int64)
    found = _find_bins(bins, levels, bins.max() + 1, limit, slack, tail)
    offset = np.zeros(thresholds + 1, np.int64)
    for j in range(thresholds):
        width = _bin_start(found[j] + 1) - _bin_start(found[j]) if found[j] >= 0 else 0
        offset[j + 1] = offset[j] + width
    lengths = _lengths_in_bins(squared, bins, levels, found, offset)
    for j in range(thresholds):
        if tail[j] != 0 and abs(length(tail[j]) - limit[j]) < slack[j]:
            tie[j] = True
        for k in range(offset[j + 1] - 1, offset[j] - 1, -1):
            if lengths[k] == 0:
                continue
            tail[j] += lengths[k]
            beyond = length(tail[j]) - limit[j]
            if abs(beyond) < slack[j]:
                tie[j] = True
            if beyond > 0:
                value = _bin_start(found[j]) + k - offset[j]
                if value > floor[j]:
                    percentile[j] = value
                break
