"""Contour elements of binary masks and the distances between two contours, weighted by length.

A contour element sits where 2x2 pixels meet that are not all in the mask or all out of it; beyond the image's
border no pixel is in the mask. For pixel spacing (a, b) along (rows, columns) its length is::

    one or three pixels   #.  h = sqrt(a^2 + b^2) / 2      upper or lower two   ##  b
                          ..                                                    ..
    a diagonal pair       #.  2 h                          left or right two    #.  a
                          .#                                                    #.

These are the elements and lengths of DeepMind's surface-distance; distances are between elements. Lists are
sorted by (distance, length), as there, so that even ties of a floating-point sum fall alike.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional._numba import numba_kernels

Spacing = tuple[float, float]

_LARGEST_SIDE = 32_000  # squared distances of the compiled search are 32-bit integers
_KD_TREE_POINTS = 10_000  # a distance transform of the whole image is faster for more


class Distances(NamedTuple):
    """Distances from the elements of one contour to another contour, ascending, and their lengths."""

    distance: NDArray[np.float64]
    length: NDArray[np.float64]


class Contour(NamedTuple):
    """Contour elements of a mask on the grid of pixel corners.

    Attributes:
        grid: (H + 1, W + 1) bool, corners that are elements.
        points: (n, 2) row and column of each element.
        length: (n,) its length.
    """

    grid: NDArray[np.bool_]
    points: NDArray[np.intp]
    length: NDArray[np.float64]


def element_lengths(spacing: Spacing) -> NDArray[np.float64]:
    """(16,) length by which of the pixels upper left, upper right, lower left, lower right are set (8421)."""
    a, b = spacing
    h = 0.5 * np.sqrt(a**2 + b**2)
    return np.array([0, h, h, b, h, a, 2 * h, h, h, 2 * h, a, h, b, h, h, 0])


def find_contour(mask: NDArray[np.bool_], spacing: Spacing) -> Contour:
    """Contour elements of a mask."""
    height, width = mask.shape
    code = np.zeros((height + 1, width + 1), np.uint8)
    pixels = mask.astype(np.uint8)
    code[1:, 1:] = pixels << 3
    code[1:, :-1] |= pixels << 2
    code[:-1, 1:] |= pixels << 1
    code[:-1, :-1] |= pixels
    grid = (code != 0) & (code != 15)
    points = np.argwhere(grid)
    return Contour(grid, points, element_lengths(spacing)[code[grid]])


def nearest_distances(source: Contour, target: Contour, spacing: Spacing) -> NDArray[np.float64]:
    """Distance of each source element to the nearest target element; infinite if there is none."""
    if not len(source.points) or not len(target.points):
        return np.full(len(source.points), np.inf)
    if len(target.points) < _KD_TREE_POINTS:
        from scipy.spatial import cKDTree

        scale = np.asarray(spacing)
        nearest = cKDTree(target.points * scale).query(source.points * scale)[1]
        # From whole offsets, so that equal distances are equal to the last bit.
        return np.sqrt(np.square((source.points - target.points[nearest]) * scale).sum(1))
    return distance_grid(target, spacing)[tuple(source.points.T)]


def distance_grid(contour: Contour, spacing: Spacing) -> NDArray[np.float64]:
    """(H + 1, W + 1) distance of every pixel corner to the contour."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~contour.grid, sampling=spacing)


def sort_distances(distance: NDArray[np.float64], length: NDArray[np.float64]) -> Distances:
    """Sort by distance, then by length."""
    order = np.lexsort((length, distance))
    return Distances(distance[order], length[order])


def contour_distances(
    first: NDArray[np.bool_], second: NDArray[np.bool_], spacing: Spacing
) -> tuple[Distances, Distances]:
    """Distances between the contours of two masks of one shape, from the first and from the second."""
    window = bounding_box(first | second)
    if compiled(first.shape, spacing) and first.any() and second.any():
        from ._sweep import pair_distances

        there, back = pair_distances(framed(first[window]), framed(second[window]))
        return _from_squared(*there, spacing), _from_squared(*back, spacing)
    one, other = find_contour(first[window], spacing), find_contour(second[window], spacing)
    return (
        sort_distances(nearest_distances(one, other, spacing), one.length),
        sort_distances(nearest_distances(other, one, spacing), other.length),
    )


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Slices around what is set, in any number of dimensions; empty ones if nothing is."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        box.append(slice(occupied[0], occupied[-1] + 1) if len(occupied) else slice(0, 0))
    return tuple(box)


def framed(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The mask as 0 and 1 in a frame of zeros, one pixel wide."""
    frame = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    frame[1:-1, 1:-1] = mask
    return frame


def compiled(shape: tuple[int, ...], spacing: Spacing) -> bool:
    """Whether the compiled search serves images of this shape and spacing."""
    return (
        spacing[0] == spacing[1]
        and max(shape) < _LARGEST_SIDE
        and numba_kernels('surface._sweep') is not None
    )


def _from_squared(squared: NDArray[np.int32], levels: NDArray[np.uint8], spacing: Spacing) -> Distances:
    """Sorted distances from squared ones in pixels and the sorted levels around each element."""
    straight, double = levels[:, 1] < levels[:, 2], levels[:, 1] > levels[:, 2]
    keys = np.sort(squared.astype(np.int64) << 2 | straight | double * 2)
    h = 0.5 * np.sqrt(spacing[0] ** 2 + spacing[1] ** 2)
    return Distances(np.sqrt(keys >> 2) * spacing[0], np.array([h, spacing[0], 2 * h])[keys & 3])
