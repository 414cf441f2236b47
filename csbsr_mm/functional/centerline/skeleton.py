"""Centre lines of masks: thinning after Guo and Hall, many pixels at a time.

Border pixels go in two alternating sub-iterations until none goes any more. With x1 ... x8 the neighbours of
a pixel, counter-clockwise from the right one, and sums over odd i, it goes if::

    sum of (not x_i) and (x_i+1 or x_i+2)              is 1: its neighbours are one piece
    min(sum of x_i or x_i+1, sum of x_i+1 or x_i+2)    is 2 or 3: it is neither an end nor an inner pixel
    (x2 or x3 or not x8) and x1                        is 0, in the first sub-iteration
    (x6 or x7 or not x4) and x5                        is 0, in the second one

Beyond the image's border nothing is set. No crack vanishes or breaks. The result is that of scikit-image's
``thin``, pixel by pixel. Its ``skeletonize`` follows Zhang and Suen instead: away from the ends of straight
cracks, those lines lie a pixel beside these at most.

Reference:
    Guo and Hall, Parallel thinning with two-subiteration algorithms, 1989.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional._levels import as_mask
from csbsr_mm.functional._numba import numba_kernels
from csbsr_mm.functional._tensors import ArrayOrTensor, is_tensor


def skeletonize(mask: ArrayOrTensor) -> ArrayOrTensor:
    """Thin a mask to its centre lines.

    Args:
        mask: (H, W) array or tensor; non-zero = crack.

    Returns:
        (H, W) bool of the same kind, on the same device; a subset of the mask.

    Raises:
        ValueError: If the mask is not of two dimensions.

    Example:
        >>> band = np.zeros((5, 8), bool)
        >>> band[1:4, 1:7] = True
        >>> skeletonize(band).astype(int)
        array([[0, 0, 0, 0, 0, 0, 0, 0],
               [0, 0, 0, 0, 0, 0, 0, 0],
               [0, 0, 1, 1, 1, 1, 0, 0],
               [0, 0, 0, 0, 0, 0, 0, 0],
               [0, 0, 0, 0, 0, 0, 0, 0]])
    """
    lines = skeleton_of(as_mask(mask, 'mask'))
    if not is_tensor(mask):
        return lines
    import torch

    return torch.from_numpy(lines).to(mask.device)


def skeleton_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """:func:`skeletonize` of a contiguous bool array."""
    kernels = numba_kernels('centerline._packed_numba')
    if kernels is None:
        return _skeleton_numpy(mask)
    words = kernels.pack(mask)
    kernels.thin(words)
    lines = np.empty(mask.shape, np.bool_)
    kernels.unpack(words, lines)
    return lines


def _skeleton_numpy(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same without Numba: one look-up of the neighbourhood's code for all pixels at once."""
    lines = np.pad(mask, 1).astype(np.uint8)
    removable = _removable_codes()
    idle = turn = 0
    while idle < 2:
        gone = removable[turn][_codes(lines)] & (lines[1:-1, 1:-1] != 0)
        lines[1:-1, 1:-1][gone] = 0
        idle = 0 if gone.any() else idle + 1
        turn = 1 - turn
    return lines[1:-1, 1:-1].astype(bool)


# Counter-clockwise from the right, as (row, column) in the pixel's 3x3 neighbourhood.
_CIRCLE = ((1, 2), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2))


def _codes(framed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which neighbours of each pixel are set, a bit each in the order of the circle."""
    height, width = framed.shape[0] - 2, framed.shape[1] - 2
    codes = np.zeros((height, width), np.uint8)
    for bit, (row, column) in enumerate(_CIRCLE):
        codes |= framed[row : row + height, column : column + width] << np.uint8(bit)
    return codes


def _removable_codes() -> NDArray[np.bool_]:
    """(2, 256) whether a pixel with this neighbourhood goes, in either sub-iteration."""
    x = ((np.arange(256)[:, None] >> np.arange(8)) & 1).astype(bool).T
    after, odd = np.roll(x, -1, axis=0), slice(0, 8, 2)
    pieces = (~x & (after | np.roll(x, -2, axis=0)))[odd].sum(0)
    pairs = np.minimum((x | after)[odd].sum(0), (after | np.roll(x, -2, axis=0))[odd].sum(0))
    common = (pieces == 1) & (pairs >= 2) & (pairs <= 3)
    first = common & ~((x[1] | x[2] | ~x[7]) & x[0])
    second = common & ~((x[5] | x[6] | ~x[3]) & x[4])
    return np.stack([first, second])
