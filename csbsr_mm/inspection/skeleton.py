"""Centre lines of cracks: where they run, which way, how long and how wide, at each of their pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

EIGHT = np.ones((3, 3), int)
DIRECTION_RADIUS = 6.0
STEP = 0.25
SPUR, SPECK = 1.5, 3
"""A side branch is cut if shorter than so many times the half width of the crack that it leaves, or than
so many pixels."""


class CentreLine(NamedTuple):
    """The pixels of a skeleton; all arrays have one entry per pixel.

    Attributes:
        rows: row of the pixel.
        columns: column of the pixel.
        angle: direction of the line in radians, in [-π/2, π/2]; x to the right, y down.
        length: how much of the line this pixel stands for, in pixels.
        width: width of the crack across the line, in pixels.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    angle: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]


def trace(mask: NDArray[np.bool_]) -> CentreLine:
    """Trace the centre lines of all cracks in a mask.

    The mask is thinned and side branches that end inside the crack's own width are cut. Direction is that
    of the skeleton within six pixels. A pixel of a line at angle θ stands for a length of
    1 / max(|cos θ|, |sin θ|), which adds up to the true length of a straight line at any angle. Width is
    the distance between the two borders along the normal, borders being interpolated between pixels; at
    junctions, where a normal may run along the other branch, it is limited to one pixel more than the
    diameter of the disk around the pixel that fits into the crack.

    Args:
        mask: (H, W), True on cracks. Cracks may run out of the image.

    Returns:
        The pixels of all centre lines.

    Example:
        >>> band = np.zeros((40, 60), bool)
        >>> band[17:23] = True
        >>> line = trace(band)
        >>> float(np.median(line.width)), round(float(line.length.sum()))
        (6.0, 57)
    """
    distance = _distance_to_border(mask)
    skeleton = _without_spurs(skeletonize(mask), distance)
    rows, columns = np.nonzero(skeleton)
    angle = _directions(rows, columns)
    length = 1 / np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle)))
    width = np.minimum(_across(mask, rows, columns, angle), 2 * distance[rows, columns] + 1)
    return CentreLine(rows, columns, angle, length, width)


def _distance_to_border(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the nearest pixel that is no crack; the image's border is none."""
    if mask.all():
        # Nothing but crack: nothing can be measured but the image itself.
        return np.full(mask.shape, max(mask.shape) / 2)
    return ndimage.distance_transform_edt(mask)


def _without_spurs(skeleton: NDArray[np.bool_], distance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cut side branches until none is left; a branch that forks loses its forks first."""
    while (spurs := _spurs(skeleton, distance)).any():
        # Thinned again, because the pixels of a former junction stand in clusters.
        skeleton = skeletonize(skeleton & ~spurs)
    return skeleton


def _spurs(skeleton: NDArray[np.bool_], distance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Branches with a loose end that hardly leave the crack itself."""
    neighbours = ndimage.convolve(skeleton.astype(np.uint8), EIGHT, mode='constant') - 1
    junctions = skeleton & (neighbours > 2)
    branches, count = ndimage.label(skeleton & ~junctions, EIGHT)
    numbers = np.arange(1, count + 1)
    pixels = np.bincount(branches.ravel(), minlength=count + 1)[1:]
    loose_ends = ndimage.maximum(skeleton & (neighbours == 1), branches, numbers)
    reach = ndimage.maximum_filter(np.where(junctions, distance, 0), 3)
    half_width = ndimage.maximum(reach, branches, numbers)
    touching, limit = np.array(half_width) > 0, np.maximum(SPUR * np.array(half_width), SPECK)
    is_spur = touching & (np.array(loose_ends) > 0) & (pixels < limit)
    return np.concatenate([[False], is_spur])[branches]


def _directions(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Principal direction of the skeleton's pixels around each of them."""
    count = len(rows)
    if count == 0:
        return np.zeros(0)
    points = np.column_stack([columns, rows]).astype(float)
    first, second = cKDTree(points).query_pairs(DIRECTION_RADIUS, output_type='ndarray').T
    centre, other = np.concatenate([first, second]), np.concatenate([second, first])
    x, y = (points[other] - points[centre]).T

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(centre, values, count) / number

    # The pixel itself counts as well, at distance zero.
    number = 1 + np.bincount(centre, minlength=count)
    xx, yy, xy = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2, mean(x * y) - mean(x) * mean(y)
    return 0.5 * np.arctan2(2 * xy, xx - yy)


def _across(
    mask: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp], angle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance between the borders along the normal of the line."""
    image = mask.astype(np.float32)
    normal = np.column_stack([np.cos(angle), -np.sin(angle)])
    points = np.column_stack([rows, columns]).astype(float)
    return _to_border(image, points, normal) + _to_border(image, points, -normal)


def _to_border(
    image: NDArray[np.float32], points: NDArray[np.float64], direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far one can go from each point until the interpolated mask falls below one half."""
    reached = np.zeros(len(points))
    active = np.arange(len(points))
    before = np.ones(len(points))
    distance = 0.0
    while len(active):
        distance += STEP
        place = points[active] + distance * direction[active]
        value = ndimage.map_coordinates(image, place.T, order=1, mode='nearest')
        crossed = value < 0.5
        fraction = (before[crossed] - 0.5) / (before[crossed] - value[crossed])
        reached[active[crossed]] = distance - STEP + STEP * fraction
        outside = ((place < 0) | (place > np.array(image.shape) - 1)).any(1) & ~crossed
        reached[active[outside]] = distance
        keep = ~(crossed | outside)
        active, before = active[keep], value[keep]
    return reached
