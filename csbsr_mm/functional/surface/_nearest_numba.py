"""Compiled distances from contour vertices of the prediction to the target, which has one contour.

The nearest target vertex of a block's vertices lies in a target block that is hardly farther than the
nearest one. Its few vertices are compared with each other, in a loop that fills vector registers.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

from ._contour_numba import column_of, row_of, squared_length


@njit(cache=True, nogil=True)
def _least_squared(rows, columns, count, y, x):
    """Squared distance from (y, x) to the nearest of ``count`` points."""
    least = np.int32(2147483647)
    for i in range(count):
        least = min(least, squared_length(np.int32(rows[i] - y), np.int32(columns[i] - x)))
    return least


@njit(cache=True, nogil=True)
def block_vertices(start, blocks):
    """Indices of the vertices of some blocks, block after block."""
    count = 0
    for block in blocks:
        count += start[block + 1] - start[block]
    vertices = np.empty(count, np.int32)
    count = 0
    for block in blocks:
        for vertex in range(start[block], start[block + 1]):
            vertices[count] = vertex
            count += 1
    return vertices


@njit(cache=True, nogil=True)
def prediction_to_target(prediction, target, blocks, between, reach_of, target_blocks):
    """Exact squared distances from the vertices of some prediction blocks to the target's contour.

    Args:
        prediction: Contours to measure from.
        target: Contours to measure to.
        blocks: (n,) prediction blocks to measure.
        between: (n,) squared distances to the nearest target block, in blocks.
        reach_of: Squared block distance that the nearest vertex's block keeps, by ``between``.
        target_blocks: (m,) target blocks that have vertices.

    Returns:
        (v, 4) levels of the vertices, block after block, and their (v,) squared distances.
    """
    columns = prediction.top.shape[1]
    vertices = block_vertices(prediction.start, blocks)
    levels, squared = np.empty((len(vertices), 4), np.uint8), np.empty(len(vertices), np.int32)
    rows_near = np.empty(target.place.shape[0], np.int32)
    columns_near = np.empty(target.place.shape[0], np.int32)
    count = 0
    for k in range(blocks.shape[0]):
        block, near = blocks[k], 0
        for b in target_blocks:
            down, right = b // columns - block // columns, b % columns - block % columns
            if down * down + right * right <= reach_of[between[k]]:
                for vertex in range(target.start[b], target.start[b + 1]):
                    rows_near[near] = row_of(target.place[vertex])
                    columns_near[near] = column_of(target.place[vertex])
                    near += 1
        begin, end = prediction.start[block], prediction.start[block + 1]
        levels[count : count + end - begin] = prediction.levels[begin:end]
        for vertex in range(begin, end):
            y, x = row_of(prediction.place[vertex]), column_of(prediction.place[vertex])
            squared[count] = _least_squared(rows_near, columns_near, near, y, x)
            count += 1
    return levels, squared
