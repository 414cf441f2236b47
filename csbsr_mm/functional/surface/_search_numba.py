"""Compiled exact distances between the contours of a target and of a prediction at all thresholds.

Only distances that can matter are measured: those that may exceed ``floor``, a squared distance that the
result is known to exceed at each threshold. What may exceed it is told by bounds that get tighter in
three steps, since a distance to a set changes by no more than the way one walks::

    block            |D(vertex) - side * (distance between block centres)| <= (side - 1) sqrt(2)
    representative   |D(vertex) - D(representative)| <= |vertex - representative|
    vertex           D itself

At thresholds below the levels around a target vertex, the vertex lies inside the prediction and its nearest
contour vertex is the nearest one with ``low <= j``; at thresholds above them it lies outside and the
nearest one with ``high > j`` counts. So its distance only grows away from its own levels, and one visit of
a contour vertex serves all thresholds, walking from that vertex's levels towards its own::

    D |'.                          .--
      |  '--.                   .-'      a contour vertex with high = 7 lowers D(6), D(5), ... and stops
      |      '-.            .---'        at the first threshold that has a nearer one already
      |         '._________'
      +-------- low ---- high -------- threshold j

Squared distances are 32-bit integers.
"""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

import numpy as np
from numba import njit

from ._contour_numba import FRAME, column_of, row_of, squared_length

UNREACHED = np.int32(2147483647)


@njit(cache=True, nogil=True)
def _gap(position, first, side):
    """Distance along one axis from a position to the interval [first, first + side - 1]."""
    return max(max(first - position, position - first - (side - 1)), 0)


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
        squared = squared_length(
            row_of(target.place[vertex]) - y_center, column_of(target.place[vertex]) - x_center
        )
        if squared < least:
            central, least = vertex, squared
    y, x = row_of(target.place[central]), column_of(target.place[central])
    widest = np.int32(0)
    for vertex in range(target.start[block], target.start[block + 1]):
        widest = max(
            widest, squared_length(row_of(target.place[vertex]) - y, column_of(target.place[vertex]) - x)
        )
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
                _lower(
                    nearest,
                    squared_length(row_of(place) - y, column_of(place) - x),
                    begin,
                    end,
                    inside,
                    outside,
                )


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
        prediction: Contours of the prediction.
        disc: (d, 3) offsets and squared length of the vertices around one, nearest first, within ``FRAME``.

    Returns:
        (m,) the representatives' indices and (m,) their largest squared distance to a vertex of their block.
    """
    representative = np.zeros(blocks.shape[0], np.int32)
    widest = np.zeros(blocks.shape[0], np.int32)
    side = target.side
    for k in range(blocks.shape[0]):
        if last[k] == 0:
            continue
        representative[k], widest[k] = _central_vertex(target, blocks[k])
        place = target.place[representative[k]]
        y, x = np.int64(row_of(place)), np.int64(column_of(place))
        near = max(bound[k, first[k]], bound[k, last[k] - 1]) < 6 * side * side
        offsets = disc if near else disc[:1]
        inside, outside = _visit_disc(prediction, y, x, offsets, np.int64(-1), first[k], last[k], bound[k])
        if inside > first[k] or outside < last[k]:
            _visit_blocks(prediction, y, x, first[k], last[k], inside, outside, bound[k])
    return representative, widest


@njit(cache=True, nogil=True)
def _gather_candidates(prediction, y, x, reach, first, last, places, spans):
    """Contour vertices within ``reach`` of (y, x) at one of their thresholds; returns their number.

    ``reach`` (squared) falls and then rises over the thresholds, so that the ends of a range decide.
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
                if begin >= end:
                    continue
                if squared_length(row_of(place) - y, column_of(place) - x) <= max(
                    reach[begin], reach[end - 1]
                ):
                    places[count, 0], places[count, 1] = row_of(place), column_of(place)
                    spans[count, 0], spans[count, 1] = begin, end
                    count += 1
    return count


