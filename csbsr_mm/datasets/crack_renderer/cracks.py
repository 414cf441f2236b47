"""The geometry of cracks: rough paths that branch and taper, and the pixels they cover."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import Voronoi

from .noise import Rng, walk
from .surfaces import Courses, Surface

FRACTION_BITS = 4
"""Fixed-point bits with which OpenCV takes polygon corners."""


@dataclass
class Crack:
    """A crack as a ribbon.

    Attributes:
        points: Centre line (N, 2), x and y in pixels, a few pixels apart.
        width: Width (N,) in pixels.
    """

    points: np.ndarray
    width: np.ndarray


def draw_cracks(rng: Rng, surface: Surface, largest_width: float) -> list[Crack]:
    """Random crack pattern for a surface: one crack, with branches, two, or a network.

    Args:
        rng: Source of randomness.
        surface: What cracks; masonry cracks partly along its joints, asphalt has networks.
        largest_width: Width of the widest crack in pixels.
    """
    size = len(surface.relief)
    hairline = 0.2 * largest_width
    width = hairline + (largest_width - hairline) * rng.beta(1.0, 3.2)
    roughness = {'asphalt': 0.1, 'concrete': 0.075, 'plaster': 0.065, 'masonry': 0.07}[surface.kind]
    roughness *= rng.uniform(0.6, 1.5)
    if surface.kind == 'asphalt' and rng.random() < 0.14:
        cracks = _network(rng, size, width, roughness)
    else:
        cracks = _lines(rng, surface, width, hairline, roughness)
    return [Crack(crack.points, np.minimum(crack.width, largest_width)) for crack in cracks]


def _lines(rng: Rng, surface: Surface, width: float, hairline: float, roughness: float) -> list[Crack]:
    """One or two cracks across the surface, with their branches."""
    size = len(surface.relief)
    cracks = []
    for _ in range(1 if rng.random() < 0.78 else 2):
        start, end = _across(rng, size)
        if surface.courses is not None and rng.random() < 0.6:
            path = _along_joints(rng, surface.courses, start, end)
        else:
            path = rough_path(rng, start, end, roughness)
        crack = ribbon(rng, path, width, taper=rng.random() < 0.35)
        cracks += [crack, *_branches(rng, crack, size, roughness, depth=2)]
        width = max(width * rng.uniform(0.4, 0.9), hairline)
    return cracks


def rough_path(rng: Rng, start: np.ndarray, end: np.ndarray, roughness: float) -> np.ndarray:
    """Fractal path by midpoint displacement.

    Args:
        rng: Source of randomness.
        start: First point, x and y in pixels.
        end: Last point.
        roughness: Sideways displacement of the middle, as a share of the length.

    Returns:
        Points (N, 2), 1.5 to 3 pixels apart.
    """
    points = np.array([start, end], np.float64)
    step = np.linalg.norm(points[1] - points[0])
    while step > 3:
        along = np.diff(points, axis=0)
        normal = along[:, ::-1] * (1, -1)
        middle = (points[:-1] + points[1:]) / 2 + normal * rng.normal(0, roughness, (len(along), 1))
        merged = np.empty((2 * len(points) - 1, 2))
        merged[::2], merged[1::2] = points, middle
        points, step = merged, step / 2
        # Long bends are wider than the small kinks that grains force on a crack.
        roughness *= 0.97
    return points


def ribbon(rng: Rng, path: np.ndarray, width: float, taper: bool) -> Crack:
    """Give a path a width that wanders along it and, if it ends inside, runs out."""
    count = len(path)
    profile = width * np.exp(0.28 * walk(rng, count, 20) + 0.16 * walk(rng, count, 5))
    if taper:
        rest = 1 - np.linspace(0, 1, count)
        profile = profile * np.minimum(1, 0.15 + 1.2 * rest**0.7)
    return Crack(path, profile)


def coverage(rng: Rng, cracks: list[Crack], size: int, oversampling: int = 2) -> np.ndarray:
    """Share of each pixel that cracks cover, with ragged edges.

    Args:
        rng: Source of randomness.
        cracks: Cracks in pixels.
        size: Side length of the image in pixels.
        oversampling: Samples per pixel along each axis.

    Returns:
        float32 (size, size), 0..1.
    """
    canvas = np.zeros((size * oversampling,) * 2, np.uint8)
    for crack in cracks:
        corners = np.rint(_quads(rng, crack) * oversampling * 2**FRACTION_BITS).astype(np.int32)
        for quad in corners:
            cv2.fillConvexPoly(canvas, quad, 255, cv2.LINE_8, FRACTION_BITS)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _quads(rng: Rng, crack: Crack) -> np.ndarray:
    """The ribbon as quadrilaterals (N - 1, 4, 2); both edges are rough on their own."""
    tangent = np.gradient(crack.points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    normal = tangent[:, ::-1] * (1, -1)
    count = len(crack.points)
    edges = []
    for side in (1, -1):
        ragged = 1 + 0.22 * walk(rng, count, 3) + 0.14 * walk(rng, count, 1.3)
        edges.append(crack.points + side * normal * (crack.width * np.maximum(ragged, 0.35) / 2)[:, None])
    left, right = edges
    return np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)


def _branches(rng: Rng, crack: Crack, size: int, roughness: float, depth: int) -> list[Crack]:
    """Thinner cracks that leave a crack sideways, and theirs."""
    branches = []
    for _ in range(rng.poisson(0.9 if depth == 2 else 0.35)):
        at = rng.integers(len(crack.points) // 8, 7 * len(crack.points) // 8)
        tangent = crack.points[min(at + 6, len(crack.points) - 1)] - crack.points[max(at - 6, 0)]
        heading = np.arctan2(*tangent[::-1]) + rng.choice([-1, 1]) * rng.uniform(0.45, 1.3)
        length = size * rng.uniform(0.12, 0.6) * (0.5 if depth == 1 else 1)
        start = crack.points[at]
        path = rough_path(
            rng, start, start + length * np.array([np.cos(heading), np.sin(heading)]), roughness
        )
        branch = ribbon(rng, path, max(crack.width[at] * rng.uniform(0.4, 0.8), 2.2), taper=True)
        branches.append(branch)
        if depth > 1:
            branches += _branches(rng, branch, size, roughness, depth - 1)
    return branches


def _across(rng: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two points beyond opposite or neighbouring sides, through the middle part of the image."""
    middle = rng.uniform(0.25, 0.75, 2) * size
    heading = rng.uniform(0, np.pi)
    reach = size * np.array([np.cos(heading), np.sin(heading)])
    bend = rng.normal(0, 0.12 * size, 2)
    start, end = middle - reach + bend, middle + reach - bend
    if rng.random() < 0.25:
        end = middle + rng.uniform(-0.1, 0.4) * reach
    return start, end


