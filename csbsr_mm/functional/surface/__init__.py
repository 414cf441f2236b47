"""Distances between contours, at one threshold or at all: :mod:`.distances` has the definitions
of distances, :mod:`.agreement` those of contours that agree within a tolerance.

Inside, ``_contour`` draws the contours, ``_sweep`` searches all thresholds at once with the compiled kernels
of ``_search_numba``, ``_nearest_numba`` and ``_tail_numba``, and ``_surface_area`` is the third dimension.
"""

from .agreement import SurfaceCounts, boundary_f1, normalized_surface_dice, surface_sweep
from .distances import average_surface_distance, hausdorff_sweep, robust_hausdorff, surface_dice

__all__ = [
    'SurfaceCounts',
    'average_surface_distance',
    'boundary_f1',
    'hausdorff_sweep',
    'normalized_surface_dice',
    'robust_hausdorff',
    'surface_dice',
    'surface_sweep',
]
