"""Thinned cracks as branches between junctions and loose ends; side branches that are none are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .topology import RING

LOOSE = -1
SPUR, SPECK = 2.0, 3.0
"""A branch with a loose end is cut if shorter than so many times the half width of the crack that it leaves,
or than so many pixels."""
STEADY = 0.7
CORNER = 0.35
"""A loose end that widens by more than this per pixel runs into a corner, not along the crack."""


@dataclass
class Node:
    """Where branches meet.

    Attributes:
        row: Row of its pixel in the middle.
        column: Column of that pixel.
        radius: Half the width of the crack there.
        branches: Numbers of the branches that end here; a loop that starts and ends here is listed twice.
    """

    row: float
    column: float
    radius: float
    branches: list[int] = field(default_factory=list)


@dataclass
class Branch:
    """A line without junctions.

    Attributes:
        points: Row, column and half width of the crack at each of its points, in order.
        start: Number of the node that the first point lies beside, or LOOSE.
        end: The same for the last point.
        closed: Whether it is a ring without a node.
    """

    points: list[tuple[float, float, float]]
    start: int = LOOSE
    end: int = LOOSE
    closed: bool = False

    def length(self) -> float:
        """Length over its points."""
        return sum(math.dist(one[:2], other[:2]) for one, other in pairwise(self.points))

    def reversed(self) -> Branch:
        """The same, from its end to its start."""
        return Branch(self.points[::-1], self.end, self.start, self.closed)


class CrackGraph:
    """Branches and nodes of thinned cracks.

    Args:
        skeleton: (H, W), True on lines of one pixel.
        distance: (H, W) half width of the crack at each of its pixels.

    Attributes:
        nodes: Nodes by number.
        branches: Branches by number.

    Example:
        >>> lines = np.zeros((9, 9), bool)
        >>> lines[4, 1:8] = lines[5:8, 4] = True
        >>> graph = CrackGraph(lines, np.ones((9, 9)))
        >>> sorted(len(branch.points) for branch in graph.branches.values()), len(graph.nodes)
        ([2, 2, 2], 1)
    """

    def __init__(self, skeleton: NDArray[np.bool_], distance: NDArray[np.floating]) -> None:
        self.nodes: dict[int, Node] = {}
        self.branches: dict[int, Branch] = {}
        rows, columns = np.nonzero(skeleton)
        if not len(rows):
            return
        neighbours = _neighbours(skeleton, rows, columns)
        is_junction = (neighbours >= 0).sum(1) > 2
        points = list(zip(rows.tolist(), columns.tolist(), distance[rows, columns].tolist(), strict=True))
        node_of = self._add_nodes(neighbours, is_junction, points)
        self._add_branches(neighbours, node_of, points)

    def prune(self) -> None:
        """Cut branches that end within the width of the crack they leave, until none is left.

        Where all branches of a node would go the two longest stay.
        """
        while spurs := self._spurs():
            touched = set()
            for number in spurs:
                branch = self.branches.pop(number)
                node = max(branch.start, branch.end)
                self.nodes[node].branches.remove(number)
                touched.add(node)
            for node in touched:
                self._join(node)

    def trim(self) -> None:
        """Shorten loose ends that bend into a corner of the crack to where the crack has its width."""
        for branch in self.branches.values():
            if branch.closed:
                continue
            if branch.start == LOOSE:
                del branch.points[: _corner(branch.points)]
            if branch.end == LOOSE:
                count = _corner(branch.points[::-1])
                del branch.points[len(branch.points) - count :]

    def _add_nodes(self, neighbours: NDArray, is_junction: NDArray, points: list) -> list[int]:
        """One node for each cluster of junction pixels; returns the node of each pixel, or LOOSE."""
        inner = np.flatnonzero(is_junction)
        one, slot = np.nonzero((neighbours >= 0) & is_junction[:, None])
        other = neighbours[one, slot]
        both = is_junction[other]
        count = len(points)
        links = sparse.coo_matrix((np.ones(both.sum()), (one[both], other[both])), (count, count))
        _, cluster = sparse.csgraph.connected_components(links, directed=False)
        node_of = np.full(count, LOOSE)
        _, node_of[inner] = np.unique(cluster[inner], return_inverse=True)
        members: dict[int, list] = {}
        for pixel in inner.tolist():
            members.setdefault(int(node_of[pixel]), []).append(points[pixel])
        for number, pixels in members.items():
            centre = np.mean(pixels, 0)[:2]
            row, column, _ = min(pixels, key=lambda pixel: math.dist(pixel[:2], centre))
            self.nodes[number] = Node(row, column, max(pixel[2] for pixel in pixels))
        return node_of.tolist()

    def _add_branches(self, neighbours: NDArray, node_of: list[int], points: list) -> None:
        around = [[pixel for pixel in line if pixel >= 0] for line in neighbours.tolist()]
        along = [[pixel for pixel in line if node_of[pixel] == LOOSE] for line in around]
        visited = [node != LOOSE for node in node_of]
        # Open branches first: what is left are rings.
        starts = [pixel for pixel, line in enumerate(along) if len(line) < 2]
        for start in [*starts, *range(len(points))]:
            if visited[start]:
                continue
            path = _walk(start, along, visited)
            self._add(path, around, node_of, points)

    def _add(self, path: list[int], around: list[list[int]], node_of: list[int], points: list) -> None:
        first = [node_of[pixel] for pixel in around[path[0]] if node_of[pixel] != LOOSE]
        last = [node_of[pixel] for pixel in around[path[-1]] if node_of[pixel] != LOOSE]
        if len(path) == 1:
            first, last = first[:1], first[1:]
        closed = len(path) > 2 and path[0] in around[path[-1]] and not first
        branch = Branch(
            [points[pixel] for pixel in path], *(ends[0] if ends else LOOSE for ends in (first, last))
        )
        branch.closed = closed
        number = len(self.branches)
        self.branches[number] = branch
        for node in (branch.start, branch.end):
            if node != LOOSE:
                self.nodes[node].branches.append(number)

    def _spurs(self) -> set[int]:
        spurs = {number for number, branch in self.branches.items() if self._is_spur(branch)}
        for node in self.nodes.values():
            if len(node.branches) > 1 and spurs.issuperset(node.branches):
                longest = sorted(node.branches, key=lambda number: self.branches[number].length())[-2:]
                spurs.difference_update(longest)
        return spurs

    def _is_spur(self, branch: Branch) -> bool:
        if (branch.start == LOOSE) == (branch.end == LOOSE):
            return False
        node = self.nodes[max(branch.start, branch.end)]
        root = branch.points[-1 if branch.start == LOOSE else 0]
        limit = max(SPUR * node.radius, SPECK)
        if len(branch.points) >= 2 * limit:
            return False
        return branch.length() + math.dist(root[:2], (node.row, node.column)) < limit

    def _join(self, number: int) -> None:
        """Make one branch of the two that are left at a node, or a loose end of the one."""
        node = self.nodes[number]
        place = (node.row, node.column, node.radius)
        if len(node.branches) > 2 or not node.branches:
            return
        if len(node.branches) == 1:
            branch = self.branches[node.branches[0]]
            if branch.end == number:
                branch.points.append(place)
                branch.end = LOOSE
            else:
                branch.points.insert(0, place)
                branch.start = LOOSE
        else:
            first, second = node.branches
            if first == second:
                self.branches[first].points.append(place)
                self.branches[first].start = self.branches[first].end = LOOSE
                self.branches[first].closed = True
            else:
                self._merge(number, first, second, place)
        del self.nodes[number]

    def _merge(self, number: int, first: int, second: int, place: tuple[float, float, float]) -> None:
        one, other = self.branches[first], self.branches.pop(second)
        if one.end != number:
            one = one.reversed()
        if other.start != number:
            other = other.reversed()
        self.branches[first] = Branch([*one.points, place, *other.points], one.start, other.end)
        if other.end != LOOSE:
            node = self.nodes[other.end]
            node.branches[node.branches.index(second)] = first


def _neighbours(skeleton: NDArray[np.bool_], rows: NDArray, columns: NDArray) -> NDArray[np.intp]:
    """(N, 8) number of the pixel to each side, or -1."""
    number = np.full(np.array(skeleton.shape) + 2, -1)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    return np.column_stack([number[rows + 1 + row, columns + 1 + column] for row, column in RING])


def _walk(start: int, along: list[list[int]], visited: list[bool]) -> list[int]:
    """Pixels from ``start`` on."""
    path, pixel = [], start
    while True:
        visited[pixel] = True
        path.append(pixel)
        following = [other for other in along[pixel] if not visited[other]]
        if not following:
            return path
        pixel = following[0]


def _corner(points: list[tuple[float, float, float]]) -> int:
    """How many of the first points lie in a corner; at least one point is left."""
    travelled, best, count = 0.0, points[0][2], 0
    widest = points[0][2]
    for number, (one, other) in enumerate(pairwise(points), 1):
        travelled += math.dist(one[:2], other[:2])
        widest = max(widest, other[2])
        if travelled > 3 * widest + 10:
            break
        if other[2] - CORNER * travelled > best:
            best, count = other[2] - CORNER * travelled, number
    # As far as the half width reaches, the direction is that of the end, not of the crack.
    inner = max(count, min(count + int(points[count][2]), (len(points) - 1) // 2))
    return inner if points[inner][2] >= STEADY * points[count][2] else count
