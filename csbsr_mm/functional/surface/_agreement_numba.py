"""Compiled lengths of contours within a tolerance of each other, for all thresholds together.

``_contour_numba`` says what the four levels of a vertex mean. Lengths are counted in whole numbers of two
units: cut corners, of length sqrt(2) / 2 (a diagonal pair has two), and straight pieces, of length 1.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

from ._contour_numba import FRAME, column_of, row_of

WORDS = 4  # 64-bit words for a set of levels


@njit(cache=True, nogil=True)
def lengths_by_class(place, levels, classes, number):
    """Cut corners and straight pieces of the contours of {level > j}, by the class of their place.

    Args:
        place: (n,) packed places of the vertices.
        levels: (n, 4) their levels.
        classes: (H + 1, W + 1) uint8.
        number: Number of classes.

    Returns:
        Twice (number, 256) int64.
    """
    corners = np.zeros((number, 256), np.int64)
    straight = np.zeros((number, 256), np.int64)
    for k in range(place.shape[0]):
        c = classes[row_of(place[k]), column_of(place[k])]
        second, third = min(levels[k, 1], levels[k, 2]), max(levels[k, 1], levels[k, 2])
        corners[c, levels[k, 0]] += 1
        corners[c, second] -= 1
        corners[c, third] += 1
        corners[c, levels[k, 3]] -= 1
        if levels[k, 1] < levels[k, 2]:
            straight[c, second] += 1
            straight[c, third] -= 1
        else:
            corners[c, second] += 2
            corners[c, third] -= 2
    for c in range(number):
        corners[c] = corners[c].cumsum()
        straight[c] = straight[c].cumsum()
    return corners, straight


@njit(cache=True, nogil=True)
def _levels_below():
    """(256, WORDS) uint64, the set of the levels 0 ... q - 1 for each q."""
    below = np.zeros((256, WORDS), np.uint64)
    for q in range(256):
        for j in range(q):
            below[q, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
    return below


@njit(cache=True, nogil=True)
def _add_levels(levels, number, counts):
    """Add a number to the counts of all levels of a set."""
    for w in range(WORDS):
        word = levels[w]
        j = 64 * w
        while word:
            if word & np.uint64(1):
                counts[j] += number
            word >>= np.uint64(1)
            j += 1


@njit(cache=True, nogil=True)
def lengths_found(place, levels, low, high, offsets, ends):
    """Cut corners and straight pieces of a contour that have a vertex of {level > j} within some radii.

    A vertex of the level map is one at the levels ``low <= j < high``; the vertices of a disc together have a
    set of levels.

    Args:
        place: (n,) packed places of the contour's vertices.
        levels: (n, 4) their levels, 0 and 1.
        low: Framed map of the lowest level around each vertex.
        high: The same of the highest.
        offsets: (m, 2) offsets within the largest radius, nearest first.
        ends: (R,) number of offsets within each radius, ascending.

    Returns:
        Twice (R, 256) int64.
    """
    below = _levels_below()
    height, width = low.shape
    found = np.zeros((2, ends.shape[0], 256), np.int64)
    seen = np.empty(WORDS, np.uint64)
    for k in range(place.shape[0]):
        piece = 1 if levels[k, 1] < levels[k, 2] else 0
        number = 2 if levels[k, 1] > levels[k, 2] else 1
        row, column = row_of(place[k]) + FRAME, column_of(place[k]) + FRAME
        seen[:] = np.uint64(0)
        first = 0
        for radius in range(ends.shape[0]):
            for m in range(first, ends[radius]):
                y, x = row + offsets[m, 0], column + offsets[m, 1]
                if 0 <= y < height and 0 <= x < width and low[y, x] < high[y, x]:
                    for w in range(WORDS):
                        seen[w] |= below[high[y, x], w] & ~below[low[y, x], w]
            first = ends[radius]
            _add_levels(seen, number, found[piece, radius])
    return found[0], found[1]
