"""Compiled exact distances between the contours of a target and of a prediction at all thresholds.

Only distances that can matter are measured: those that may exceed ``floor``, a squared distance
that the result is known to exceed at each threshold. What may exceed it is told by bounds that get
tighter in three steps, since a distance to a set changes by no more than the way one walks::

    block            |D(vertex) - side * (distance between block centres)| <= (side - 1) sqrt(2)
    representative   |D(vertex) - D(representative)| <= |vertex - representative|
    vertex           D itself

At thresholds below the levels around a target vertex, the vertex lies inside the prediction and
its nearest contour vertex is the nearest one with ``low <= j``; at thresholds above them it lies
outside and the nearest one with ``high > j`` counts. So its distance only grows away from its own
levels, and one visit of a contour vertex serves all thresholds, walking from that vertex's levels
towards its own::

    D |'.                          .--
      |  '--.                   .-'      a contour vertex of high = 7 lowers D(6), D(5), ... and
      stops at |      '-.            .---'        the first threshold that has a nearer one already
      |         '._________' +-------- low ---- high -------- threshold j

Squared distances are 32-bit integers.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

from ._contour_numba import FRAME
from ._distance_numba import column_distance, scan_row

UNREACHED = np.int32(2147483647)
CLOSE = 4  # squared block distance up to which a scan of the vertex's row is short
MANY = 1500  # vertices that make up for computing the column distances such scans need


@njit(cache=True, nogil=True)
def _row(place):
    """Row of a packed place."""
    return np.int32(place >> np.uint32(16))


@njit(cache=True, nogil=True)
def _column(place):
    """Column of a packed place."""
    return np.int32(place & np.uint32(0xFFFF))


@njit(cache=True, nogil=True)
def _squared(down, right):
    """Squared length of an offset."""
    return np.int32(down * down + right * right)


@njit(cache=True, nogil=True)
def _gap(position, first, side):
    """Distance along one axis from a position to the interval [first, first + side - 1]."""
    return max(max(first - position, position - first - (side - 1)), 0)


@njit(cache=True, nogil=True)
def _measure_by_rows(prediction, block, column, squared, count):
    """Squared distances of a block's vertices from the target's column distances; returns their number."""
    for vertex in range(prediction.start[block], prediction.start[block + 1]):
        place = prediction.place[vertex]
        squared[count] = scan_row(column[_row(place)], np.int64(_column(place)))
        count += 1
    return count


@njit(cache=True, nogil=True)
def _measure_by_pairs(prediction, block, rows, columns, near, squared, count):
    """Squared distances of a block's vertices from ``near`` target vertices; returns their number."""
    for vertex in range(prediction.start[block], prediction.start[block + 1]):
        y, x = _row(prediction.place[vertex]), _column(prediction.place[vertex])
        nearest = UNREACHED
        for i in range(near):
            nearest = min(nearest, _squared(np.int32(rows[i] - y), np.int32(columns[i] - x)))
        squared[count] = nearest
        count += 1
    return count


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
    count, close = 0, 0
    for k in range(blocks.shape[0]):
        vertices = prediction.start[blocks[k] + 1] - prediction.start[blocks[k]]
        count += vertices
        close += vertices if between[k] <= CLOSE else 0
    by_rows = close > MANY
    column = np.empty((0, 0), np.uint16)
    if by_rows:
        contour = target.low < target.high
        contour = contour[FRAME:-FRAME, FRAME:-FRAME].copy()
        column = np.empty(contour.shape, np.uint16)
        column_distance(contour, column)
    levels, squared = np.empty((count, 4), np.uint8), np.empty(count, np.int32)
    rows_near = np.empty(target.place.shape[0], np.int32)
    columns_near = np.empty(target.place.shape[0], np.int32)
    count = 0
    for k in range(blocks.shape[0]):
        block, begin = blocks[k], count
        if by_rows and between[k] <= CLOSE:
            count = _measure_by_rows(prediction, block, column, squared, count)
        else:
            near = 0
            for b in target_blocks:
                down, right = b // columns - block // columns, b % columns - block % columns
                if down * down + right * right <= reach_of[between[k]]:
                    for vertex in range(target.start[b], target.start[b + 1]):
                        rows_near[near] = _row(target.place[vertex])
                        columns_near[near] = _column(target.place[vertex])
                        near += 1
            count = _measure_by_pairs(prediction, block, rows_near, columns_near, near, squared, count)
        levels[begin:count] = prediction.levels[prediction.start[block] : prediction.start[block + 1]]
    return levels, squared


