"""The function names and results of DeepMind's surface-distance, for two and three dimensions.

Code that uses that package changes one import::

    from csbsr_mm.functional import surface_distance

    distances = surface_distance.compute_surface_distances(mask_gt, mask_pred, spacing_mm=(1, 1))
    hd95 = surface_distance.compute_robust_hausdorff(distances, 95)

The definition is in :mod:`csbsr_mm.functional.surface`; in three dimensions, surface elements with their
area take the place of contour elements with their length.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .surface._contour import Distances, bounding_box, contour_distances, sort_distances
from .surface._surface_area import code_kernel, element_areas

SurfaceDistances = dict[str, NDArray[np.float64]]


def compute_surface_distances(
    mask_gt: NDArray[np.bool_], mask_pred: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> SurfaceDistances:
    """Distances from each surface element of either mask to the other surface, and the elements' sizes.

    Args:
        mask_gt: (H, W) or (D, H, W) bool, true mask.
        mask_pred: The same, predicted mask.
        spacing_mm: Size of a pixel or voxel along each axis.

    Returns:
        ``distances_gt_to_pred``, ``distances_pred_to_gt``, ascending, and ``surfel_areas_gt``,
        ``surfel_areas_pred`` in the same order. If one mask is empty its lists are empty and the other's
        distances are infinite.

    Raises:
        ValueError: If masks are no bool arrays of one shape with two or three dimensions, or the spacing
            has another number of them.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[2:4, 2:4] = True
        >>> compute_surface_distances(square, square, (1, 1))['surfel_areas_gt'].round(3)
        array([0.707, 0.707, 0.707, 0.707, 1.   , 1.   , 1.   , 1.   ])
    """
    for name, mask in (('mask_gt', mask_gt), ('mask_pred', mask_pred)):
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise ValueError(f'{name} must be a bool array, got {getattr(mask, "dtype", type(mask))}')
    if mask_gt.shape != mask_pred.shape or len(spacing_mm) != mask_gt.ndim or mask_gt.ndim not in (2, 3):
        raise ValueError(
            f'masks must be of one shape in 2 or 3 dimensions with a spacing for each, got {mask_gt.shape}, '
            f'{mask_pred.shape} and {spacing_mm}'
        )
    if mask_gt.ndim == 2:
        spacing = float(spacing_mm[0]), float(spacing_mm[1])
        masks = np.ascontiguousarray(mask_gt), np.ascontiguousarray(mask_pred)
        gt_to_pred, pred_to_gt = contour_distances(*masks, spacing)
    else:
        gt_to_pred, pred_to_gt = _surface_distances(mask_gt, mask_pred, spacing_mm)
    return {
        'distances_gt_to_pred': gt_to_pred.distance,
        'distances_pred_to_gt': pred_to_gt.distance,
        'surfel_areas_gt': gt_to_pred.length,
        'surfel_areas_pred': pred_to_gt.length,
    }


def compute_average_surface_distance(surface_distances: SurfaceDistances) -> tuple[float, float]:
    """Mean distance weighted by area, from the true surface to the predicted one and back.

    Args:
        surface_distances: Result of :func:`compute_surface_distances`.

    Returns:
        Both means; NaN from an empty mask, infinity to an empty mask.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[2:4, 2:4] = True
        >>> compute_average_surface_distance(compute_surface_distances(square, square, (1, 1)))
        (0.0, 0.0)
    """
    gt_to_pred, pred_to_gt = _directions(surface_distances)
    return _mean(gt_to_pred), _mean(pred_to_gt)


def compute_robust_hausdorff(surface_distances: SurfaceDistances, percent: float) -> float:
    """The larger of both directions' percentiles of distance, weighted by area.

    Args:
        surface_distances: Result of :func:`compute_surface_distances`.
        percent: In [0, 100].

    Returns:
        The distance; infinite if a mask is empty.

    Example:
        >>> one, other = np.zeros((6, 9), bool), np.zeros((6, 9), bool)
        >>> one[2:4, 2:4] = other[2:4, 5:7] = True
        >>> compute_robust_hausdorff(compute_surface_distances(one, other, (1, 1)), 95)
        3.0
    """
    return max(_percentile(direction, percent) for direction in _directions(surface_distances))


def compute_surface_overlap_at_tolerance(
    surface_distances: SurfaceDistances, tolerance_mm: float
) -> tuple[float, float]:
    """Share of each surface that lies within a tolerance of the other.

    Args:
        surface_distances: Result of :func:`compute_surface_distances`.
        tolerance_mm: Largest distance that counts as overlap.

    Returns:
        Share of the true surface and of the predicted one; NaN for an empty mask.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[2:4, 2:4] = True
        >>> compute_surface_overlap_at_tolerance(compute_surface_distances(square, square, (1, 1)), 0)
        (1.0, 1.0)
    """
    gt_to_pred, pred_to_gt = _directions(surface_distances)
    return (
        _ratio(_area_within(gt_to_pred, tolerance_mm), np.sum(gt_to_pred.length)),
        _ratio(_area_within(pred_to_gt, tolerance_mm), np.sum(pred_to_gt.length)),
    )


def compute_surface_dice_at_tolerance(surface_distances: SurfaceDistances, tolerance_mm: float) -> float:
    """Share of both surfaces together that lies within a tolerance of the other.

    Args:
        surface_distances: Result of :func:`compute_surface_distances`.
        tolerance_mm: Largest distance that counts as overlap.

    Returns:
        In [0, 1]; NaN if both masks are empty.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[2:4, 2:4] = True
        >>> compute_surface_dice_at_tolerance(compute_surface_distances(square, square, (1, 1)), 0)
        1.0
    """
    directions = _directions(surface_distances)
    within = sum(_area_within(direction, tolerance_mm) for direction in directions)
    return _ratio(within, sum(np.sum(direction.length) for direction in directions))


def compute_dice_coefficient(mask_gt: NDArray[np.bool_], mask_pred: NDArray[np.bool_]) -> float:
    """Dice coefficient of two masks.

    Args:
        mask_gt: Bool array.
        mask_pred: Bool array of the same shape.

    Returns:
        2 |A and B| / (|A| + |B|); NaN if both are empty.

    Example:
        >>> compute_dice_coefficient(np.array([True, True, False]), np.array([False, True, True]))
        0.5
    """
    both = np.count_nonzero(mask_gt & mask_pred)
    return _ratio(2.0 * both, float(np.count_nonzero(mask_gt) + np.count_nonzero(mask_pred)))


def _directions(surface_distances: SurfaceDistances) -> tuple[Distances, Distances]:
    """The lists of the true surface and those of the predicted one."""
    return (
        Distances(surface_distances['distances_gt_to_pred'], surface_distances['surfel_areas_gt']),
        Distances(surface_distances['distances_pred_to_gt'], surface_distances['surfel_areas_pred']),
    )


def _ratio(part: float, whole: float) -> float:
    """The quotient, NaN for 0 / 0."""
    return float(part / whole) if whole else float('nan')


def _mean(direction: Distances) -> float:
    """Mean distance weighted by area."""
    return _ratio(np.sum(direction.distance * direction.length), np.sum(direction.length))


def _area_within(direction: Distances, tolerance: float) -> float:
    """Area of the elements up to a distance."""
    return float(np.sum(direction.length[direction.distance <= tolerance]))


def _percentile(direction: Distances, percent: float) -> float:
    """Smallest distance within which that share of the area lies; infinite without a surface."""
    if not len(direction.distance):
        return float('inf')
    cumulated = np.cumsum(direction.length) / np.sum(direction.length)
    index = int(np.searchsorted(cumulated, percent / 100))
    return float(direction.distance[min(index, len(cumulated) - 1)])


def _surface_distances(
    first: NDArray[np.bool_], second: NDArray[np.bool_], spacing: Sequence[float]
) -> tuple[Distances, Distances]:
    """Distances between the surfaces of two volumes, from the first and from the second."""
    areas = element_areas((float(spacing[0]), float(spacing[1]), float(spacing[2])))
    window = bounding_box(first | second)
    codes = [_neighbourhood_codes(volume[window]) for volume in (first, second)]
    surfaces = [(code != 0) & (code != 255) for code in codes]
    maps = [_distance_map(surface, spacing) for surface in surfaces]
    return (
        sort_distances(maps[1][surfaces[0]], areas[codes[0][surfaces[0]]]),
        sort_distances(maps[0][surfaces[1]], areas[codes[1][surfaces[1]]]),
    )


def _neighbourhood_codes(volume: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Code of the 2x2x2 voxels around every corner; outside of the volume nothing is set."""
    padded = np.pad(volume, 1).view(np.uint8)
    depth, height, width = (size + 1 for size in volume.shape)
    codes = np.zeros((depth, height, width), np.uint8)
    for (i, j, k), weight in np.ndenumerate(code_kernel()):
        codes |= padded[i : i + depth, j : j + height, k : k + width] * weight
    return codes


def _distance_map(surface: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Distance of every corner to the surface; infinite if there is none."""
    from scipy.ndimage import distance_transform_edt

    if not surface.any():
        return np.full(surface.shape, np.inf)
    return distance_transform_edt(~surface, sampling=spacing)
