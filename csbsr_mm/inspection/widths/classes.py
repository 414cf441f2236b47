"""Classes of crack width: limits from codes of practice or one's own, and the length in each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

COLORS = ((40, 150, 220), (250, 205, 60), (240, 120, 20), (205, 20, 50), (120, 10, 110))
"""From the thinnest class to the widest, RGB; between them colours are mixed."""
LEVELS = np.linspace(0, 1, 41)
"""Parts of the length at which the distribution of widths along a crack is kept."""


@dataclass(frozen=True)
class WidthClasses:
    """Limits between classes.

    Attributes:
        limits: Widths in millimetres, ascending; a width that equals a limit does not exceed it.
        source: Where the limits come from.

    Raises:
        ValueError: There is no limit, or they do not ascend from above 0.

    Example:
        >>> classes = WidthClasses((0.2, 0.3))
        >>> classes.names
        ('up to 0.2 mm', '0.2 to 0.3 mm', 'above 0.3 mm')
        >>> classes.of([0.1, 0.3, 0.5]).tolist()
        [0, 1, 2]
    """

    limits: tuple[float, ...]
    source: str = 'given'

    def __post_init__(self) -> None:
        if not self.limits or self.limits[0] <= 0 or not all(np.diff(self.limits) > 0):
            raise ValueError(f'limits of width classes must ascend from above 0, got {self.limits}')

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, from thin to wide."""
        ends = [f'{limit:g}' for limit in self.limits]
        inner = (f'{low} to {high} mm' for low, high in pairwise(ends))
        return (f'up to {ends[0]} mm', *inner, f'above {ends[-1]} mm')

    @property
    def columns(self) -> list[str]:
        """What tables call the length in each class."""
        return [f'length_mm_{name.replace(" ", "_")}' for name in self.names]

    @property
    def colors(self) -> NDArray[np.uint8]:
        """(classes, 3) RGB."""
        place = np.linspace(0, len(COLORS) - 1, len(self.limits) + 1)
        mixed = [np.interp(place, np.arange(len(COLORS)), channel) for channel in np.transpose(COLORS)]
        return np.rint(np.column_stack(mixed)).astype(np.uint8)

    def of(self, widths: NDArray[np.floating] | Sequence[float]) -> NDArray[np.intp]:
        """Number of the class of each width in millimetres, from 0."""
        return np.searchsorted(self.limits, widths, side='left')

    def lengths(self, widths: Sequence[float], length: float) -> list[float]:
        """Length of crack in each class.

        Args:
            widths: Widths in millimetres that the parts :data:`LEVELS` of the length do not exceed.
            length: Length of the crack.

        Returns:
            One length for each class; together they are the whole.

        Example:
            >>> even = np.linspace(0.1, 0.5, len(LEVELS))
            >>> [round(part, 3) for part in WidthClasses((0.2, 0.3)).lengths(even, 8.0)]
            [2.0, 2.0, 4.0]
        """
        parts = [0.0, *(_part_below(np.asarray(widths), limit) for limit in self.limits), 1.0]
        return [float(length * part) for part in np.diff(parts)]


PRESETS = {
    'eurocode2': WidthClasses(
        (0.2, 0.3, 0.4),
        'EN 1992-1-1:2004 (Eurocode 2), table 7.1N, recommended values: 0.4 mm for exposure classes '
        'X0 and XC1, 0.3 mm for XC2 and above, 0.2 mm for members with bonded tendons',
    ),
    'aci224r': WidthClasses(
        (0.10, 0.15, 0.18, 0.30, 0.41),
        'ACI 224R-01, table 4.1: 0.41 mm in dry air, 0.30 mm in moist air or soil, 0.18 mm under deicing '
        'chemicals, 0.15 mm in seawater and its spray, 0.10 mm for water-retaining structures',
    ),
}
NONE = 'none'


def width_classes(text: str | None) -> WidthClasses | None:
    """Read an option: the name of a preset, limits in millimetres, or ``none``.

    Args:
        text: Such as ``eurocode2`` or ``0.2,0.3,0.4``; None gives None, too.

    Raises:
        ValueError: It is neither.

    Example:
        >>> width_classes('0.1,0.25').limits
        (0.1, 0.25)
    """
    if text is None or text == NONE:
        return None
    if text in PRESETS:
        return PRESETS[text]
    try:
        limits = tuple(float(part) for part in text.split(','))
    except ValueError:
        known = ', '.join(PRESETS)
        raise ValueError(
            f'width classes are {known}, {NONE} or limits like 0.2,0.3,0.4; got {text}'
        ) from None
    return WidthClasses(limits)


def width_levels(widths: NDArray[np.floating], lengths: NDArray[np.floating]) -> list[float]:
    """Distribution of widths along a crack: the widths that the parts :data:`LEVELS` of it do not exceed.

    Args:
        widths: (N,) width at each point of its line.
        lengths: (N,) length that the point stands for.

    Returns:
        One width for each level, ascending; nothing for no points.
    """
    if not len(widths) or not np.sum(lengths) > 0:
        return []
    order = np.argsort(widths)
    total = np.cumsum(lengths[order])
    # A point stands for the stretch around it.
    middle = (total - lengths[order] / 2) / total[-1]
    return [float(width) for width in np.interp(LEVELS, middle, widths[order])]


def _part_below(widths: NDArray[np.float64], limit: float) -> float:
    """Part of the length whose width does not exceed the limit."""
    above = int(np.searchsorted(widths, limit, side='right'))
    if above == 0 or above == len(widths):
        return float(above > 0)
    low, high = widths[above - 1], widths[above]
    return float(LEVELS[above - 1] + (limit - low) / (high - low) * (LEVELS[above] - LEVELS[above - 1]))
