"""Images that are too large for memory: square chunks on disk, read and written by region."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

CHUNK = 512


class Box(NamedTuple):
    """A rectangle of pixels; ``bottom`` and ``right`` are excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def scaled(self, factor: int) -> Box:
        """The same rectangle in pixels ``factor`` times as small."""
        return Box(*(factor * side for side in self))

    def shifted(self, down: int, right: int) -> Box:
        """The same rectangle elsewhere."""
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def grown(self, margin: int, height: int, width: int) -> Box:
        """The rectangle with ``margin`` pixels more on each side, cut at the image's border."""
        return Box(
            max(self.top - margin, 0),
            max(self.left - margin, 0),
            min(self.bottom + margin, height),
            min(self.right + margin, width),
        )

    def within(self, outer: Box) -> tuple[slice, slice]:
        """Where this rectangle lies in an array that holds ``outer``."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )


def split(height: int, width: int, size: int) -> Iterator[Box]:
    """Boxes of at most ``size`` pixels a side that tile an image, row by row."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            yield Box(top, left, min(top + size, height), min(left + size, width))


class Raster:
    """An image that is an array while it is small, and chunks in a scratch file when it is not.

    A chunk is mapped into memory only while a region that touches it is read or written, so that memory
    is bounded by the region and not by the image.

    Args:
        height: Rows.
        width: Columns.
        channels: Values per pixel.
        dtype: Stored type. :meth:`read_unit` and :meth:`add_unit` scale integers to [0, 1].
        folder: Where the scratch file goes; None keeps the image in memory.

    Example:
        >>> image = Raster(700, 900, 1, np.uint16, folder=tempfile.gettempdir())
        >>> image.add_unit(Box(500, 500, 520, 530), np.full((20, 30, 1), 0.5))
        >>> image.read_unit(Box(518, 528, 521, 531))[..., 0].round(3).tolist()
        [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
        >>> image.close()
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: int,
        dtype: DTypeLike,
        folder: str | Path | None = None,
    ) -> None:
        self.height, self.width, self.channels = height, width, channels
        self.dtype = np.dtype(dtype)
        self._array: NDArray | None = None
        self._path: Path | None = None
        if folder is None:
            self._array = np.zeros((height, width, channels), self.dtype)
            return
        self._columns = math.ceil(width / CHUNK)
        chunks = math.ceil(height / CHUNK) * self._columns
        with tempfile.NamedTemporaryFile(dir=folder, suffix='.raster', delete=False) as file:
            # A sparse file: chunks that are never written take no space.
            file.truncate(chunks * self._chunk_bytes)
            self._path = Path(file.name)

    @property
    def _chunk_bytes(self) -> int:
        return CHUNK * CHUNK * self.channels * self.dtype.itemsize

    @property
    def on_disk(self) -> bool:
        """Whether the image lives in a scratch file."""
        return self._path is not None

    @property
    def box(self) -> Box:
        """The whole image."""
        return Box(0, 0, self.height, self.width)

    def close(self) -> None:
        """Free the memory or remove the scratch file."""
        self._array = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def read(self, box: Box) -> NDArray:
        """Pixels (h, w, C) of a region, as stored."""
        values = np.empty((*box.size, self.channels), self.dtype)
        for chunk, inside, part in self._parts(box, 'r'):
            values[inside] = chunk[part]
        return values

    def write(self, box: Box, values: NDArray) -> None:
        """Store pixels (h, w, C) of a region."""
        for chunk, inside, part in self._parts(box, 'r+'):
            chunk[part] = values[inside]

    def read_unit(self, box: Box) -> NDArray[np.float32]:
        """Pixels of a region as float32, integers scaled to [0, 1]."""
        values = self.read(box).astype(np.float32)
        return values if self._maximum is None else values / self._maximum

    def add_unit(self, box: Box, values: NDArray) -> None:
        """Add to a region; sums leave [0, 1] by rounding only and are clipped if stored as integers."""
        for chunk, inside, part in self._parts(box, 'r+'):
            if self._maximum is None:
                chunk[part] += values[inside]
                continue
            total = np.rint(chunk[part] + self._maximum * values[inside])
            chunk[part] = np.clip(total, 0, self._maximum).astype(self.dtype)

    def blocks(self, size: int = 4 * CHUNK) -> Iterator[Box]:
        """Boxes of at most ``size`` pixels a side that tile the image, row by row."""
        return split(self.height, self.width, size)

    @property
    def _maximum(self) -> float | None:
        return None if self.dtype.kind == 'f' else float(np.iinfo(self.dtype).max)

    def _parts(self, box: Box, mode: str) -> Iterator[tuple[NDArray, tuple, tuple]]:
        """Each chunk that a box touches, where it lies in the box, and where the box lies in it."""
        if not (0 <= box.top <= box.bottom <= self.height and 0 <= box.left <= box.right <= self.width):
            raise ValueError(f'{box} is not inside an image of {self.height}x{self.width} pixels')
        if self._array is not None:
            yield self._array, (slice(None), slice(None)), box.within(self.box)
            return
        for row in range(box.top // CHUNK, math.ceil(box.bottom / CHUNK)):
            for column in range(box.left // CHUNK, math.ceil(box.right / CHUNK)):
                chunk_box = Box(row * CHUNK, column * CHUNK, (row + 1) * CHUNK, (column + 1) * CHUNK)
                common = Box(
                    max(box.top, chunk_box.top),
                    max(box.left, chunk_box.left),
                    min(box.bottom, chunk_box.bottom),
                    min(box.right, chunk_box.right),
                )
                chunk = np.memmap(
                    self._path,
                    self.dtype,
                    mode,
                    offset=(row * self._columns + column) * self._chunk_bytes,
                    shape=(CHUNK, CHUNK, self.channels),
                )
                yield chunk, common.within(box), common.within(chunk_box)
