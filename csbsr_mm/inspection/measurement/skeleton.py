"""Centre lines of cracks: where they run, which way, how long and how wide, at each of their points."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .graph import LOOSE, Branch, CrackGraph
from .profiles import profile_widths
from .smoothing import RegularMask
from .topology import thin

STEP = 0.25
STRETCH = 4.0
"""Least half length, in pixels, of the stretch over which positions and widths are averaged."""
FORK = 2.4
FAN = np.arange(0, math.pi, math.pi / 8)


class CentreLine(NamedTuple):
    """The points of all centre lines; all arrays have one entry per point.

    Attributes:
        branch: Number of the branch, in the order of its points.
        rows: Row, smoothed along the line.
        columns: Column, smoothed along the line.
        owner: (N, 2) row and column of a pixel of the crack that the point belongs to.
        angle: Direction of the line in radians, in [-π/2, π/2]; x to the right, y down.
        length: How much of the line this point stands for, in pixels.
        width: Width of the crack across the line, in pixels, averaged over a stretch as long as the crack
            is wide.
        at_junction: Whether another branch is so near that the width is that of both.
        profile_width: Width between pixels, see :mod:`.profiles`, averaged like ``width``; NaN near junctions
            and loose ends, and where no profile is known.
    """

    branch: NDArray[np.intp]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    owner: NDArray[np.intp]
    angle: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]
    at_junction: NDArray[np.bool_]
    profile_width: NDArray[np.float64]


def trace(
    mask: RegularMask, origin: tuple[int, int] = (0, 0), profile: NDArray[np.floating] | None = None
) -> CentreLine:
    """Trace the centre lines of all cracks in a mask.

    The smoothed mask is thinned, and side branches that are shorter than the crack is wide are cut. Lines are
    smoothed over a stretch as long as the crack is wide, and go on to the border of the crack at loose ends,
    so that their length is that of the crack. Width is the distance between the two borders along the normal,
    borders being interpolated between pixels; it is at most one pixel more than the diameter of the largest
    disk around the point that fits into the crack.

    Args:
        mask: Filled and smoothed mask. Cracks may run out of the image.
        origin: Row and column of the first pixel in the whole image; see :func:`.topology.thin`.
        profile: (H, W) probability of crack, for widths between pixels.

    Returns:
        The points of all centre lines.

    Example:
        >>> from .smoothing import regularize
        >>> band = np.zeros((40, 60), bool)
        >>> band[17:23, 10:50] = True
        >>> line = trace(regularize(band))
        >>> round(float(np.median(line.width)), 1), round(float(line.length.sum()))
        (6.0, 40)
    """
    distance = distance_to_border(mask.smooth)
    graph = CrackGraph(thin(mask.smooth, distance, origin), distance)
    graph.prune()
    graph.trim()
    paths = _Paths(graph)
    radius = np.maximum(paths.radius, STRETCH)
    places = paths.smoothed(paths.points, radius)
    left, right = _half_widths(mask.smooth, places, paths)
    # Pixels lie beside the middle of an even number of them.
    aside = np.where(paths.at_junction, 0, np.clip((left - right) / 2, -1, 1))
    places += aside[:, None] * _normals(paths.directions(places))
    places = paths.smoothed(places, radius)
    tangent = paths.directions(places)
    length = paths.lengths(places)
    between = _profile_widths(profile, paths, places, tangent, (left + right) / 2, radius)
    _extend(mask.filled, paths, places, tangent, length)
    width = paths.averaged(np.minimum(left + right, 2 * paths.radius + 1), radius, ~paths.at_junction)
    angle = np.arctan2(tangent[:, 0], tangent[:, 1])
    angle -= np.pi * np.rint(angle / np.pi)
    owner = np.rint(paths.points).astype(int)
    return CentreLine(paths.branch, *places.T, owner, angle, length, width, paths.at_junction, between)


def _profile_widths(
    profile: NDArray[np.floating] | None,
    paths: _Paths,
    places: NDArray[np.float64],
    tangent: NDArray[np.float64],
    half_width: NDArray[np.float64],
    radius: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Widths from profiles, averaged along the line; NaN where there is none."""
    if profile is None or not len(places):
        return np.full(len(places), np.nan)
    widths = profile_widths(profile, places, tangent, np.minimum(half_width, paths.radius + 0.5)).area
    usable = ~(paths.near_junction | paths.near_loose_end()) & (np.hypot(*tangent.T) > 0)
    averaged = paths.averaged(widths, radius, usable)
    return np.where(usable, averaged, np.nan)


