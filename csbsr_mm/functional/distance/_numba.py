"""Compiled exact Euclidean distance maps: column distances, then one lower envelope a row.

Squared distances are integers throughout. In row ``y``, let ``g(u)`` be the vertical distance from
pixel ``(y, u)`` to the nearest feature of its column. The squared distance at ``(y, x)`` is the
minimum over ``u`` of ``g(u)^2 + (x - u)^2``: the lower envelope of parabolas, one a column that
has a feature::

    g^2 + (x - u)^2
      \\         |  /      /
       \\        | /      /       u_k             the apexes that stay, left to right
        \\   \\   |/   /  /        g(u_k)^2 + u_k^2  their "heights"
         \\   \\  /   /  /         two neighbours meet at x = (height difference) / (2 u difference)
          '._.'|'._.' /
    ------u_0--|--u_1---- x

Written out, ``g(u)^2 + u^2 - 2 x u + x^2``: for a given ``x`` the winner minimises ``height(u) - 2
x u``, a linear form, so that the winners are the lower convex hull of the points ``(u,
height(u))``. One scan with a stack finds it with multiplications only; one division a winner then
gives the stretch where it wins.

Inside the crack, which is thin, scanning outwards along the row is faster than an envelope: it
ends as soon as the horizontal distance alone exceeds the best found.

The integers are those of the work arrays: 16 and 32 bits serve images up to 32,767 pixels a side.

References:
    Meijster, Roerdink, Hesselink, A general algorithm for computing distance transforms in linear
    time, 2000. Felzenszwalb, Huttenlocher, Distance transforms of sampled functions, 2012.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

LANES = 8


@njit(cache=True, nogil=True)
def _mark_features(feature, column):
    """0 at features, the height elsewhere."""
    height, width = feature.shape
    integer = column.dtype.type
    for y in range(height):
        for x in range(width):
            column[y, x] = integer(0) if feature[y, x] else integer(height)


@njit(cache=True, nogil=True)
def _count_down(column):
    """Distance to the nearest feature above."""
    height, width = column.shape
    integer = column.dtype.type
    for y in range(1, height):
        for x in range(width):
            column[y, x] = min(column[y, x], integer(column[y - 1, x] + integer(1)))


@njit(cache=True, nogil=True)
def _count_up(column):
    """Distance to the nearest feature above or below."""
    height, width = column.shape
    integer = column.dtype.type
    for y in range(height - 2, -1, -1):
        for x in range(width):
            column[y, x] = min(column[y, x], integer(column[y + 1, x] + integer(1)))


@njit(cache=True, nogil=True)
def column_distance(feature, column):
    """Vertical distance to the column's nearest feature; the height where it has none.

    The passes are functions of their own because the compiler vectorises them only then: eight times faster.
    """
    _mark_features(feature, column)
    _count_down(column)
    _count_up(column)


@njit(cache=True, nogil=True)
def lower_hull(column, absent, apex, height):
    """Stack the columns whose parabola is the lowest somewhere in this row; returns their number.

    Args:
        column: (W,) vertical distances; ``absent`` or more: no feature in the column.
        absent: See above.
        apex: (W,) int64, written: the winning columns in ascending order.
        height: (W,) int64, written: ``g^2 + u^2`` of each.
    """
    width = column.shape[0]
    reach = 2 * (width - 1)
    count = 0
    last = last_height = run = rise = np.int64(0)
    for u in range(width):
        g = np.int64(column[u])
        if g >= absent:
            continue
        h = g * g + u * u
        while count > 1 and (h - last_height) * run <= rise * (u - last):
            count -= 1
            last = apex[count - 1]
            last_height = height[count - 1]
            if count > 1:
                run = last - apex[count - 2]
                rise = last_height - height[count - 2]
        if count == 1 and h <= last_height:
            count = 0
        if count > 0:
            if h - last_height >= reach * (u - last):
                continue
            run = u - last
            rise = h - last_height
        last = u
        last_height = h
        apex[count] = u
        height[count] = h
        count += 1
    return count


@njit(cache=True, nogil=True)
def fill_row(count, apex, height, start, row, width):
    """Write the envelope's squared distances into ``row``, which has ``LANES`` places beyond ``width``.

    Whole vectors are written; what is too much is overwritten by the next stretch or lies beyond the width.
    """
    integer = row.dtype.type
    start[0], start[count] = 0, width
    for k in range(count - 1):
        meeting = (height[k + 1] - height[k]) / (2 * (apex[k + 1] - apex[k]))
        start[k + 1] = min(np.int64(meeting) + 1, width)
    for k in range(count):
        center = integer(apex[k])
        base = integer(height[k] - apex[k] * apex[k])
        for first in range(start[k], start[k + 1], LANES):
            for x in range(first, first + LANES):
                offset = integer(integer(x) - center)
                row[x] = integer(offset * offset + base)


@njit(cache=True, nogil=True)
def squared_distance(feature, column, squared):
    """Squared distance of every pixel to the nearest feature; at least one is needed.

    Args:
        feature: (H, W) bool.
        column: (H, W) unsigned work array whose type holds ``H + 1``.
        squared: (H, W) signed, written; its type holds ``H^2 + W^2``.
    """
    height, width = feature.shape
    apex = np.empty(width, np.int64)
    apex_height = np.empty(width, np.int64)
    start = np.empty(width + 1, np.int64)
    row = np.empty(width + LANES, squared.dtype)
    column_distance(feature, column)
    for y in range(height):
        count = lower_hull(column[y], height, apex, apex_height)
        fill_row(count, apex, apex_height, start, row, width)
        for x in range(width):
            squared[y, x] = row[x]


@njit(cache=True, nogil=True)
def scan_row(column, absent, x):
    """Squared distance at pixel ``x`` of a row, given the vertical distances of all its pixels.

    Args:
        column: (W,) vertical distances; ``absent`` or more: no feature in the column.
        absent: See above.
        x: The pixel.
    """
    width = column.shape[0]
    best = np.int64(absent) ** 2 + np.int64(width) ** 2
    offset = 0
    while offset * offset < best:
        if x >= offset and column[x - offset] < absent:
            g = np.int64(column[x - offset])
            best = min(best, g * g + offset * offset)
        if x + offset < width and column[x + offset] < absent:
            g = np.int64(column[x + offset])
            best = min(best, g * g + offset * offset)
        offset += 1
    return best


@njit(cache=True, nogil=True)
def squared_distance_at(where, feature, column, squared):
    """As :func:`squared_distance`, but only at the pixels ``where``; others keep their values."""
    column_distance(feature, column)
    height, width = where.shape
    for y in range(height):
        for x in range(width):
            if where[y, x]:
                squared[y, x] = scan_row(column[y], height, x)


@njit(cache=True, nogil=True)
def squared_distance_at_points(rows, columns, feature, column):
    """As :func:`squared_distance`, at (n,) points near to a feature each; (n,) int32."""
    column_distance(feature, column)
    squared = np.empty(rows.shape[0], np.int32)
    for k in range(rows.shape[0]):
        squared[k] = scan_row(column[rows[k]], feature.shape[0], columns[k])
    return squared


@njit(cache=True, nogil=True)
def largest_on(where, values):
    """The largest of ``values`` at the pixels ``where``, at least 0."""
    height, width = where.shape
    largest = values.dtype.type(0)
    for y in range(height):
        for x in range(width):
            largest = max(largest, values[y, x] if where[y, x] else values.dtype.type(0))
    return largest


@njit(cache=True, nogil=True)
def square_root(squared, distance):
    """Write the float32 root of every value."""
    height, width = squared.shape
    for y in range(height):
        for x in range(width):
            distance[y, x] = np.sqrt(np.float32(squared[y, x]))


@njit(cache=True, nogil=True)
def signed_root(crack, background, squared, outer, inner, distance):
    """Write ``root / outer`` off the crack, ``-root / inner`` on it, 0 on its edge and elsewhere."""
    height, width = crack.shape
    zero = np.float32(0)
    for y in range(height):
        for x in range(width):
            root = np.sqrt(np.float32(squared[y, x]))
            inside = -root / inner if squared[y, x] > 1 else zero
            outside = root / outer if background[y, x] else zero
            distance[y, x] = inside if crack[y, x] else outside
