"""Cut a photo into overlapping tiles, and blend the predictions for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.photos.raster import Box, Raster

DISCARDED = 4
"""One part in so many of the overlap is thrown away at either side: pixels that see the tile's border."""


def check_tiling(tile: int, overlap: int) -> None:
    """Refuse tiles that cannot cover an image.

    Raises:
        ValueError: ``tile`` is below 1, or ``overlap`` is not in [0, tile).
    """
    if tile < 1 or not 0 <= overlap < tile:
        raise ValueError(
            f'a tile must be at least one pixel and larger than the overlap, got tile={tile} and '
            f'overlap={overlap}'
        )


class TileGrid:
    """Tiles of one size that cover an image with overlap, and the weights that blend them.

    The last tile of a row or column is moved back inside, so all tiles have the same size (that of the
    image where it is smaller). Along each inner edge a tile's weight is exactly zero for a quarter of
    the overlap and then rises as a raised cosine; the weights of all tiles add up to one everywhere.
    So the blend of tiles equals the whole for every network whose output pixel depends on no more than
    ``overlap // 4`` pixels to each side.

    Args:
        height: Rows of the image.
        width: Columns of the image.
        tile: Side of a tile in pixels.
        overlap: Least number of pixels that neighbours share, smaller than ``tile``.
        margin: Pixels of zero weight at inner edges; a quarter of the overlap by default.

    Raises:
        ValueError: ``tile`` or ``overlap`` is out of range.

    Example:
        >>> grid = TileGrid(100, 250, tile=112, overlap=16)
        >>> len(grid), [box.left for box in grid], grid.tile_size
        (3, [0, 96, 138], (100, 112))
        >>> total = np.zeros((100, 250))
        >>> for index, box in enumerate(grid):
        ...     rows, columns = grid.weights(index)
        ...     total[box.top:box.bottom, box.left:box.right] += rows[:, None] * columns
        >>> bool(np.allclose(total, 1))
        True
    """

    def __init__(self, height: int, width: int, tile: int, overlap: int, margin: int | None = None) -> None:
        check_tiling(tile, overlap)
        self.height, self.width = height, width
        self.tile, self.overlap = tile, overlap
        self.margin = overlap // DISCARDED if margin is None else margin
        self.tops = _starts(height, tile, overlap)
        self.lefts = _starts(width, tile, overlap)
        self.tile_size = (min(tile, height), min(tile, width))

    def __len__(self) -> int:
        return len(self.tops) * len(self.lefts)

    def __getitem__(self, index: int) -> Box:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row, column = divmod(index, len(self.lefts))
        top, left = self.tops[row], self.lefts[column]
        return Box(top, left, top + self.tile_size[0], left + self.tile_size[1])

    def __iter__(self) -> Iterator[Box]:
        return (self[index] for index in range(len(self)))

    def scaled(self, factor: int) -> TileGrid:
        """The same tiles on an image ``factor`` times as large."""
        grid = TileGrid(1, 1, factor * self.tile, factor * self.overlap, factor * self.margin)
        grid.height, grid.width = factor * self.height, factor * self.width
        grid.tops = [factor * top for top in self.tops]
        grid.lefts = [factor * left for left in self.lefts]
        grid.tile_size = (factor * self.tile_size[0], factor * self.tile_size[1])
        return grid

    def weights(self, index: int) -> tuple[NDArray, NDArray]:
        """Weights of a tile's rows (h,) and columns (w,); a pixel's weight is their product."""
        row, column = divmod(index, len(self.lefts))
        return self._row_weights[row], self._column_weights[column]

    def previous_weight(self, index: int) -> NDArray:
        """Weight (h, w) that the tiles before this one, in order, have put on its pixels."""
        row, column = divmod(index, len(self.lefts))
        above = _weight_before(self._row_weights, self.tops, row)
        before = _weight_before(self._column_weights, self.lefts, column)
        return above[:, None] + self._row_weights[row][:, None] * before

    @property
    def shared_pixels(self) -> int:
        """Number of pixels on which more than one tile has weight."""
        single = [
            sum(int((w == 1).sum()) for w in weights) for weights in (self._row_weights, self._column_weights)
        ]
        return self.height * self.width - single[0] * single[1]

    @cached_property
    def _row_weights(self) -> list[NDArray]:
        return _normalized_windows(self.tops, self.tile_size[0], self.height, self.overlap, self.margin)

    @cached_property
    def _column_weights(self) -> list[NDArray]:
        return _normalized_windows(self.lefts, self.tile_size[1], self.width, self.overlap, self.margin)


