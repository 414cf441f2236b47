"""Compiled contours of all superlevel sets of a level map at once, sorted into square blocks.

A contour vertex is the meeting point of 2x2 pixels that are not all in the mask or all out of it.
Of the four levels around a vertex, sorted ``v1 <= v2 <= v3 <= v4``, the sets {level > j} hold::

    j < v1          all four pixels           no contour here
    v1 <= j < v2    three of them     #.      length h = sqrt(2)/2 (a corner is cut)
                                      ##
    v2 <= j < v3    two of them       ##      length 1, or        #.     2 h where they are
                                      ..                          .#     a diagonal pair
    v3 <= j < v4    one of them       #.      length h
                                      ..
    v4 <= j         none                      no contour here

so that four small integers and one flag say all about a vertex at all thresholds. Beyond the
image's border the level is 0.

Blocks make distances cheap to bound: the vertices of block b at any threshold lie within half a
block's diagonal of its centre. :func:`block_distances` measures between centres, for all
thresholds together.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FRAME = 12  # width of the frame around the vertex maps, so that small discs need no border check
FAR = 181  # block columns: "none above or below"; its square leaves room for 127^2 in 16 bits
MAX_BLOCKS = 127


class Contours(NamedTuple):
    """Contour vertices of {level > j} for all j, grouped by block.

    Attributes:
        start: (B + 1,) Block ``b``, in row-major order, holds the vertices ``start[b]:start[b + 1]``.
        place: (n,) uint32, ``row << 16 | column``.
        levels: (n, 4) uint8, the sorted levels of the vertex's pixels; the middle two are swapped where a
            diagonal pair is the higher one.
        low: (H + 1 + 2 FRAME, W + 1 + 2 FRAME) uint8, lowest level around every vertex, 255 in the frame.
        high: The same of the highest, 0 in the frame.
        bottom: (block rows, block columns) uint8, the lowest of ``low``.
        top: The highest of ``high``.
        side: Vertices a side of a block.
    """

    start: NDArray
    place: NDArray
    levels: NDArray
    low: NDArray
    high: NDArray
    bottom: NDArray
    top: NDArray
    side: int


def find_contours(padded_levels: NDArray) -> Contours:
    """Contours of a (H + 2, W + 2) uint8 level map whose frame is 0."""
    height, width = padded_levels.shape[0] - 1, padded_levels.shape[1] - 1
    side = 8
    while max(height, width) > side * MAX_BLOCKS:
        side *= 2
    rows, columns = -(-height // side), -(-width // side)
    start = np.empty(rows * columns + 1, np.int32)
    place = np.empty(height * width + 1, np.uint32)
    packed = np.empty(height * width + 1, np.uint32)
    low, high = _framed((height, width), 255), _framed((height, width), 0)
    bottom = np.empty((rows, columns), np.uint8)
    top = np.empty_like(bottom)
    count = _collect_vertices(padded_levels, side, start, place, packed, low, high, bottom, top)
    levels = packed.view(np.uint8).reshape(-1, 4)[:count]
    return Contours(start, place[:count], levels, low, high, bottom, top, side)


def _framed(shape: tuple[int, int], value: int) -> NDArray:
    """Uninitialised map of uint8 inside a frame of ``value``."""
    framed = np.empty((shape[0] + 2 * FRAME, shape[1] + 2 * FRAME), np.uint8)
    for edge in (framed[:FRAME], framed[-FRAME:], framed[:, :FRAME], framed[:, -FRAME:]):
        edge[:] = value
    return framed


@njit(cache=True, nogil=True)
def row_of(place):
    """Row of a packed place."""
    return np.int32(place >> np.uint32(16))


@njit(cache=True, nogil=True)
def column_of(place):
    """Column of a packed place."""
    return np.int32(place & np.uint32(0xFFFF))


@njit(cache=True, nogil=True)
def squared_length(down, right):
    """Squared length of an offset."""
    return np.int32(down * down + right * right)


@njit(cache=True, nogil=True)
def _vertex_row(above, below, low, high, packed):
    """Extremes and packed sorted levels of one row of vertices, from the pixel rows above and below."""
    for x in range(packed.shape[0]):
        a, b, c, d = above[x], above[x + 1], below[x], below[x + 1]
        v1 = min(min(a, b), min(c, d))
        v4 = max(max(a, b), max(c, d))
        p = min(max(a, b), max(c, d))
        q = max(min(a, b), min(c, d))
        diagonal = (min(a, d) > max(b, c)) | (min(b, c) > max(a, d))
        second = max(p, q) if diagonal else min(p, q)
        third = min(p, q) if diagonal else max(p, q)
        low[x] = v1
        high[x] = v4
        packed[x] = (
            np.uint32(v1)
            | np.uint32(second) << np.uint32(8)
            | np.uint32(third) << np.uint32(16)
            | np.uint32(v4) << np.uint32(24)
        )


@njit(cache=True, nogil=True)
def _block_extremes(low, high, side, bottom, top):
    """Extremes of one row of blocks, given its rows of vertices (without the frame)."""
    rows, width = low.shape
    columns = top.shape[0]
    lowest = np.full(columns * side, 255, np.uint8)
    highest = np.zeros(columns * side, np.uint8)
    for y in range(rows):
        for x in range(width):
            lowest[x] = min(lowest[x], low[y, x])
            highest[x] = max(highest[x], high[y, x])
    for column in range(columns):
        bottom[column], top[column] = 255, 0
        for x in range(column * side, column * side + side):
            bottom[column] = min(bottom[column], lowest[x])
            top[column] = max(top[column], highest[x])


@njit(cache=True, nogil=True)
def _collect_vertices(pixels, side, start, place, packed, low, high, bottom, top):
    """Fill the arrays of :class:`Contours`; returns the number of contour vertices."""
    height, width = pixels.shape[0] - 1, pixels.shape[1] - 1
    rows, columns = top.shape
    packed_row = np.empty((side, width), np.uint32)
    count = 0
    for row in range(rows):
        first, last = row * side, min(row * side + side, height)
        for y in range(first, last):
            inner_low = low[y + FRAME, FRAME : FRAME + width]
            inner_high = high[y + FRAME, FRAME : FRAME + width]
            _vertex_row(pixels[y], pixels[y + 1], inner_low, inner_high, packed_row[y - first])
        band = slice(first + FRAME, last + FRAME)
        inner = slice(FRAME, FRAME + width)
        _block_extremes(low[band, inner], high[band, inner], side, bottom[row], top[row])
        for column in range(columns):
            start[row * columns + column] = count
            if bottom[row, column] == top[row, column]:
                continue
            for y in range(first, last):
                for x in range(column * side, min(column * side + side, width)):
                    # Written always, kept only if it counts: a branch would often be mispredicted.
                    levels = packed_row[y - first, x]
                    packed[count] = levels
                    place[count] = np.uint32(y) << np.uint32(16) | np.uint32(x)
                    count += np.int64((levels & np.uint32(255)) != (levels >> np.uint32(24)))
    start[rows * columns] = count
    return count


@njit(cache=True, nogil=True)
def _mark_blocks(extreme, distance):
    """0 at the levels that a block exceeds, ``FAR`` at the others."""
    rows, columns, levels = distance.shape
    for y in range(rows):
        for x in range(columns):
            height = extreme[y, x]
            for j in range(levels):
                distance[y, x, j] = np.uint8(0) if height > np.uint8(j) else np.uint8(FAR)


@njit(cache=True, nogil=True)
def _count_down(distance):
    """Distance to the nearest marked block above, at most ``FAR``."""
    for y in range(1, distance.shape[0]):
        for x in range(distance.shape[1]):
            for j in range(distance.shape[2]):
                distance[y, x, j] = min(distance[y, x, j], np.uint8(distance[y - 1, x, j] + np.uint8(1)))


@njit(cache=True, nogil=True)
def _count_up(distance):
    """Distance to the nearest marked block above or below."""
    for y in range(distance.shape[0] - 2, -1, -1):
        for x in range(distance.shape[1]):
            for j in range(distance.shape[2]):
                distance[y, x, j] = min(distance[y, x, j], np.uint8(distance[y + 1, x, j] + np.uint8(1)))


@njit(cache=True, nogil=True)
def _lower_by_column(vertical, horizontal, squared):
    """Let the blocks of one column, at a squared horizontal distance, lower the squared distances."""
    for j in range(squared.shape[0]):
        distance = np.uint16(vertical[j])
        squared[j] = min(squared[j], np.uint16(np.uint16(distance * distance) + horizontal))


@njit(cache=True, nogil=True)
def _nearest_in_row(row, x, squared):
    """Squared block distances at column ``x`` of a row, all levels at once, from the column distances."""
    columns = row.shape[0]
    squared[:] = np.uint16(65535)
    for offset in range(columns):
        horizontal = np.uint16(offset * offset)
        if horizontal >= squared.max():
            break
        if x >= offset:
            _lower_by_column(row[x - offset], horizontal, squared)
        if x + offset < columns:
            _lower_by_column(row[x + offset], horizontal, squared)


@njit(cache=True, nogil=True)
def block_distances(extreme, levels, blocks):
    """Squared distances between block centres, in blocks: from some blocks to {extreme > j} for all j.

    Args:
        extreme: (rows, columns) uint8.
        levels: Number of levels ``j``.
        blocks: (n,) indices of blocks to measure from.

    Returns:
        (n, levels) uint16; beyond ``FAR^2`` where no block's extreme exceeds ``j``.
    """
    rows, columns = extreme.shape
    vertical = np.empty((rows, columns, levels), np.uint8)
    squared = np.empty((blocks.shape[0], levels), np.uint16)
    _mark_blocks(extreme, vertical)
    _count_down(vertical)
    _count_up(vertical)
    for k in range(blocks.shape[0]):
        _nearest_in_row(vertical[blocks[k] // columns], blocks[k] % columns, squared[k])
    return squared
