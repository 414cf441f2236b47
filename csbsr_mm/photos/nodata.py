"""Where a photo shows nothing: the black or white around an orthomosaic, or a wholly overexposed wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .raster import Box, Raster

CELL = 8
LEAST_CELLS = 16
INNER_PART = 0.01
"""An area that does not reach the photo's edge counts from this part of the photo on."""
EIGHT = np.ones((3, 3), bool)


class NoData:
    """Areas without data, in cells of eight pixels, with a seam of one cell around them.

    Args:
        cells: (ceil(H / 8), ceil(W / 8)), True where there is no data.

    Attributes:
        part: Part of the photo without data, in [0, 1].
    """

    def __init__(self, cells: NDArray[np.bool_]) -> None:
        self.part = float(cells.mean())
        self._cells = ndimage.binary_dilation(cells, EIGHT)

    def read(self, box: Box, scale: int = 1) -> NDArray[np.bool_]:
        """Where there is no data in a box (h, w) of an image ``scale`` times as large as the photo."""
        side = CELL * scale
        rows = np.arange(box.top, box.bottom) // side
        columns = np.arange(box.left, box.right) // side
        return self._cells[np.ix_(rows, columns)]


def find_nodata(pixels: Raster) -> NoData | None:
    """Find areas of nothing but the lowest or nothing but the highest value, in all channels.

    An area counts if it has at least 16 cells of 8x8 pixels, and reaches the edge of the photo or covers one
    per cent of it. So neither a dark crack nor a gleam counts.

    Args:
        pixels: The photo.

    Returns:
        The areas, or None if there are none.

    Example:
        >>> image = np.full((200, 300, 3), 90, np.uint8)
        >>> image[:, 200:] = 0
        >>> raster = Raster(200, 300, 3, np.uint8)
        >>> raster.write(raster.box, image)
        >>> nodata = find_nodata(raster)
        >>> round(nodata.part, 2), nodata.read(Box(0, 180, 1, 220))[0].argmax() + 180
        (0.34, np.int64(192))
    """
    highest = np.iinfo(pixels.dtype).max
    shape = (-(-pixels.height // CELL), -(-pixels.width // CELL))
    found = np.zeros(shape, bool)
    for value in (0, highest):
        cells = np.zeros(shape, bool)
        for box in pixels.blocks():
            flat = (pixels.read(box) == value).all(-1)
            padding = [(0, -side % CELL) for side in flat.shape]
            blocks = np.pad(flat, padding, constant_values=True)
            height, width = (side // CELL for side in blocks.shape)
            place = (slice(box.top // CELL, None), slice(box.left // CELL, None))
            cells[place][:height, :width] = blocks.reshape(height, CELL, width, CELL).all((1, 3))
        found |= _large(cells)
    return NoData(found) if found.any() else None


def _large(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = ndimage.label(cells)
    size = np.bincount(labels.ravel(), minlength=count + 1)
    at_edge = np.zeros(count + 1, bool)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_edge[side] = True
    counts = (size >= min(LEAST_CELLS, cells.size)) & (at_edge | (size >= INNER_PART * cells.size))
    counts[0] = False
    return counts[labels]
