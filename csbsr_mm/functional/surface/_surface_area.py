"""Area of the surface element between 2x2x2 voxels, for each way in which they can be set.

The surface crosses every edge of the cube whose ends differ, in its middle. On each face crossed twice, the
two crossings are joined; on a face crossed four times, each set corner is cut off on its own. The joined
crossings form closed polygons. More than four set corners are treated as their complement is.

A polygon of five or six crossings need not be flat. A crossing that is the only one of its set corner is cut
off as a triangle; a quadrilateral that is left is folded along its longer diagonal::

    three set corners a - b - c         b's only crossing with its two neighbours: a triangle
                                        a's two crossings and c's two: a flat quadrilateral
    four in a twisted row a - b - c - d   a triangle for b, one for c, and two for the crossings of a and d

With these rules the areas are those of the marching-cubes table in DeepMind's surface-distance, for every
spacing.

Reference: Lorensen and Cline, Marching cubes: a high resolution 3D surface construction algorithm, 1987.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int, int]
Edge = tuple[Corner, Corner]

# The code's bits: corner (0, 0, 0) is 128, then the last axis runs fastest.
_CORNERS: list[Corner] = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]


def code_kernel() -> NDArray[np.uint8]:
    """(2, 2, 2) weight of each voxel in the code of its neighbourhood."""
    return (128 >> np.arange(8)).astype(np.uint8).reshape(2, 2, 2)


def element_areas(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """(256,) area of the surface element of each code.

    Args:
        spacing: Size of a voxel along the three axes.
    """
    scale = np.asarray(spacing, float)
    return np.array([_area(polygons, scale) for polygons in _polygons_by_code()])


def _area(polygons: list[NDArray], scale: NDArray) -> float:
    """Sum of the areas of flat polygons."""
    return float(sum(_flat_area(polygon * scale) for polygon in polygons))


def _flat_area(corners: NDArray) -> float:
    """Area of a flat polygon in space: half the length of its summed cross products."""
    normal = np.cross(corners, np.roll(corners, -1, 0)).sum(0)
    return 0.5 * float(np.linalg.norm(normal))


@lru_cache(maxsize=1)
def _polygons_by_code() -> list[list[NDArray]]:
    """For each code, the flat polygons of its surface element in a cube of side 1."""
    polygons = []
    for code in range(256):
        if code.bit_count() > 4:
            code = 255 - code
        inside = {corner for bit, corner in enumerate(_CORNERS) if code & (128 >> bit)}
        polygons.append([flat for loop in _loops(inside) for flat in _flat_parts(loop, inside)])
    return polygons


def _faces() -> Iterator[list[Corner]]:
    """The six faces of the cube, their corners in a ring."""
    for axis in range(3):
        for side in (0, 1):
            yield [_insert(axis, side, ring) for ring in ((0, 0), (0, 1), (1, 1), (1, 0))]


def _insert(axis: int, side: int, others: tuple[int, int]) -> Corner:
    values = list(others)
    values.insert(axis, side)
    return values[0], values[1], values[2]


def _loops(inside: set[Corner]) -> list[list[Edge]]:
    """Closed polygons of crossed edges around the corners inside."""
    neighbours: dict[Edge, list[Edge]] = {}
    for face in _faces():
        for one, other in _joined(face, inside):
            neighbours.setdefault(one, []).append(other)
            neighbours.setdefault(other, []).append(one)
    loops = []
    while neighbours:
        loop = [next(iter(neighbours))]
        while loop[-1] in neighbours:
            onward = [edge for edge in neighbours.pop(loop[-1]) if edge not in loop[-2:]]
            loop += [edge for edge in onward[:1] if edge in neighbours]
        loops.append(loop)
    return loops


def _joined(face: list[Corner], inside: set[Corner]) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of a face's crossed edges that the surface joins."""
    edges: list[Edge] = [_edge(face[i], face[(i + 1) % 4]) for i in range(4)]
    crossed = [edge for edge in edges if (edge[0] in inside) != (edge[1] in inside)]
    if len(crossed) == 2:
        yield crossed[0], crossed[1]
    elif len(crossed) == 4:
        for i in range(4):
            if face[i] in inside:
                yield edges[i - 1], edges[i]


def _edge(one: Corner, other: Corner) -> Edge:
    return (one, other) if one < other else (other, one)


def _flat_parts(loop: list[Edge], inside: set[Corner]) -> Iterator[NDArray]:
    """Cut off the crossings that are the only one of their corner, if the polygon is not flat anyway."""
    points = [np.mean(edge, axis=0) for edge in loop]
    corners = [edge[0] if edge[0] in inside else edge[1] for edge in loop]
    alone = [corners.count(corner) == 1 for corner in corners]
    if len(loop) < 5:
        alone = [False] * len(loop)
    for i, cut in enumerate(alone):
        if cut:
            yield np.array([points[i - 1], points[i], points[(i + 1) % len(points)]])
    left = np.array([point for point, cut in zip(points, alone, strict=True) if not cut])
    if len(left) != 4:
        yield left
        return
    fold = int(np.linalg.norm(left[1] - left[3]) > np.linalg.norm(left[0] - left[2]))
    yield left[[fold, fold + 1, fold + 2]]
    yield left[[fold + 2, (fold + 3) % 4, fold]]
