"""Change pixels of a mask without changing its topology: thinning, and moving borders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""The eight neighbours (row, column) of a pixel, in a circle, from the right one on."""
LEVELS_PER_PIXEL = 2


def _simple_codes() -> NDArray[np.bool_]:
    """Which of the 256 neighbourhoods let the pixel in their centre be set or cleared.

    Such a pixel has exactly one piece of crack (8-connected) around it and touches the background by an
    edge: its crossing number for 8-connectivity (Yokoi et al., 1975) is one.
    """
    background = 1 - (np.arange(256)[:, None] >> np.arange(8) & 1)
    crossings = sum(
        background[:, k] * (1 - background[:, (k + 1) % 8] * background[:, (k + 2) % 8]) for k in (0, 2, 4, 6)
    )
    return crossings == 1


SIMPLE = _simple_codes()
IS_END = np.array([code.bit_count() == 1 for code in range(256)])


def thin(
    mask: NDArray[np.bool_], distance: NDArray[np.floating], origin: tuple[int, int] = (0, 0)
) -> NDArray[np.bool_]:
    """Thin a mask to lines of one pixel that have its components and its holes.

    Pixels go in the order of their distance to the border, so lines run in the middle. Only pixels whose
    removal keeps the topology go, one after the other in effect, so that no crack vanishes or breaks.
    Loose ends stay.

    Args:
        mask: (H, W), True on cracks; cracks are 8-connected, the background is 4-connected.
        distance: (H, W) distance to the background.
        origin: Row and column of the mask's first pixel in the whole image. With it parts of an image are
            thinned as the whole would be.

    Returns:
        (H, W), True on the lines.

    Example:
        >>> from scipy import ndimage
        >>> ring = np.zeros((9, 12), bool)
        >>> ring[1:8, 1:11] = True
        >>> ring[4, 4:8] = False
        >>> thinned = thin(ring, ndimage.distance_transform_edt(ring))
        >>> [ndimage.label(~image)[1] for image in (ring, thinned)]
        [2, 2]
    """
    grid = _Grid(mask, origin)
    level = np.floor(LEVELS_PER_PIXEL * grid.pad(distance)).astype(np.int32).ravel()
    pixels = np.flatnonzero(grid.values)
    pixels = pixels[np.argsort(level[pixels], kind='stable')]
    steps = np.unique(level[pixels])
    ends = np.searchsorted(level[pixels], steps, side='right')
    start = 0
    for step, end in zip(steps, ends, strict=True):
        candidates, start = pixels[start:end], end
        while len(candidates):
            cleared = np.concatenate([_clear(grid, part) for part in grid.fields(candidates)])
            around = np.unique(cleared[:, None] + grid.ring)
            candidates = around[(grid.values[around] == 1) & (level[around] <= step)]
    return grid.image()


def move_border(
    mask: NDArray[np.bool_], wanted: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)
) -> NDArray[np.bool_]:
    """Make a mask like another as far as its components and holes allow.

    Args:
        mask: (H, W), True on cracks.
        wanted: (H, W), what the mask should be.
        origin: See :func:`thin`.

    Returns:
        (H, W) with the components and holes of ``mask``.

    Example:
        >>> mask = np.zeros((5, 9), bool)
        >>> mask[2] = mask[1, 3] = True
        >>> wanted = np.zeros_like(mask)
        >>> wanted[2, :2] = wanted[2, 7:] = True
        >>> moved = move_border(mask, wanted)
        >>> moved.sum(1).tolist()
        [0, 0, 9, 0, 0]
    """
    grid = _Grid(mask, origin)
    target = grid.pad(wanted).astype(np.uint8).ravel()
    candidates = np.flatnonzero(grid.values != target)
    while len(candidates):
        flipped = []
        for part in grid.fields(candidates):
            part = part[SIMPLE[grid.codes(part)]]
            grid.values[part] ^= 1
            flipped.append(part)
        around = np.unique(np.concatenate(flipped)[:, None] + grid.ring)
        candidates = around[grid.inside[around] & (grid.values[around] != target[around])]
    return grid.image()


class _Grid:
    """A mask with a frame of one pixel, as flat values, and the codes of its neighbourhoods."""

    def __init__(self, mask: NDArray[np.bool_], origin: tuple[int, int]) -> None:
        self.shape = mask.shape
        self.columns = mask.shape[1] + 2
        self.origin = origin
        self.values = self.pad(mask).astype(np.uint8).ravel()
        self.inside = self.pad(np.ones_like(mask)).ravel()
        self.ring = np.array([row * self.columns + column for row, column in RING])

    @staticmethod
    def pad(image: NDArray) -> NDArray:
        """Add the frame."""
        return np.pad(image, 1)

    def image(self) -> NDArray[np.bool_]:
        """The mask without the frame."""
        return self.values.reshape(-1, self.columns)[1:-1, 1:-1].astype(bool)

    def codes(self, pixels: NDArray[np.intp]) -> NDArray[np.uint8]:
        """One bit per neighbour that is crack."""
        code = np.zeros(len(pixels), np.uint8)
        for bit, offset in enumerate(self.ring):
            code |= self.values[pixels + offset] << bit
        return code

    def fields(self, pixels: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """The pixels in four groups; no two of a group are neighbours, so they change independently."""
        row, column = np.divmod(pixels, self.columns)
        field = (row + self.origin[0]) % 2 * 2 + (column + self.origin[1]) % 2
        # Opposite corners follow each other, so that all four sides are taken alike.
        for number in (0, 3, 1, 2):
            yield pixels[field == number]


def _clear(grid: _Grid, pixels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Clear those pixels that may go; returns them."""
    codes = grid.codes(pixels)
    gone = pixels[SIMPLE[codes] & ~IS_END[codes]]
    grid.values[gone] = 0
    return gone