@njit(cache=True, nogil=True)
def _append_runs(nearest, first, last, least, vertex_levels, runs, squared, count):
    """Append stretches of equal distance above ``least`` as vertices of their own; returns their number.

    A stretch [begin, end) of a vertex of the target becomes the levels of a vertex that has that length
    (``length_at``) at these thresholds and no other.
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
def _above(root, away, limit, begin, end):
    """The part of [begin, end) at whose ends a vertex so far ``away`` may exceed the limit."""
    while begin < end and root[begin] + away < limit[begin]:
        begin += 1
    while begin < end and root[end - 1] + away < limit[end - 1]:
        end -= 1
    return begin, end


@njit(cache=True, nogil=True)
def _bound_by_representative(root, away, begin, end, inside, outside, nearest):
    """Squared distances not reached at [begin, inside) and [outside, end), falling and rising as they do."""
    for j in range(begin, end):
        bound = root[j] + away
        nearest[j] = np.int32(min(bound * bound + 1, 2147483647.0))
    for j in range(end - 2, outside - 1, -1):
        nearest[j] = min(nearest[j], nearest[j + 1])
    for j in range(begin + 1, inside):
        nearest[j] = min(nearest[j], nearest[j - 1])
    for j in range(inside, outside):
        nearest[j] = 0


@njit(cache=True, nogil=True)
def _compare_candidates(y, x, places, spans, candidates, begin, end, inside, outside, apart, nearest):
    """Lower ``nearest`` by every candidate."""
    for i in range(candidates):
        apart[i] = squared_length(np.int32(places[i, 0] - y), np.int32(places[i, 1] - x))
    for i in range(candidates):
        first, last = max(np.int64(spans[i, 0]), begin), min(np.int64(spans[i, 1]), end)
        _lower(nearest, apart[i], first, last, inside, outside)


@njit(cache=True, nogil=True)
def target_to_prediction(
    target, blocks, first, last, floor, representative, widest, nearest, prediction, disc
):
    """Exact squared distances from the target's vertices to the prediction's contours, above the floor.

    Args:
        target: Contours of the target.
        blocks: (m,) target blocks that have vertices.
        first: (m,) first threshold at which :func:`measure_representatives` measured the block.
        last: (m,) threshold after the last one; 0: nothing to measure.
        floor: (T,) int64; smaller or equal squared distances are of no interest.
        representative: (m,) index of the block's representative.
        widest: (m,) its largest squared distance to a vertex of its block.
        nearest: (m, T) its squared distances.
        prediction: Contours of the prediction.
        disc: (d, 3) offsets and squared length of the vertices around one, nearest first, within ``FRAME``.

    Returns:
        (r, 4) levels that say at which thresholds and with which length a distance holds, and (r,) the
        squared distances.
    """
    thresholds = floor.shape[0]
    runs, squared = np.empty((1024, 4), np.uint8), np.empty(1024, np.int32)
    places = np.empty((prediction.place.shape[0], 2), np.int32)
    spans = np.empty((prediction.place.shape[0], 2), np.uint8)
    apart, best = np.empty(prediction.place.shape[0], np.int32), np.empty(thresholds, np.int32)
    root, reach = np.empty(thresholds), np.empty(thresholds, np.int64)
    limit = np.sqrt(np.maximum(floor, 0).astype(np.float64)) - 1e-6
    count = 0
    for k in range(blocks.shape[0]):
        radius = np.sqrt(np.float64(widest[k]))
        for j in range(first[k], last[k]):
            root[j] = np.sqrt(np.float64(nearest[k, j]))
            reach[j] = np.int64((root[j] + 2 * radius) * (root[j] + 2 * radius) + 1e-6)
        block_first, block_last = _above(root, radius, limit, first[k], last[k])
        if block_first >= block_last:
            continue
        least = floor[block_first:block_last].min()
        y_central, x_central = (
            row_of(target.place[representative[k]]),
            column_of(target.place[representative[k]]),
        )
        near = max(root[block_first], root[block_last - 1]) + radius <= FRAME
        candidates = 0
        if not near:
            y_from, x_from = np.int64(y_central), np.int64(x_central)
            candidates = _gather_candidates(
                prediction, y_from, x_from, reach, block_first, block_last, places, spans
            )
        for vertex in range(target.start[blocks[k]], target.start[blocks[k] + 1]):
            if count + thresholds > squared.shape[0]:
                runs = np.concatenate((runs, np.empty_like(runs)))
                squared = np.concatenate((squared, np.empty_like(squared)))
            y, x = row_of(target.place[vertex]), column_of(target.place[vertex])
            away = np.sqrt(np.float64(squared_length(y - y_central, x - x_central)))
            begin, end = _above(root, away, limit, block_first, block_last)
            if begin >= end:
                continue
            if vertex == representative[k]:
                best[begin:end] = nearest[k, begin:end]
            elif near:
                _visit_disc(prediction, np.int64(y), np.int64(x), disc, least, begin, end, best)
            else:
                inside = min(np.int64(prediction.low[y + FRAME, x + FRAME]), end)
                outside = max(np.int64(prediction.high[y + FRAME, x + FRAME]), begin)
                _bound_by_representative(root, away, begin, end, max(inside, begin), min(outside, end), best)
                _compare_candidates(y, x, places, spans, candidates, begin, end, inside, outside, apart, best)
            count = _append_runs(best, begin, end, least, target.levels[vertex], runs, squared, count)
    return runs[:count], squared[:count]
