"""Widths between pixels: from the profile of probability, or of darkness, across the centre line.

A mask knows only whether a pixel is more than half crack. The probability says how much of it is. With a
profile p(s) across the line, 1 inside the crack and 0 outside,

    width = ∫ p(s) ds / P

where P is 1, or the highest value of the profile if the inside of the crack is seen, that is if the profile
is wider than four pixels and flat at the top: a model that is not sure is not thin. If p is a calibrated
probability, the integral is the expected width. If p is the part of a pixel that is crack, it is the width
itself, however thin the crack is. For edges that are blurred evenly it is the distance between the two
places where p is one half, which is also returned.

Reference:
    The edges are those of the partial area effect: Trujillo-Pino et al., Accurate subpixel edge location
    based on partial area effect, Image and Vision Computing 31 (2013).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional._numba import numba_kernels

STEP = 0.25
FOOT, VALLEY = 0.02, 0.1
WIDE, TABLE = (2.0, 4.0), (0.45, 0.75)
"""From where to where a profile counts as that of a crack whose inside is seen: width in pixels, and the part
of the width over which it keeps nine tenths of its height (0.39 for a bell, 1 for a table)."""
MARGIN = 3.0
"""How many pixels beyond the border of the mask, and half as many widths more, a profile may go on."""


class ProfileWidths(NamedTuple):
    """Widths at points of a line, in pixels.

    Attributes:
        area: From the integral over the profile.
        edges: Between the outermost places on both sides where the profile has the level, interpolated
            between samples; of a profile that does not reach 1 the same part of its height.
    """

    area: NDArray[np.float64]
    edges: NDArray[np.float64]


def profile_widths(
    image: NDArray[np.floating],
    places: NDArray[np.float64],
    tangents: NDArray[np.float64],
    half_width: NDArray[np.float64],
    level: float = 0.5,
) -> ProfileWidths:
    """Width at each point of a centre line.

    Args:
        image: (H, W) probability of crack, or (wall - grey) / (wall - crack) of a photo; 1 inside, 0 outside.
        places: (N, 2) row and column of each point, pixel centres being whole numbers.
        tangents: (N, 2) unit vectors along the line, row and column.
        half_width: (N,) half the width that the mask has there: holes within it do not end a crack.
        level: Value of the profile at an edge.

    Returns:
        (N,) widths in pixels of the image.

    Raises:
        ImportError: Numba is missing.

    Example:
        >>> image = np.zeros((9, 20))
        >>> image[3:6] = [[0.2], [1.0], [0.6]]  # a crack of 1.8 pixels
        >>> places = np.column_stack([np.full(3, 4.0), [8.0, 9.0, 10.0]])
        >>> along = np.tile([0.0, 1.0], (3, 1))
        >>> profile_widths(image, places, along, np.full(3, 1.0)).area.round(2).tolist()
        [1.8, 1.8, 1.8]
    """
    kernels = numba_kernels('_profiles_numba')
    if kernels is None:
        raise ImportError('widths from profiles need Numba: pip install numba')
    normals = np.column_stack([-tangents[:, 1], tangents[:, 0]])
    half = np.asarray(half_width, float)
    area, edges, top = np.empty(len(places)), np.empty(len(places)), np.empty((len(places), 2))
    values = np.ascontiguousarray(image, np.float32)
    points = np.ascontiguousarray(places, float)
    kernels.walk_across(
        values, points, normals, half - 1, 1.5 * half + MARGIN, level, FOOT, VALLEY, STEP, area, edges, top
    )
    return ProfileWidths(area / _full_height(edges, *top.T), edges)


def _full_height(
    edges: NDArray[np.float64], peak: NDArray[np.float64], flat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What a profile has inside the crack: 1 if it is a thin or a blurred one, its peak if it is a table."""
    wide, table = (
        np.clip((value - low) / (high - low), 0, 1)
        for value, (low, high) in ((edges, WIDE), (flat / np.maximum(edges, STEP), TABLE))
    )
    return 1 - wide * table * (1 - np.clip(peak, 0.1, 1.0))
