"""Ragged masks made regular: small holes filled, borders smoothed by a scale that follows the local width."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .topology import move_border

EIGHT = np.ones((3, 3), int)
SIDES = (3, 5, 9, 17, 33, 65, 129)
"""Sides of the box filters, one scale each; three passes make a bell of standard deviation side / 2."""
SOLID = 0.75
"""Mean of the mask under the bell from which on a place belongs to a crack as wide as the scale."""
REACH = 0.8
"""How far to the sides of such a place the scale holds, in sides of the box."""

SMALL = 0.2
"""Area below which a hole is filled, in squares of the side."""


class RegularMask(NamedTuple):
    """What the measures of a mask start from.

    Attributes:
        filled: (H, W) the mask with its small holes filled: what area is counted on.
        smooth: (H, W) the same with smoothed borders, of equal topology: what lines and widths come from.
    """

    filled: NDArray[np.bool_]
    smooth: NDArray[np.bool_]


def regularize(mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> RegularMask:
    """Fill small holes and smooth borders.

    At each place the mask is compared with its local mean at the largest scale at which the crack is still
    solid, which is about 0.4 of its width. Holes that vanish in that mean, up to about 0.6 widths across,
    are filled. Borders move to where the mean is one half, unless that would break the crack or join it to
    another one. Cracks below about three pixels stay as they are.

    Args:
        mask: (H, W), True on cracks.
        origin: Row and column of the first pixel in the whole image; see :func:`.topology.thin`.

    Returns:
        The filled and the smoothed mask.

    Example:
        >>> band = np.zeros((40, 60), bool)
        >>> band[12:28] = True
        >>> band[20, 30] = band[12, 10] = band[11, 40] = False
        >>> filled, smooth = regularize(band)
        >>> bool(filled[20, 30]), bool(filled[12, 10]), bool(smooth[12, 10])
        (True, False, True)
    """
    wanted, scale = _local_majority(mask)
    filled = _fill(mask, wanted, scale)
    return RegularMask(filled, move_border(filled, wanted, origin))


def _local_majority(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """The mask, smoothed at the largest scale at which it is solid, and that scale; 0 where it is not."""
    result, scale = mask.copy(), np.zeros(mask.shape, np.uint8)
    if not mask.any():
        return result, scale
    labels, count = ndimage.label(mask, EIGHT)
    for side in SIDES:
        if side > 2 * min(mask.shape):
            break
        mean = _bell_mean(mask, side)
        solid = mean >= SOLID
        if not solid.any():
            break
        # A thin crack beside a wide one is none of its roughness.
        is_wide = np.bincount(labels[solid], minlength=count + 1) > 0
        is_wide[0] = True
        near = ndimage.maximum_filter(solid, 2 * int(REACH * side) + 1) & is_wide[labels]
        result[near] = mean[near] > 0.5
        scale[near] = side
    return result, scale


def _bell_mean(mask: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """Three box filters; the image goes on beyond its border as it is there."""
    frame = 3 * (side // 2)
    mean = np.pad(mask.astype(np.float32), frame, mode='edge')
    for _ in range(3):
        mean = ndimage.uniform_filter(mean, side)
    return mean[frame:-frame, frame:-frame]


def _fill(mask: NDArray[np.bool_], wanted: NDArray[np.bool_], scale: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Fill the holes that are wanted to be crack altogether, and those that are small for their scale."""
    holes, count = ndimage.label(~mask)
    kept = np.bincount(holes[~wanted], minlength=count + 1) > 0
    area = np.bincount(holes.ravel(), minlength=count + 1)
    least = ndimage.minimum(scale, holes, np.arange(count + 1))
    kept &= area > SMALL * np.square(least, dtype=float)
    # What runs out of the image need not be a hole.
    for side in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        kept[side] = True
    kept[0] = True
    return mask | ~kept[holes]