@njit(cache=True, nogil=True)
def _lower(nearest, squared, begin, end, inside, outside):
    """Let a contour vertex of thresholds [begin, end) lower the nearest squared distances.

    ``nearest`` falls up to ``inside``, is 0 from there to ``outside``, and rises from there on.
    """
    j = end - 1
    while j >= outside and nearest[j] > squared:
        nearest[j] = squared
        j -= 1
    j = begin
    while j < inside and nearest[j] > squared:
        nearest[j] = squared
        j += 1


@njit(cache=True, nogil=True)
def _central_vertex(target, block):
    """The block's vertex nearest to its centre, and its largest squared distance to the others."""
    columns = target.top.shape[1]
    y_center = block // columns * target.side + target.side // 2
    x_center = block % columns * target.side + target.side // 2
    central, least = target.start[block], UNREACHED
    for vertex in range(target.start[block], target.start[block + 1]):
        squared = _squared(_row(target.place[vertex]) - y_center, _column(target.place[vertex]) - x_center)
        if squared < least:
            central, least = vertex, squared
    y, x = _row(target.place[central]), _column(target.place[central])
    widest = np.int32(0)
    for vertex in range(target.start[block], target.start[block + 1]):
        widest = max(widest, _squared(_row(target.place[vertex]) - y, _column(target.place[vertex]) - x))
    return central, widest


