"""The wall as a plane that a camera looks at: how large each pixel is on it, in each direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class LocalScale(NamedTuple):
    """Millimetres per pixel at one place, along a direction in the photo and across it on the wall.

    Attributes:
        along: For lengths in that direction.
        across: For widths, which on the wall are at right angles to it.
        relative_std: Relative standard deviation of both; None if it is not known.
    """

    along: float
    across: float
    relative_std: float | None


@dataclass(frozen=True)
class WallPlane:
    """Maps pixels of a photo to millimetres on the wall.

    Attributes:
        homography: 3x3, rows: pixels (x, y, 1), where (0.5, 0.5) is the middle of the first one, to
            millimetres on the wall.
        size: Height and width of the photo.
        relative_std: Relative standard deviation of the scale on a grid over the photo, corners included.
        tilt: Degrees between the optical axis and the wall's normal.

    Example:
        >>> plane = WallPlane(((0.5, 0, 0), (0, 0.25, 0), (0, 0, 1)), (90, 120), ((0.01,) * 5,) * 5, 60.0)
        >>> [round(value, 3) for value in plane.at(40, 60, direction=0)]
        [0.5, 0.25, 0.01]
        >>> [round(value, 3) for value in plane.at(40, 60, direction=90)]
        [0.25, 0.5, 0.01]
    """

    homography: tuple[tuple[float, ...], ...]
    size: tuple[int, int]
    relative_std: tuple[tuple[float, ...], ...]
    tilt: float

    def at(self, row: float, column: float, direction: float | None = None) -> LocalScale:
        """The scale at a place.

        Args:
            row: Row of the photo.
            column: Column.
            direction: Degrees in the photo: 0 horizontal, 45 rising to the right; None for the mean over all
                directions, the root of the ratio of areas.
        """
        jacobian = plane_jacobian(np.array(self.homography), column, row)
        determinant = abs(float(np.linalg.det(jacobian)))
        along = math.sqrt(determinant)
        if direction is not None:
            angle = math.radians(direction)
            along = float(np.linalg.norm(jacobian @ (math.cos(angle), -math.sin(angle))))
        return LocalScale(along, determinant / along, self._std(row, column))

    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest scale in the photo, which are at its corners."""
        scales = [self.at(row, column).along for row in (0, self.size[0]) for column in (0, self.size[1])]
        return min(scales), max(scales)

    def _std(self, row: float, column: float) -> float:
        """Bilinear between the points of the grid."""
        grid, places = np.array(self.relative_std), []
        for value, side in ((row, self.size[0]), (column, self.size[1])):
            place = min(max(value / side, 0.0), 1.0) * (len(grid) - 1)
            low = min(int(place), len(grid) - 2)
            places.append((low, place - low))
        (top, down), (left, right) = places
        rows = (1 - down) * grid[top] + down * grid[top + 1]
        return float((1 - right) * rows[left] + right * rows[left + 1])


def plane_jacobian(homography: NDArray, x: float, y: float) -> NDArray[np.float64]:
    """Derivative (2, 2) of a projective map at a point."""
    u = homography @ (x, y, 1.0)
    return (homography[:2, :2] - np.outer(u[:2] / u[2], homography[2, :2])) / u[2]
