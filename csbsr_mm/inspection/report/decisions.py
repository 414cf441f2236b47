"""What a person decided about cracks of a report: accepted, rejected, commented."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORMAT = 'csbsr-decisions'
ACCEPT, REJECT, OPEN = 'accept', 'reject', ''
LEAST_OVERLAP = 0.5
"""Intersection over union of two boxes from which on they are of one crack."""

BoxOfCrack = tuple[float, float, float, float]


@dataclass(frozen=True)
class Decision:
    """What a person said about one crack.

    Attributes:
        photo: Name of the photo in the report.
        box: Top, left, bottom, right of the crack in pixels of the photo: by this it is found again.
        decision: 'accept', 'reject', or '' for a comment alone.
        comment: What else there is to say.
        crack: Number of the crack in the report that the person saw.
        at: When, as ISO 8601.
        in_effect: Whether the report as it is has such a crack, or had it before it was rejected.

    Raises:
        ValueError: A value is not as said.
    """

    photo: str
    box: BoxOfCrack
    decision: str = OPEN
    comment: str = ''
    crack: int | None = None
    at: str = ''
    in_effect: bool = True

    def __post_init__(self) -> None:
        if self.decision not in (ACCEPT, REJECT, OPEN):
            raise ValueError(f"a decision is 'accept', 'reject' or '', got {self.decision!r}")
        for name in ('photo', 'comment', 'at'):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f'{name} must be a text, got {getattr(self, name)!r}')
        if not _is_box(self.box):
            raise ValueError(f'a box is top, left, bottom, right, got {self.box!r}')
        object.__setattr__(self, 'box', tuple(map(float, self.box)))


def read_decisions(path: str | Path) -> list[Decision]:
    """Read what the page of a report exported.

    Args:
        path: JSON file.

    Returns:
        The decisions; of two about one crack the later one.

    Raises:
        ValueError: The file is something else, or an entry is wrong.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8-sig'))
    except json.JSONDecodeError as error:
        raise ValueError(
            f'{path} is no JSON ({error}); export the decisions from the report again'
        ) from error
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise ValueError(f'{path} holds no decisions; export them from the page of the report')
    decisions = {}
    for number, entry in enumerate(content.get('decisions', ()), 1):
        try:
            decision = decision_from(entry)
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path}, decision {number}: {error}') from error
        key = (decision.photo, decision.box)
        if key not in decisions or decisions[key].at <= decision.at:
            decisions[key] = decision
    return list(decisions.values())


def decision_from(entry: dict) -> Decision:
    """A decision from its JSON; unknown entries are left out."""
    names = ('photo', 'box', 'decision', 'comment', 'crack', 'at', 'in_effect')
    return Decision(**{name: entry[name] for name in names if name in entry})


def best_fit(box: BoxOfCrack, boxes: Sequence[BoxOfCrack]) -> int | None:
    """Which of some boxes is that of the same crack.

    Args:
        box: Top, left, bottom, right.
        boxes: Boxes to choose from.

    Returns:
        Index of the equal box; else of the one with the largest intersection over union, if that is at least
        one half; else None.

    Example:
        >>> best_fit((0, 0, 10, 10), [(0, 0, 9, 30), (0, 1, 10, 10)])
        1
        >>> best_fit((0, 0, 10, 10), [(0, 0, 9, 30)]) is None
        True
    """
    if not len(boxes):
        return None
    others, own = np.asarray(boxes, float), np.asarray(box, float)
    overlap = (np.minimum(own[2:], others[:, 2:]) - np.maximum(own[:2], others[:, :2])).clip(0).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1)
    union = (own[2:] - own[:2]).prod() + areas - overlap
    best = int(np.argmax(overlap / union))
    return best if overlap[best] >= LEAST_OVERLAP * union[best] else None


def _is_box(box: object) -> bool:
    if not isinstance(box, list | tuple) or len(box) != 4:
        return False
    if not all(isinstance(side, int | float) and math.isfinite(side) for side in box):
        return False
    return box[0] < box[2] and box[1] < box[3]
