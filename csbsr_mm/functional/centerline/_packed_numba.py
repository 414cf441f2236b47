"""Compiled thinning of masks whose pixels are the bits of 64-bit words.

Word ``(k, x)`` holds the pixels of column ``x`` in the rows ``64 k ... 64 k + 63``, the topmost in its
lowest bit. The neighbours of 64 pixels then are the words beside theirs, moved by one bit for those above and
below, and the compiler handles several words at a time. A frame of empty words goes around the image.

Reference:
    Guo and Hall, Parallel thinning with two-subiteration algorithms, 1989.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

BITS = 64
BLOCK = 64  # words of a block: what did not change nearby is not looked at again


@njit(cache=True, nogil=True)
def word_rows(height):
    """Rows of words for an image of this height."""
    return (height + BITS - 1) // BITS


@njit(cache=True, nogil=True)
def pack(mask):
    """(R + 2, W + 2) uint64 words of a (H, W) mask, in a frame of zeros."""
    height, width = mask.shape
    words = np.zeros((word_rows(height) + 2, width + 2), np.uint64)
    for y in range(height):
        bit = np.uint64(y & 63)
        row = words[(y >> 6) + 1]
        for x in range(width):
            row[x + 1] |= np.uint64(mask[y, x] != 0) << bit
    return words


@njit(cache=True, nogil=True)
def unpack(words, mask):
    """Write the words' pixels into a (H, W) bool mask."""
    height, width = mask.shape
    for y in range(height):
        bit = np.uint64(y & 63)
        row = words[(y >> 6) + 1]
        for x in range(width):
            mask[y, x] = (row[x + 1] >> bit) & np.uint64(1)


@njit(cache=True, nogil=True)
def _peel(above, here, below, second, out):
    """One sub-iteration for a run of words: write what stays to ``out``; returns whether anything went.

    ``skeleton`` has the conditions and their names.

    Args:
        above: (n + 2,) words of the row above, from one word to the left on.
        here: The same of the row.
        below: The same of the row below.
        second: Whether it is the second of the two sub-iterations.
        out: (n,) written.
    """
    went, one, far = np.uint64(0), np.uint64(1), np.uint64(63)
    for x in range(out.shape[0]):
        w, center, e = here[x], here[x + 1], here[x + 2]
        nw, sw = (w << one) | (above[x] >> far), (w >> one) | (below[x] << far)
        n, s = (center << one) | (above[x + 1] >> far), (center >> one) | (below[x + 1] << far)
        ne, se = (e << one) | (above[x + 2] >> far), (e >> one) | (below[x + 2] << far)
        piece_e, piece_n = ~e & (ne | n), ~n & (nw | w)
        piece_w, piece_s = ~w & (sw | s), ~s & (se | e)
        some = piece_e | piece_n | piece_w | piece_s
        two = (piece_e & piece_n) | (piece_w & piece_s) | ((piece_e | piece_n) & (piece_w | piece_s))
        a, b, c, d = e | ne, n | nw, w | sw, s | se
        enough = (a & b) | (c & d) | ((a | b) & (c | d))
        full = a & b & c & d
        a, b, c, d = ne | n, nw | w, sw | s, se | e
        enough &= (a & b) | (c & d) | ((a | b) & (c | d))
        full &= a & b & c & d
        if second:
            kept = (sw | s | ~nw) & w
        else:
            kept = (ne | n | ~se) & e
        gone = center & some & ~two & enough & ~full & ~kept
        out[x] = center & ~gone
        went |= gone
    return went != np.uint64(0)


@njit(cache=True, nogil=True)
def _blocks_to_visit(changed, busy):
    """Mark the blocks of words in which, or beside which, something changed."""
    rows, blocks = changed.shape
    for k in range(rows):
        for b in range(blocks):
            busy[k, b] = False
            for near in range(max(k - 1, 0), min(k + 2, rows)):
                for beside in range(max(b - 1, 0), min(b + 2, blocks)):
                    busy[k, b] |= changed[near, beside]


