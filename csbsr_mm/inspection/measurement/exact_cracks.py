"""Drawings of cracks that hold the exact part of each pixel that is crack."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CURVE_RADIUS = 0.6
"""Radius of the curved crack, in sides of the drawing."""
FORK = math.radians(50)


def straight(width: float, degrees: float, side: int, shift: float = 0.0) -> NDArray[np.float64]:
    """A crack through the drawing from border to border.

    Args:
        width: Its width in pixels.
        degrees: Its direction, counted upwards.
        side: Rows and columns of the drawing.
        shift: How far its centre line passes from the middle of the drawing, in pixels.

    Returns:
        (side, side) part of each pixel that is crack, exact but for rounding.

    Example:
        >>> straight(0.25, 0, 5).sum(1).round(3).tolist()
        [0.0, 0.0, 1.25, 0.0, 0.0]
    """
    rows, columns = _grid(side)
    angle = math.radians(degrees)
    across = math.sin(angle) * columns + math.cos(angle) * rows - shift
    return _band(across, width, math.sin(angle), math.cos(angle))


def curved(width: float, degrees: float, side: int, shift: float = 0.0) -> NDArray[np.float64]:
    """An arc; its middle passes the drawing's like :func:`straight`, which has the arguments.

    Within a pixel the arc counts as straight: an error of about 1 / (8 radius) pixels on either border.
    """
    rows, columns = _grid(side)
    angle = math.radians(degrees)
    radius = CURVE_RADIUS * side
    down, aside = rows - math.cos(angle) * (radius + shift), columns - math.sin(angle) * (radius + shift)
    distance = np.hypot(down, aside)
    return _band(distance - radius, width, aside / distance, down / distance)


def branching(width: float, degrees: float, side: int, shift: float = 0.0) -> NDArray[np.float64]:
    """A straight crack, and one of the same width that leaves it; arguments as for :func:`straight`."""
    rows, columns = _grid(side)
    angle = math.radians(degrees) + FORK
    across = math.sin(angle) * columns + math.cos(angle) * rows - shift
    along = math.cos(angle) * columns - math.sin(angle) * rows
    branch = _band(across, width, math.sin(angle), math.cos(angle)) * (along > 0)
    return np.maximum(straight(width, degrees, side, shift), branch)


SHAPES: dict[str, Callable[[float, float, int, float], NDArray[np.float64]]] = {
    'straight': straight,
    'curved': curved,
    'branching': branching,
}


def _grid(side: int) -> NDArray[np.float64]:
    return np.mgrid[:side, :side] - (side - 1) / 2


def _band(
    across: NDArray[np.float64], width: float, aside: NDArray | float, down: NDArray | float
) -> NDArray[np.float64]:
    """Part of a pixel inside a band whose middle is ``across`` away, along the normal (down, aside)."""
    return _half_plane(across + width / 2, aside, down) - _half_plane(across - width / 2, aside, down)


def _half_plane(
    distance: NDArray[np.float64], aside: NDArray | float, down: NDArray | float
) -> NDArray[np.float64]:
    """Part of a pixel that lies less than ``distance`` along the normal from its centre.

    The projection of a pixel on the normal has a trapezoid as density, which is integrated.
    """
    long, short = (pick(np.abs(aside), np.abs(down)) for pick in (np.maximum, np.minimum))
    short = np.maximum(short, 1e-9)
    outer, inner = (long + short) / 2, (long - short) / 2

    def ramp(limit: NDArray | float) -> NDArray:
        return np.square(np.maximum(distance + limit, 0)) / 2

    return np.clip((ramp(outer) - ramp(inner) - ramp(-inner) + ramp(-outer)) / (long * short), 0, 1)