def distance_to_border(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the nearest pixel that is no crack; the image's border is none."""
    if mask.all():
        # Nothing but crack: nothing can be measured but the image itself.
        return np.full(mask.shape, max(mask.shape) / 2)
    return ndimage.distance_transform_edt(mask)


class _Paths:
    """Points of all branches one after the other, with the junctions at their ends."""

    def __init__(self, graph: CrackGraph) -> None:
        lines = [_with_nodes(branch, graph) for branch in graph.branches.values()]
        ends = [(branch.start, branch.end, branch.closed) for branch in graph.branches.values()]
        for node in graph.nodes.values():
            if not node.branches:
                lines.append([(node.row, node.column, node.radius)])
                ends.append((LOOSE, LOOSE, False))
        counts = np.array([len(line) for line in lines], int)
        table = np.array([point for line in lines for point in line], float).reshape(-1, 3)
        self.points, self.radius = table[:, :2], table[:, 2]
        self.branch = np.repeat(np.arange(len(lines)), counts)
        self.start = np.cumsum(counts) - counts
        self.end = self.start + counts
        self.loose = [
            (index, side)
            for (start, end, closed), first, last in zip(ends, self.start, self.end - 1, strict=True)
            for index, side, node in ((first, -1, start), (last, 1, end))
            if node == LOOSE and not closed
        ]
        self.at_junction, self.near_junction = np.zeros((2, len(table)), bool)
        for (start, end, _), first, stop in zip(ends, self.start, self.end, strict=True):
            for number in {start, end} - {LOOSE}:
                node = graph.nodes[number]
                offset = self.points[first:stop] - (node.row, node.column)
                distance = np.hypot(*offset.T)
                self.at_junction[first:stop] |= distance <= node.radius + 1
                # So far out, profiles across branches that fork by 50 degrees and more do not meet.
                self.near_junction[first:stop] |= distance <= FORK * node.radius + 2

    def averaged(
        self, values: NDArray, half: NDArray[np.float64], valid: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Mean along the branch over ``half`` points to either side, of valid ones if there are any."""
        valid = np.ones(len(values), bool) if valid is None else valid
        reach = half.astype(int)
        index = np.arange(len(values))
        low = np.maximum(index - reach, self.start[self.branch])
        high = np.minimum(index + reach + 1, self.end[self.branch])
        total = np.concatenate([[0], np.cumsum(np.where(valid, values, 0))])
        count = np.concatenate([[0], np.cumsum(valid)])
        number = count[high] - count[low]
        return np.where(number > 0, (total[high] - total[low]) / np.maximum(number, 1), values)

    def smoothed(self, points: NDArray, half: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points averaged along their branch; the first and the last stay."""
        index = np.arange(len(points))
        room = np.minimum(index - self.start[self.branch], self.end[self.branch] - 1 - index)
        reach = np.minimum(half.astype(int), room)
        for _ in range(2):
            total = np.concatenate([np.zeros((1, 2)), np.cumsum(points, 0)])
            points = (total[index + reach + 1] - total[index - reach]) / (2 * reach + 1)[:, None]
        return points

    def near_loose_end(self) -> NDArray[np.bool_]:
        """Whether a line ends within half the crack's width and a pixel: profiles see its end."""
        first, last = np.full((2, len(self.start)), -np.inf)
        for index, side in self.loose:
            (first if side < 0 else last)[self.branch[index]] = self.radius[index] + 1
        index = np.arange(len(self.points))
        travelled, left = index - self.start[self.branch], self.end[self.branch] - 1 - index
        return (travelled <= first[self.branch]) | (left <= last[self.branch])

    def directions(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 2) unit vectors along the branch; zero for a single point."""
        index = np.arange(len(places))
        before = np.maximum(index - int(STRETCH), self.start[self.branch])
        after = np.minimum(index + int(STRETCH), self.end[self.branch] - 1)
        step = places[after] - places[before]
        return step / np.maximum(np.hypot(*step.T), 1e-9)[:, None]

    def lengths(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half of the two segments at each point."""
        segment = np.hypot(*np.diff(places, axis=0).T)
        segment[self.branch[1:] != self.branch[:-1]] = 0
        half = np.concatenate([[0], segment, [0]]) / 2
        return half[1:] + half[:-1]


def _normals(tangent: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])


def _half_widths(
    mask: NDArray[np.bool_], places: NDArray[np.float64], paths: _Paths
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance to the border on either side of each point."""
    image, limit = mask.astype(np.float32), 2 * paths.radius + 1
    normal = _normals(paths.directions(places))
    return _to_border(image, places, normal, limit), _to_border(image, places, -normal, limit)


def _with_nodes(branch: Branch, graph: CrackGraph) -> list[tuple[float, float, float]]:
    """Points from node to node; a ring ends where it starts."""
    points = list(branch.points)
    for number, place in ((branch.start, 0), (branch.end, len(points) + 1)):
        if number != LOOSE:
            node = graph.nodes[number]
            points.insert(place, (node.row, node.column, node.radius))
    return [*points, points[0]] if branch.closed else points


def _extend(
    mask: NDArray[np.bool_],
    paths: _Paths,
    places: NDArray[np.float64],
    tangent: NDArray[np.float64],
    length: NDArray[np.float64],
) -> None:
    """Move loose ends to the border of the crack, and add to their length what was missing.

    A line of one point gets the direction of its longest chord.
    """
    image = mask.astype(np.float32)
    ends = np.array([index for index, _ in paths.loose], int)
    if not len(ends):
        return
    side = np.array([side for _, side in paths.loose])
    branch = paths.branch[ends]
    back = np.ceil(np.maximum(paths.radius[ends], STRETCH)).astype(int)
    inner = np.clip(ends - side * back, paths.start[branch], paths.end[branch] - 1)
    direction = places[ends] - places[inner]
    norm = np.hypot(*direction.T)
    single = norm < 1e-9
    if single.any():
        first = ends[single & (side < 0)]
        tangent[first] = _longest_chord(image, places[first], 3 * paths.radius[first] + 2)
        direction[single], norm[single] = side[single, None] * tangent[ends[single]], 1
    direction /= norm[:, None]
    added = _to_border(image, places[ends], direction, 3 * paths.radius[ends] + 2)
    np.add.at(length, ends, added)
    places[ends[~single]] += (added[:, None] * direction)[~single]


def _longest_chord(
    image: NDArray[np.float32], points: NDArray[np.float64], limit: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The direction in which the borders on both sides of each point are farthest apart."""
    fan = np.column_stack([np.sin(FAN), np.cos(FAN)])
    ways = [np.tile(way, (len(points), 1)) for way in fan]
    chords = [_to_border(image, points, way, limit) + _to_border(image, points, -way, limit) for way in ways]
    return fan[np.argmax(chords, 0)]


def _to_border(
    image: NDArray[np.float32],
    points: NDArray[np.float64],
    direction: NDArray[np.float64],
    limit: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How far one can go from each point until the interpolated mask falls below one half."""
    reached = limit.copy()
    active = np.arange(len(points))
    before = np.ones(len(points))
    distance = 0.0
    while len(active):
        distance += STEP
        place = points[active] + distance * direction[active]
        value = ndimage.map_coordinates(image, place.T, order=1, mode='nearest')
        crossed = value < 0.5
        fraction = np.clip((before[crossed] - 0.5) / np.maximum(before[crossed] - value[crossed], 1e-9), 0, 1)
        reached[active[crossed]] = distance - STEP + STEP * fraction
        outside = ((place < -0.5) | (place > np.array(image.shape) - 0.5)).any(1) & ~crossed
        reached[active[outside]] = distance
        keep = ~(crossed | outside) & (distance < limit[active])
        active, before = active[keep], value[keep]
    return np.minimum(reached, limit)