@njit(cache=True, nogil=True)
def thin(words):
    """Thin a mask of packed words, in place, until nothing changes.

    Args:
        words: (R + 2, W + 2) uint64 with a frame of zeros, as :func:`pack` gives it.
    """
    rows, width = words.shape[0] - 2, words.shape[1] - 2
    blocks = (width + BLOCK - 1) // BLOCK
    changed = np.zeros((2, rows, blocks), np.bool_)
    for k in range(rows):
        for x in range(width):
            changed[1, k, x // BLOCK] |= words[k + 1, x + 1] != np.uint64(0)
    busy = np.empty((rows, blocks), np.bool_)
    fresh = np.empty((rows, width), np.uint64)
    idle = 0
    turn = 0
    while idle < 2:
        _blocks_to_visit(changed[0] | changed[1], busy)
        any_change = False
        for k in range(rows):
            for b in range(blocks):
                changed[turn, k, b] = False
                if busy[k, b]:
                    first, last = b * BLOCK, min(b * BLOCK + BLOCK, width)
                    run = slice(first, last + 2)
                    went = _peel(
                        words[k, run], words[k + 1, run], words[k + 2, run], turn == 1, fresh[k, first:last]
                    )
                    changed[turn, k, b] = went
                    any_change |= went
        for k in range(rows):
            for b in range(blocks):
                if changed[turn, k, b]:
                    first, last = b * BLOCK, min(b * BLOCK + BLOCK, width)
                    words[k + 1, first + 1 : last + 1] = fresh[k, first:last]
        idle = 0 if any_change else idle + 1
        turn = 1 - turn


@njit(cache=True, nogil=True)
def _by_level(levels):
    """Places of all pixels, those of the highest level first, and where each level begins.

    Returns:
        (H W,) int64 row-major indices, and (257,) int64: level ``q`` begins at place ``255 - q`` of it.
    """
    flat = levels.ravel()
    begin = np.zeros(257, np.int64)
    for value in flat:
        begin[np.int64(256) - np.int64(value)] += 1
    begin = begin.cumsum()
    free = begin.copy()
    place = np.empty(flat.shape[0], np.int64)
    for index in range(flat.shape[0]):
        slot = np.int64(255) - np.int64(flat[index])
        place[free[slot]] = index
        free[slot] += 1
    return place, begin


@njit(cache=True, nogil=True)
def _count_bits(words):
    """Number of set bits."""
    total = np.uint64(0)
    for x in range(words.shape[0]):
        v = words[x]
        v -= (v >> np.uint64(1)) & np.uint64(0x5555555555555555)
        v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
        v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += (v * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return np.int64(total)


@njit(cache=True, nogil=True)
def _count_points_near(words, height, points, offsets, ends, found):
    """Add to ``found`` (R,) how many of the points have a set pixel within each radius.

    Args:
        words: Packed mask.
        height: Rows of the image.
        points: (n, 2) row and column.
        offsets: (m, 2) offsets within the largest radius, nearest first.
        ends: (R,) number of offsets within each radius, ascending.
        found: (R,) int64.
    """
    width = words.shape[1] - 2
    for index in range(points.shape[0]):
        radius = 0
        for m in range(offsets.shape[0]):
            while m == ends[radius]:
                radius += 1
            y, x = points[index, 0] + offsets[m, 0], points[index, 1] + offsets[m, 1]
            inside = 0 <= y < height and 0 <= x < width
            if inside and (words[(y >> 6) + 1, x + 1] >> np.uint64(y & 63)) & np.uint64(1):
                found[radius:] += 1
                break


@njit(cache=True, nogil=True)
def sweep(levels, count, masks, points, offsets, ends):
    """Thin {levels > j} for each j and count the pixels of the lines.

    Args:
        levels: (H, W) uint8.
        count: Number of levels ``j``.
        masks: (K, R + 2, W + 2) packed masks in which to count.
        points: (n, 2) pixels of the true lines.
        offsets: As for :func:`_count_points_near`.
        ends: The same.

    Returns:
        (count,) int64 pixels of the lines; (K, count) those in each mask; (radii, count) points near a line.
    """
    height, width = levels.shape
    rows = word_rows(height)
    place, begin = _by_level(levels)
    mask = np.zeros((rows + 2, width + 2), np.uint64)
    lines = np.empty_like(mask)
    total = np.zeros(count, np.int64)
    inside = np.zeros((masks.shape[0], count), np.int64)
    found = np.zeros((ends.shape[0], count), np.int64)
    added = 0
    for j in range(count - 1, -1, -1):
        end = begin[255 - j]
        if end == added:
            if j + 1 < count:
                total[j], inside[:, j], found[:, j] = total[j + 1], inside[:, j + 1], found[:, j + 1]
            continue
        for index in place[added:end]:
            y, x = index // width, index % width
            mask[(y >> 6) + 1, x + 1] |= np.uint64(1) << np.uint64(y & 63)
        added = end
        lines[:] = mask
        thin(lines)
        for k in range(1, rows + 1):
            total[j] += _count_bits(lines[k])
            for m in range(masks.shape[0]):
                inside[m, j] += _count_bits(lines[k] & masks[m, k])
        _count_points_near(lines, height, points, offsets, ends, found[:, j])
    return total, inside, found
