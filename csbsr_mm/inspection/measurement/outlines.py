"""Outlines of cracks along the edges of pixels, holes included, without OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])
"""Right, down, left, up, as (row, column): the way along the upper, right, lower and left edge of a pixel."""
STARTS = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
"""Corner of its pixel in which each of these edges begins."""


def trace_outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Rings around a mask along the edges of its pixels.

    Pixels that touch by a corner are connected. Outer rings run clockwise in the picture, those around holes
    the other way.

    Args:
        mask: (H, W).

    Returns:
        Rings, each (N, 2) x and y of corners of pixels, the first one not repeated; the largest ring first.

    Example:
        >>> mask = np.ones((4, 5), bool)
        >>> mask[1:3, 2] = False
        >>> outer, hole = trace_outlines(mask)
        >>> outer.tolist(), len(hole)
        ([[0, 0], [5, 0], [5, 4], [0, 4]], 4)
    """
    start, way = _edges(mask)
    if not len(start):
        return []
    following = _following(start, way, mask.shape[1] + 1)
    rings = []
    todo = following.tolist()
    for first in range(len(todo)):
        ring = []
        place = first
        while todo[place] >= 0:
            ring.append(place)
            todo[place], place = -1, todo[place]
        if ring:
            edges = np.array(ring)
            corners = edges[way[edges] != way[np.roll(edges, 1)]]
            rings.append(np.column_stack(np.divmod(start[corners], mask.shape[1] + 1))[:, ::-1])
    return sorted(rings, key=lambda ring: -abs(signed_area(ring)))


def signed_area(ring: NDArray) -> float:
    """Area of a ring; negative if it runs against the clock, y being downwards."""
    x, y = np.asarray(ring, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def join_rings(rings: Sequence[NDArray]) -> NDArray:
    """One ring for an outline with holes, for formats that know no holes.

    From the left end of each hole a cut of no width leads to the ring on its left; the outline goes along it
    and back. Whoever fills the ring by the even-odd or the winding rule gets the crack without its holes.

    Args:
        rings: (N, 2) each; the outer ring, then its holes, all along the axes.

    Returns:
        (N, 2).

    Example:
        >>> outer = np.array([[0, 0], [9, 0], [9, 9], [0, 9]])
        >>> hole = np.array([[3, 3], [3, 6], [6, 6], [6, 3]])
        >>> join_rings([outer, hole]).tolist()
        [[0, 0], [9, 0], [9, 9], [0, 9], [0, 3], [3, 3], [3, 6], [6, 6], [6, 3], [3, 3], [0, 3]]
    """
    joined, *holes = rings
    for hole in sorted(holes, key=lambda ring: ring[:, 0].min()):
        first = int(np.lexsort((hole[:, 1], hole[:, 0]))[0])
        x, y = hole[first]
        after = np.roll(joined, -1, axis=0)
        low, high = np.minimum(joined[:, 1], after[:, 1]), np.maximum(joined[:, 1], after[:, 1])
        is_left = (joined[:, 0] == after[:, 0]) & (joined[:, 0] <= x) & (low <= y) & (y <= high)
        edge = int(np.where(is_left, joined[:, 0], -np.inf).argmax())
        there = np.array([[joined[edge, 0], y]])
        around = np.concatenate([np.roll(hole, -first, axis=0), hole[first : first + 1]])
        joined = np.concatenate([joined[: edge + 1], there, around, there, joined[edge + 1 :]])
    return joined


def _edges(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each edge of the mask starts, as a number of that corner, and which way it goes."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    beside = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    starts, ways = [], []
    for way, other in enumerate(beside):
        corners = np.argwhere(inside & ~other) + STARTS[way]
        starts.append(corners @ (mask.shape[1] + 1, 1))
        ways.append(np.full(len(corners), way))
    return np.concatenate(starts), np.concatenate(ways)


def _following(start: NDArray[np.intp], way: NDArray[np.intp], columns: int) -> NDArray[np.intp]:
    """The edge that follows each: to the left if there is one, where two pixels touch by a corner."""
    codes = 4 * start + way
    order = np.argsort(codes)
    end = start + STEPS[way] @ (columns, 1)
    following = np.full(len(start), -1)
    for turn in (1, 0, -1):
        wanted = 4 * end + (way + turn) % 4
        place = np.searchsorted(codes, wanted, sorter=order).clip(max=len(codes) - 1)
        found = order[place]
        following = np.where(codes[found] == wanted, found, following)
    return following
