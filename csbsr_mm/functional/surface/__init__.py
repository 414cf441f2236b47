"""Distances between contours, at one threshold or at all: :mod:`.distances` has the definitions.

Inside, ``_contour`` draws the contours, ``_sweep`` searches all thresholds at once with the compiled kernels
of ``_search_numba``, ``_nearest_numba`` and ``_tail_numba``, and ``_surface_area`` is the third dimension.
"""

from .distances import average_surface_distance, hausdorff_sweep, robust_hausdorff, surface_dice

__all__ = ['average_surface_distance', 'hausdorff_sweep', 'robust_hausdorff', 'surface_dice']
