"""From pixels of a photo to the coordinates of its world file, or to millimetres on the wall."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

WORLD_FILES = {'.jpg': '.jgw', '.jpeg': '.jgw', '.png': '.pgw', '.tif': '.tfw', '.tiff': '.tfw'}
PIXELS = (1.0, 0.0, 0.0, -1.0, 0.5, -0.5)
"""Columns to the right, rows downwards: the world of a photo without a world file."""

if TYPE_CHECKING:
    from csbsr_mm.inspection.scale.wall_plane import WallPlane

World = tuple[float, ...]


def read_world_file(photo: str | Path) -> World | None:
    """The six numbers of a photo's world file, or None if it has none.

    Raises:
        ValueError: The file does not hold six numbers.
    """
    path = Path(photo)
    for suffix in (WORLD_FILES.get(path.suffix.lower(), '.wld'), '.wld'):
        world = path.with_suffix(suffix)
        if world.is_file():
            numbers = tuple(float(word) for word in world.read_text(encoding='utf-8').split())
            if len(numbers) != 6:
                raise ValueError(f'{world} must hold six numbers, got {len(numbers)}')
            return numbers
    return None


def world_of(photo: str | Path) -> World:
    """The world file of a photo; without one x counts columns, and y rows, downwards negative."""
    return read_world_file(photo) or PIXELS


def in_world(points: NDArray[np.float64], world: World) -> NDArray[np.float64]:
    """World coordinates of points.

    Args:
        points: (N, 2 or more) x and y in pixels of the photo; what follows is left alone.
        world: Six numbers in the order of a world file, which speaks of the middles of pixels.

    Returns:
        (N, 2).
    """
    across, down, across_row, down_row, left, top = world
    column, row = points[:, 0] - 0.5, points[:, 1] - 0.5
    x = across * column + across_row * row + left
    y = down * column + down_row * row + top
    return np.column_stack([x, y])


def on_wall(points: NDArray[np.float64], plane: WallPlane) -> NDArray[np.float64]:
    """Millimetres on the wall, y upwards, of points that a camera sees at an angle.

    Args:
        points: (N, 2) x and y in pixels of the photo.
        plane: The wall.

    Returns:
        (N, 2). The wall is not mirrored, whichever way its own axes run.
    """
    homography = np.array(plane.homography)
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    # Pixels count downwards: a map that keeps their sense of rotation, by the sign of its Jacobian
    # det(homography) / w³, has its own y downwards, too.
    is_downwards = np.linalg.det(homography) * np.sign(mapped[0, 2]) > 0
    return mapped[:, :2] / mapped[:, 2:] * (1, -1 if is_downwards else 1)


def pixel_side(world: World) -> float:
    """Side of a pixel in the world's unit: of a square as large as it."""
    across, down, across_row, down_row, *_ = world
    return abs(across * down_row - across_row * down) ** 0.5