def _along_joints(rng: Rng, courses: Courses, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Stairs along bed and upright joints, cutting through a brick now and then."""
    u, v = courses.to_wall(*np.stack([start, end], axis=-1))
    u, v = u[np.argsort(v)], np.sort(v)
    corners = []
    for course in range(int(v[0] // courses.height), int(v[1] // courses.height) + 1):
        target = np.interp((course + 0.5) * courses.height, v, u)
        joint = courses.upright_joint(target, course)
        if rng.random() < 0.15:
            joint = target
        corners += [(joint, course * courses.height), (joint, (course + 1) * courses.height)]
    path = np.stack(courses.to_image(*np.array(corners).T), axis=-1)
    pieces = [rough_path(rng, a, b, 0.035)[:-1] for a, b in pairwise(path) if np.linalg.norm(b - a) > 2]
    return np.concatenate(pieces)


def _network(rng: Rng, size: int, width: float, roughness: float) -> list[Crack]:
    """Alligator cracking: the borders between cells, missing here and there."""
    spacing = size * rng.uniform(0.2, 0.42)
    steps = np.arange(-spacing, size + 2 * spacing, spacing)
    seeds = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    seeds = seeds + rng.uniform(-0.42, 0.42, seeds.shape) * spacing
    cells = Voronoi(seeds)
    cracks = []
    for a, b in cells.ridge_vertices:
        if min(a, b) >= 0 and rng.random() < 0.8:
            path = rough_path(rng, cells.vertices[a], cells.vertices[b], roughness)
            cracks.append(ribbon(rng, path, width * rng.uniform(0.5, 1.0), taper=rng.random() < 0.2))
    return cracks
