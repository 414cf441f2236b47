"""Which connected pieces of a mask count as cracks, and which are pores, specks or joints."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, fields, replace

MIN_AREA, MIN_LENGTH, MIN_ELONGATION = 4.0, 5.0, 3.0
"""What ``csbsr predict`` asks for, in pixels of the photo."""
CRACK, JOINT, BLOB, SMALL, FAINT = 'crack', 'joint?', 'blob', 'small', 'faint'
JOINT_SPAN, JOINT_STRAIGHT = 0.97, 1.03


@dataclass(frozen=True)
class SelectionRules:
    """What makes a piece of the mask a crack.

    Attributes:
        min_area: Least area in square pixels of the photo; what is below is 'small'.
        min_length: Least length of the centre line in pixels of the photo; what is below is 'small'.
        min_elongation: Least ratio of length to mean width; what is below, pores and holes, is a 'blob'.
        peak: Probability that a piece must reach somewhere, or it is 'faint'. With a lower threshold for its
            other pixels this is a threshold with hysteresis. None asks for nothing.

    Raises:
        ValueError: A value is negative, or ``peak`` is no probability.
    """

    min_area: float = MIN_AREA
    min_length: float = 0.0
    min_elongation: float = 0.0
    peak: float | None = None

    def __post_init__(self) -> None:
        for name in ('min_area', 'min_length', 'min_elongation'):
            if not getattr(self, name) >= 0:
                raise ValueError(f'{name} must not be negative, got {getattr(self, name)}')
        if self.peak is not None and not 0 <= self.peak < 1:
            raise ValueError(f'peak must be a probability in [0, 1), got {self.peak}')

    def described(self) -> dict[str, str]:
        """The rules in words, for a report."""
        return {
            'Least crack': f'{self.min_area:g} square pixels, {self.min_length:g} pixels long, '
            f'{self.min_elongation:g} times as long as wide',
            'Least peak of a crack': 'none' if self.peak is None else f'probability {self.peak:g}',
        }

    def kind(
        self,
        area: float,
        length: float,
        box: tuple[float, float, float, float],
        size: tuple[float, float],
        peak: float | None = None,
    ) -> str:
        """What a piece is.

        Args:
            area: Area.
            length: Length of its centre line.
            box: Top, left, bottom, right.
            size: Height and width of the photo.
            peak: Its highest probability, if that is known.

        Returns:
            'crack', 'joint?' (a crack that runs straight from edge to edge of the photo), 'blob', 'small' or
            'faint'.

        Example:
            >>> rules = SelectionRules(min_length=5, min_elongation=3)
            >>> rules.kind(100, 11.3, (0, 0, 11, 11), (200, 300))
            'blob'
            >>> rules.kind(900, 300, (90, 0, 93, 300), (200, 300))
            'joint?'
        """
        if area < self.min_area or length < self.min_length:
            return SMALL
        if self.peak is not None and peak is not None and peak <= self.peak:
            return FAINT
        if length**2 < self.min_elongation * area:
            return BLOB
        return JOINT if _is_joint(length, box, size) else CRACK


def rules_from(args: argparse.Namespace, start: SelectionRules | None = None) -> SelectionRules:
    """The rules of a command line.

    Args:
        args: Has the fields of :class:`SelectionRules`; None where nothing was asked for.
        start: What holds then; by default what ``csbsr predict`` asks for.

    Returns:
        The rules.
    """
    start = start or SelectionRules(MIN_AREA, MIN_LENGTH, MIN_ELONGATION)
    given = {field.name: getattr(args, field.name) for field in fields(start)}
    return replace(start, **{name: value for name, value in given.items() if value is not None})


def _is_joint(length: float, box: tuple[float, float, float, float], size: tuple[float, float]) -> bool:
    height, width = box[2] - box[0], box[3] - box[1]
    spans = height >= JOINT_SPAN * size[0] or width >= JOINT_SPAN * size[1]
    return spans and length <= JOINT_STRAIGHT * math.hypot(height, width)
