"""Measures of cracks in millimetres, by the scale at the place of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .scales import PhotoScale
from .wall_plane import LocalScale

LENGTHS = ('length', 'mean_width', 'width_95', 'max_width')


ACROSS = ('mean_width', 'width_95', 'subpixel_mean', 'subpixel_median')
LARGEST = {'max_width': 'widest_at', 'subpixel_max': 'subpixel_max_at'}
"""The largest widths, and the names of their places."""


def in_millimetres(measures: Mapping[str, Any], scale: PhotoScale) -> dict[str, float]:
    """Area, length and widths of one crack.

    On a wall that is seen at an angle a pixel is larger in one direction than in another, and larger far from
    the camera. Lengths are converted along the crack's mean direction at the middle of its box, widths across
    it, and the largest width at its place.

    Args:
        measures: An entry of a record, in pixels of the photo.
        scale: That of the photo.

    Returns:
        Square millimetres of ``area``, millimetres of the rest; what was not measured is left out.

    Example:
        >>> crack = dict(area=30.0, length=10.0, mean_width=3.0, width_95=3.5, max_width=4.0)
        >>> in_millimetres(crack, PhotoScale(0.5))['area'], in_millimetres(crack, PhotoScale(0.5))['length']
        (7.5, 5.0)
    """
    local = local_scale(measures, scale)
    values = dict(area=local.along * local.across * measures['area'], length=local.along * measures['length'])
    values |= {name: local.across * measures[name] for name in ACROSS if measures.get(name) is not None}
    for name, place in LARGEST.items():
        if measures.get(name) is not None:
            at = measures.get(place)
            there = scale.at(at, measures.get('orientation')) if at else local
            values[name] = there.across * measures[name]
    return values


def total_in_millimetres(
    total: Mapping[str, Any], cracks: Sequence[Mapping[str, Any]], scale: PhotoScale
) -> dict[str, float]:
    """The same for all cracks of a photo together.

    Where the scale differs from place to place, areas and lengths are sums over the cracks, the largest
    widths are the largest of theirs, and the others are converted by the mean scale across cracks, each
    weighted by its length.
    """
    values = in_millimetres(total, scale)
    if scale.plane is None or not cracks:
        return values
    converted = [in_millimetres(crack, scale) for crack in cracks]
    area, length = (sum(one[name] for one in converted) for name in ('area', 'length'))
    pixels = sum(crack['length'] for crack in cracks)
    weighted = sum(local_scale(crack, scale).across * crack['length'] for crack in cracks)
    across = weighted / pixels if pixels else scale.mm_per_pixel
    values |= {name: across * total[name] for name in ACROSS if name in values}
    values |= {name: max(one.get(name, 0.0) for one in converted) for name in LARGEST if name in values}
    return values | dict(area=area, length=length, mean_width=area / length if length else 0.0)


def local_scale(measures: Mapping[str, Any], scale: PhotoScale) -> LocalScale:
    """The scale at a crack, along its direction and across it."""
    box = measures.get('box')
    if not box:
        return scale.at()
    top, left, bottom, right = box
    return scale.at(((top + bottom) / 2, (left + right) / 2), measures.get('orientation'))