class TileBlender:
    """Adds up weighted tiles and measures how much they disagree where they overlap.

    Args:
        grid: Tiles, in pixels of ``target``.
        target: Image of zeros to add to.
    """

    def __init__(self, grid: TileGrid, target: Raster) -> None:
        self.grid, self.target = grid, target
        self._disagreement = 0.0

    def add(self, index: int, values: NDArray) -> None:
        """Add tile ``index`` (h, w, C), values in [0, 1]; tiles must come in order.

        Raises:
            FloatingPointError: A value is not finite.
        """
        box = self.grid[index]
        if not np.isfinite(values).all():
            raise FloatingPointError(f'the network gave values that are not finite at {tuple(box)}')
        rows, columns = self.grid.weights(index)
        weight = (rows[:, None] * columns)[..., None]
        before = self.grid.previous_weight(index)[..., None]
        self._disagreement += self._spread(box, values, weight, before)
        self.target.add_unit(box, weight * values)

    def _spread(self, box: Box, values: NDArray, weight: NDArray, before: NDArray) -> float:
        """What this tile adds to the weighted variance of the tiles over each pixel (West, 1979)."""
        shared = ((before > 0) & (weight > 0))[..., 0]
        if not shared.any():
            return 0.0
        before, weight = before[shared], weight[shared]
        mean = self.target.read_unit(box)[shared] / before
        return float((weight * before / (weight + before) * (values[shared] - mean) ** 2).mean(1).sum())

    @property
    def seam_rms(self) -> float:
        """Root mean square deviation of the tiles from their blend, over pixels that tiles share."""
        shared = self.grid.shared_pixels
        return (self._disagreement / shared) ** 0.5 if shared else 0.0


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixel of each tile along one axis."""
    if length <= tile:
        return [0]
    return [*range(0, length - tile, tile - overlap), length - tile]


def _normalized_windows(
    starts: list[int], tile: int, length: int, overlap: int, margin: int
) -> list[NDArray]:
    """Weights of each tile along one axis, adding up to one at each pixel."""
    ramp = np.arange(overlap - 2 * margin) + 0.5
    ramp = 0.5 - 0.5 * np.cos(np.pi * ramp / len(ramp)) if len(ramp) else ramp
    windows, total = [], np.zeros(length)
    for index, start in enumerate(starts):
        window = np.ones(tile)
        if index > 0:
            window[:margin] = 0
            window[margin : margin + len(ramp)] = ramp
        if index < len(starts) - 1:
            falling = np.ones(tile)
            falling[tile - margin :] = 0
            falling[tile - margin - len(ramp) : tile - margin] = ramp[::-1]
            window = window * falling
        windows.append(window)
        total[start : start + tile] += window
    return [window / total[start : start + tile] for start, window in zip(starts, windows, strict=True)]


def _weight_before(weights: list[NDArray], starts: list[int], index: int) -> NDArray:
    """Along one axis, the weight of the tiles before ``index`` on its pixels."""
    start, length = starts[index], len(weights[index])
    total = np.zeros(length)
    for previous in range(index - 1, -1, -1):
        shift = start - starts[previous]
        if shift >= length:
            break
        total[: length - shift] += weights[previous][shift:]
    return total
