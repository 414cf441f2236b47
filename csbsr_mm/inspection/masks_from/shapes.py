"""What people draw around cracks, and masks made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 500_000_000


@dataclass(frozen=True)
class Polygon:
    """A filled outline.

    Attributes:
        points: (N, 2) x and y in pixels of the photo; (0, 0) is the corner of the first one.
    """

    points: NDArray[np.float64]


@dataclass(frozen=True)
class Bitmap:
    """A painted part of a photo.

    Attributes:
        pixels: (h, w), True on cracks.
        top: Row of its first pixel in the photo.
        left: Column of that pixel.
    """

    pixels: NDArray[np.bool_]
    top: int = 0
    left: int = 0


@dataclass
class AnnotatedPhoto:
    """A photo that somebody looked through.

    Attributes:
        name: File of the photo, without folders.
        size: Its height and width in pixels; None if the annotations do not say it.
        shapes: What was drawn around cracks; nothing on a photo without cracks.
        left_out: Kinds of shapes that have no area, such as boxes and lines, and how many there are.
    """

    name: str
    size: tuple[int, int] | None
    shapes: list[Polygon | Bitmap] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def draw_mask(shapes: Sequence[Polygon | Bitmap], size: tuple[int, int], scale: int = 1) -> NDArray[np.bool_]:
    """Draw shapes into a mask.

    A pixel belongs to a polygon if the outline goes around its middle, by the winding number. So the outlines
    that :mod:`..exports` writes come back to the pixel at the scale that they were traced at.

    Args:
        shapes: What to draw.
        size: Height and width of the photo.
        scale: Mask pixels per pixel of the photo. Cracks that are thinner than a pixel need more than one.

    Returns:
        (scale * height, scale * width), True on cracks.

    Raises:
        ValueError: The mask would have more than 500 megapixels, or a painted part exceeds the photo.

    Example:
        >>> square = Polygon(np.array([[0.4, 0.0], [2.0, 0.0], [2.0, 1.0], [0.4, 1.0]]))
        >>> draw_mask([square], (2, 3)).astype(int).tolist()
        [[1, 1, 0], [0, 0, 0]]
        >>> draw_mask([square], (1, 2), scale=2).astype(int).tolist()
        [[0, 1, 1, 1], [0, 1, 1, 1]]
    """
    height, width = (scale * side for side in size)
    if height * width > MAX_PIXELS:
        raise ValueError(f'a mask of {width}x{height} pixels is too large; lower the scale')
    mask = np.zeros((height, width), bool)
    for shape in shapes:
        if isinstance(shape, Polygon):
            _fill(mask, scale * shape.points)
            continue
        pixels = shape.pixels.repeat(scale, 0).repeat(scale, 1)
        top, left = scale * shape.top, scale * shape.left
        part = (
            mask[top : top + pixels.shape[0], left : left + pixels.shape[1]]
            if min(top, left) >= 0
            else mask[:0]
        )
        if part.shape != pixels.shape:
            raise ValueError(f'a painted part reaches beyond the photo of {size[1]}x{size[0]} pixels')
        part |= pixels
    return mask


def _fill(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> None:
    """Set the pixels whose middles the outline goes around: by the crossings of their rows with its edges."""
    height, width = mask.shape
    # Middles of pixels as whole numbers.
    x, y = (points - 0.5).T
    x_end, y_end = np.roll(x, -1), np.roll(y, -1)
    first, last = (np.ceil(side(y, y_end)).clip(0, height).astype(int) for side in (np.minimum, np.maximum))
    count = last - first
    edge = np.repeat(np.arange(len(x)), count)
    if not len(edge):
        return
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (x_end - x)[edge] / (y_end - y)[edge]
    column = np.ceil(x[edge] + (row - y[edge]) * slope).clip(0, width).astype(int)
    top, left, bottom = row.min(), column.min(), row.max() + 1
    crossings = np.zeros((bottom - top, column.max() - left + 1), np.int32)
    np.add.at(crossings, (row - top, column - left), np.sign(y_end - y)[edge].astype(np.int32))
    mask[top:bottom, left : column.max()] |= np.cumsum(crossings, 1)[:, :-1] != 0
