"""Compiled counts of pixels within a tolerance, for all thresholds together."""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_exceeded(distance, limits):
    """(H, W) uint8, how many of the ascending limits each distance exceeds."""
    height, width = distance.shape
    exceeded = np.zeros((height, width), np.uint8)
    for limit in limits:
        for y in range(height):
            for x in range(width):
                exceeded[y, x] += np.uint8(distance[y, x] > limit)
    return exceeded


@njit(cache=True, nogil=True)
def class_histogram(levels, classes, number):
    """(number, 256) pixels by class and level.

    Neighbouring pixels use different lanes of counters: adding to a counter just written would stall.
    """
    height, width = levels.shape
    lanes = np.zeros((4, number, 256), np.int64)
    for y in range(height):
        for x in range(width):
            lanes[x & 3, classes[y, x], levels[y, x]] += 1
    return lanes.sum(0)


@njit(cache=True, nogil=True)
def highest_around(levels, rows, columns, offsets, ends):
    """Histogram of the highest level within some radii of given pixels.

    Args:
        levels: (H, W) uint8.
        rows: (n,) rows of the pixels.
        columns: (n,) their columns.
        offsets: (m, 2) offsets within the largest radius, nearest first.
        ends: (R,) number of offsets within each radius, ascending.

    Returns:
        (R, 256) int64.
    """
    height, width = levels.shape
    histogram = np.zeros((ends.shape[0], 256), np.int64)
    for k in range(rows.shape[0]):
        highest = np.uint8(0)
        first = 0
        for radius in range(ends.shape[0]):
            for m in range(first, ends[radius]):
                y, x = rows[k] + offsets[m, 0], columns[k] + offsets[m, 1]
                if 0 <= y < height and 0 <= x < width:
                    highest = max(highest, levels[y, x])
            first = ends[radius]
            histogram[radius, highest] += 1
    return histogram