@njit(cache=True, nogil=True)
def _visit_blocks(prediction, y, x, first, last, inside, outside, nearest):
    """Lower ``nearest`` by every contour vertex of the prediction that is near enough to (y, x)."""
    side = prediction.side
    rows, columns = prediction.top.shape
    farthest = np.int64(np.sqrt(np.float64(max(nearest[first], nearest[last - 1]))))
    row_last = min((y + farthest) // side, rows - 1)
    column_first, column_last = max(x - farthest, 0) // side, min((x + farthest) // side, columns - 1)
    for row in range(max(y - farthest, 0) // side, row_last + 1):
        down = _gap(y, row * side, side)
        for column in range(column_first, column_last + 1):
            begin = max(np.int64(prediction.bottom[row, column]), first)
            end = min(np.int64(prediction.top[row, column]), last)
            if begin >= end:
                continue
            right = _gap(x, column * side, side)
            gap = down * down + right * right
            if not ((end > outside and gap < nearest[end - 1]) or (begin < inside and gap < nearest[begin])):
                continue
            b = row * columns + column
            for vertex in range(prediction.start[b], prediction.start[b + 1]):
                place, levels = prediction.place[vertex], prediction.levels[vertex]
                begin, end = max(np.int64(levels[0]), first), min(np.int64(levels[3]), last)
                _lower(nearest, _squared(_row(place) - y, _column(place) - x), begin, end, inside, outside)


@njit(cache=True, nogil=True)
def _visit_disc(prediction, y, x, disc, least, first, last, nearest):
    """Squared distances from (y, x) by looking at its neighbours, nearest first.

    Args:
        prediction: Contours of the prediction.
        y, x: Vertex to measure from.
        disc: (d, 3) offsets and squared lengths, ascending.
        least: Squared distances up to it are of no interest; they get 0.
        first, last: Thresholds to measure at; stops when each has found its nearest vertex.
        nearest: Written at the thresholds found.

    Returns:
        Thresholds ``inside`` and ``outside`` such that those in between are found.
    """
    low, high = prediction.low[y + FRAME, x + FRAME], prediction.high[y + FRAME, x + FRAME]
    inside, outside = min(np.int64(low), last), max(np.int64(high), first)
    for j in range(max(inside, first), min(outside, last)):
        nearest[j] = 0
    for k in range(1, disc.shape[0]):
        if inside <= first and outside >= last:
            break
        row, column = y + disc[k, 0] + FRAME, x + disc[k, 1] + FRAME
        low, high = prediction.low[row, column], prediction.high[row, column]
        squared = disc[k, 2] if disc[k, 2] > least else 0
        if high > outside:
            for j in range(outside, min(np.int64(high), last)):
                nearest[j] = squared
            outside = np.int64(high)
        if low < inside:
            for j in range(max(np.int64(low), first), inside):
                nearest[j] = squared
            inside = np.int64(low)
    return inside, outside


@njit(cache=True, nogil=True)
def measure_representatives(target, blocks, first, last, bound, prediction, disc):
    """Exact squared distances from one vertex of each target block to the prediction's contours.

    Args:
        target: Contours of the target.
        blocks: (m,) target blocks that have vertices.
        first: (m,) first threshold to measure at.
        last: (m,) threshold after the last one; 0: the block is left out.
        bound: (m, T) int32, updated from squared distances that are not reached, falling below the
            representative's own levels and rising above them, to its squared distances.
        prediction: Contours of the prediction. disc: (d, 3) offsets and squared length of the
        vertices around one, nearest first, within ``FRAME``.

    Returns:
        (m,) the representatives' indices and (m,) their largest squared distance to a vertex of
        their block.
    """
    representative = np.zeros(blocks.shape[0], np.int32)
    widest = np.zeros(blocks.shape[0], np.int32)
    side = target.side
    for k in range(blocks.shape[0]):
        if last[k] == 0:
            continue
        representative[k], widest[k] = _central_vertex(target, blocks[k])
        place = target.place[representative[k]]
        y, x = np.int64(_row(place)), np.int64(_column(place))
        near = max(bound[k, first[k]], bound[k, last[k] - 1]) < 6 * side * side
        offsets = disc if near else disc[:1]
        inside, outside = _visit_disc(prediction, y, x, offsets, np.int64(-1), first[k], last[k], bound[k])
        if inside > first[k] or outside < last[k]:
            _visit_blocks(prediction, y, x, first[k], last[k], inside, outside, bound[k])
    return representative, widest


@njit(cache=True, nogil=True)
def _gather_candidates(prediction, y, x, reach, first, last, places, spans):
    """Contour vertices within ``reach`` of (y, x) at one of their thresholds; returns their number.

    ``reach`` (squared) falls and then rises over the thresholds, so that the ends of a range
    decide.
    """
    side = prediction.side
    rows, columns = prediction.top.shape
    farthest = np.int64(np.sqrt(np.float64(max(reach[first], reach[last - 1])))) + 1
    row_last = min((y + farthest) // side, rows - 1)
    column_first, column_last = max(x - farthest, 0) // side, min((x + farthest) // side, columns - 1)
    count = 0
    for row in range(max(y - farthest, 0) // side, row_last + 1):
        down = _gap(y, row * side, side)
        for column in range(column_first, column_last + 1):
            begin = max(np.int64(prediction.bottom[row, column]), first)
            end = min(np.int64(prediction.top[row, column]), last)
            if begin >= end:
                continue
            right = _gap(x, column * side, side)
            if down * down + right * right > max(reach[begin], reach[end - 1]):
                continue
            b = row * columns + column
            for vertex in range(prediction.start[b], prediction.start[b + 1]):
                place, levels = prediction.place[vertex], prediction.levels[vertex]
                begin, end = max(np.int64(levels[0]), first), min(np.int64(levels[3]), last)
                if begin < end and _squared(_row(place) - y, _column(place) - x) <= max(
                    reach[begin], reach[end - 1]
                ):
                    places[count, 0], places[count, 1] = _row(place), _column(place)
                    spans[count, 0], spans[count, 1] = begin, end
                    count += 1
    return count


@njit(cache=True, nogil=True)
def _append_runs(nearest, first, last, least, vertex_levels, runs, squared, count):
    """Append stretches of equal distance above ``least`` as vertices of their own; returns their number.

    A stretch [begin, end) of a vertex of the target becomes the levels of a vertex that has that
    length (``length_at``) at these thresholds and no other.
    """
    straight = vertex_levels[1] < vertex_levels[2]
    double = vertex_levels[1] > vertex_levels[2]
    begin = first
    for j in range(first, last):
        if j + 1 < last and nearest[j + 1] == nearest[j]:
            continue
        if nearest[j] > least:
            end = j + 1
            squared[count] = nearest[j]
            runs[count, 0] = begin
            runs[count, 1] = begin if straight else end
            runs[count, 2] = begin if double else end
            runs[count, 3] = end
            count += 1
        begin = j + 1
    return count


@njit(cache=True, nogil=True)
def target_to_prediction(
    target, blocks, first, last, floor, representative, widest, nearest, prediction, disc
):
    """Exact squared distances from the target's vertices to the prediction's contours, above the floor.

    Args:
        target: Contours of the target. blocks: (m,) target blocks that have vertices. first: (m,)
        first threshold at which :func:`measure_representatives` measured the block. last: (m,)
        threshold after the last one; 0: nothing to measure. floor: (T,) int64; smaller or equal
        squared distances are of no interest. representative: (m,) index of the block's
        representative. widest: (m,) its largest squared distance to a vertex of its block.
        nearest: (m, T) its squared distances. prediction: Contours of the prediction. disc: (d, 3)
        offsets and squared length of the vertices around one, nearest first, within ``FRAME``.

    Returns:
        (r, 4) levels that say at which thresholds and with which length a distance holds, and (r,)
        the squared distances.
    """
    thresholds = floor.shape[0]
    runs, squared = np.empty((1024, 4), np.uint8), np.empty(1024, np.int32)
    places = np.empty((prediction.place.shape[0], 2), np.int32)
    spans = np.empty((prediction.place.shape[0], 2), np.uint8)
    apart = np.empty(prediction.place.shape[0], np.int32)
    reach = np.empty(thresholds, np.int64)
    root = np.empty(thresholds)
    limit = np.sqrt(np.maximum(floor, 0).astype(np.float64))
    best = np.empty(thresholds, np.int32)
    count = 0
    for k in range(blocks.shape[0]):
        radius = np.sqrt(np.float64(widest[k]))
        begin, end = thresholds, 0
        least = np.int64(UNREACHED)
        for j in range(first[k], last[k]):
            root[j] = np.sqrt(np.float64(nearest[k, j]))
            reach[j] = np.int64((root[j] + 2 * radius) * (root[j] + 2 * radius) + 1e-6)
            if root[j] + radius >= limit[j]:
                begin, end, least = min(begin, j), j + 1, min(least, floor[j])
        if begin >= end:
            continue
        y_central, x_central = _row(target.place[representative[k]]), _column(target.place[representative[k]])
        all_near = max(root[begin], root[end - 1]) + radius <= FRAME
        candidates = 0
        if not all_near:
            candidates = _gather_candidates(
                prediction, np.int64(y_central), np.int64(x_central), reach, begin, end, places, spans
            )
        for vertex in range(target.start[blocks[k]], target.start[blocks[k] + 1]):
            if count + thresholds > squared.shape[0]:
                runs = np.concatenate((runs, np.empty_like(runs)))
                squared = np.concatenate((squared, np.empty_like(squared)))
            if vertex == representative[k]:
                count = _append_runs(
                    nearest[k], begin, end, least, target.levels[vertex], runs, squared, count
                )
                continue
            y, x = _row(target.place[vertex]), _column(target.place[vertex])
            away = np.sqrt(np.float64(_squared(y - y_central, x - x_central)))
            lower, upper = begin, end
            while lower < upper and root[lower] + away < limit[lower]:
                lower += 1
            while lower < upper and root[upper - 1] + away < limit[upper - 1]:
                upper -= 1
            if lower == upper:
                continue
            for j in range(lower, upper):
                best[j] = UNREACHED
            offsets = disc if all_near else disc[:1]
            inside, outside = _visit_disc(
                prediction, np.int64(y), np.int64(x), offsets, least, lower, upper, best
            )
            for i in range(candidates):
                apart[i] = _squared(np.int32(places[i, 0] - y), np.int32(places[i, 1] - x))
            for i in range(candidates):
                first_of, last_of = max(np.int64(spans[i, 0]), lower), min(np.int64(spans[i, 1]), upper)
                _lower(best, apart[i], first_of, last_of, inside, outside)
            count = _append_runs(best, lower, upper, least, target.levels[vertex], runs, squared, count)
    return runs[:count], squared[:count]
