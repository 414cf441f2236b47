"""What cracks did between two visits: new, gone, longer, wider, once both are in one frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from csbsr_mm.inspection.exports.crack_lines import CrackShape
from csbsr_mm.inspection.widths.errors import Estimate, WidthErrors

from .frame_lines import FrameLines
from .registration import Registration

NEW, GONE, LONGER, SHORTER, WIDER, NARROWER = 'new', 'gone', 'longer', 'shorter', 'wider', 'narrower'
OUTSIDE = 'not in both photos'
REACH, RESIDUALS = 4.0, 3.0
"""A line is the other one if it runs within so many pixels, or so many residuals of the registration."""
LEAST_LINK = 0.25
WIDTH = 'mean_width'
"""The measure whose errors are those of a width along a line."""


@dataclass(frozen=True)
class Tolerance:
    """What is not counted as a change, in pixels of the new photo.

    Attributes:
        length: Length that a crack may gain or lose.
        length_share: The same, as a share of the crack's length; the larger of both holds.
        width: Width that it may gain or lose, where the reports have no intervals.

    Raises:
        ValueError: A value is negative.
    """

    length: float = 8.0
    length_share: float = 0.03
    width: float = 0.5

    def __post_init__(self) -> None:
        for name in ('length', 'length_share', 'width'):
            if not getattr(self, name) >= 0:
                raise ValueError(f'the tolerance of {name} must not be negative, got {getattr(self, name)}')

    def of_length(self, length: float) -> float:
        """The tolerance for a crack of some length."""
        return max(self.length, self.length_share * length)


class DrawnLine(NamedTuple):
    """A stretch of a centre line as the page draws it.

    Attributes:
        visit: 0 for the old one, 1 for the new one.
        kind: 'same', 'grown' or 'lost'.
        points: (N, 2) x and y in pixels of the new photo.
    """

    visit: int
    kind: str
    points: NDArray[np.float64]


@dataclass
class CrackChange:
    """A crack of either visit, or what is one crack although a visit saw it in pieces.

    Lengths and widths are in pixels of the new photo, those of the old visit brought there by the
    registration; only what both photos show is counted.

    Attributes:
        kinds: 'new' or 'gone' ('new?' and 'gone?' where that is in doubt), or any of 'longer', 'shorter',
            'wider', 'narrower'; 'not in both photos' alone; empty for a crack that did not change.
        old: Numbers of its cracks in the old report.
        new: Numbers of its cracks in the new report.
        old_length: Length in the old visit.
        new_length: Length in the new visit.
        grown: Length of the new lines that run where none was.
        lost: Length of the old lines that run where none is any more.
        length_tolerance: What ``grown`` and ``lost`` were compared with.
        old_width: Median width in the old visit, over the stretch that both visits saw.
        new_width: The same in the new visit.
        width_change: Median of the local changes of width over that stretch; None without one.
        width_tolerance: What ``width_change`` was compared with.
        confidence: Of the surest of its cracks, in the new visit, or in the old one for those that are gone.
        other_probability: For a new or gone crack, the crack probability along its line in the other visit.
        box: Top, left, bottom, right in pixels of the new photo.
        lines: Its centre lines in both visits.
    """

    kinds: list[str]
    old: list[int]
    new: list[int]
    old_length: float = 0.0
    new_length: float = 0.0
    grown: float = 0.0
    lost: float = 0.0
    length_tolerance: float = 0.0
    old_width: float | None = None
    new_width: float | None = None
    width_change: float | None = None
    width_tolerance: float | None = None
    confidence: float | None = None
    other_probability: float | None = None
    box: tuple[float, float, float, float] | None = None
    lines: list[DrawnLine] = field(default_factory=list)


def compare_cracks(
    old: Sequence[CrackShape],
    new: Sequence[CrackShape],
    registration: Registration,
    tolerance: Tolerance | None = None,
    errors: tuple[WidthErrors, WidthErrors] | None = None,
) -> list[CrackChange]:
    """Compare the cracks of two registered photos.

    A point of a centre line has a counterpart if a line of the other visit runs beside it: within 4 pixels
    (or 3 residuals of the registration, and a quarter of the crack's width), in about the same direction, and
    not only beyond that line's end. Cracks that share a quarter of the shorter one are one crack, so a crack
    that one visit saw in pieces counts once. Stretches without a counterpart that are no longer than the
    reach do not count.

    Args:
        old: Cracks of the old photo, in its pixels.
        new: Cracks of the new photo, in its pixels.
        registration: From the old photo to the new one.
        tolerance: What is not counted as a change.
        errors: Known errors of the widths of the old visit and of the new one. With them widths are
            corrected, and a width changed if its 90 % interval is without zero.

    Returns:
        One entry for each crack: what changed first, the largest change first.
    """
    tolerance = tolerance or Tolerance()
    reach = max(REACH, RESIDUALS * registration.residual)
    before = FrameLines.mapped(old, registration, reach)
    after = FrameLines.of(new, registration, reach)
    before.match(after, reach, registration.residual)
    after.match(before, reach, registration.residual)
    groups = _groups(before, after)
    changes = [
        _change(before.only(olds), after.only(news), old, new, tolerance, reach) for olds, news in groups
    ]
    for change in changes:
        _judge_width(change, tolerance, errors, registration.magnification())
    return sorted(changes, key=_order)


def _groups(before: FrameLines, after: FrameLines) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cracks of both visits that are one: indices of the old and of the new ones."""
    olds, news = (int(lines.crack.max(initial=-1)) + 1 for lines in (before, after))
    shared = np.zeros((olds, news))
    np.add.at(
        shared,
        (before.crack[before.matched], before.partner_crack[before.matched]),
        before.length[before.matched],
    )
    mirrored = np.zeros((olds, news))
    np.add.at(
        mirrored,
        (after.partner_crack[after.matched], after.crack[after.matched]),
        after.length[after.matched],
    )
    shared = np.maximum(shared, mirrored)
    lengths = [
        np.bincount(lines.crack, lines.length * lines.seen, minlength=count)
        for lines, count in ((before, olds), (after, news))
    ]
    shorter = np.minimum(lengths[0][:, None], lengths[1][None])
    linked = (shared > 0) & (shared >= LEAST_LINK * shorter)
    for lines, link in ((before, linked), (after, linked.T)):
        stray = lines.matched & ~link[lines.crack, lines.partner_crack] if link.size else lines.matched
        lines.partner_crack[stray] = -1
    graph = sparse.coo_matrix(
        (np.ones(int(linked.sum())), (np.nonzero(linked)[0], olds + np.nonzero(linked)[1])),
        (olds + news,) * 2,
    )
    count, group = sparse.csgraph.connected_components(graph, directed=False)
    return [
        (np.flatnonzero(group[:olds] == number), np.flatnonzero(group[olds:] == number))
        for number in range(count)
    ]


def _change(
    before: FrameLines,
    after: FrameLines,
    old: Sequence[CrackShape],
    new: Sequence[CrackShape],
    tolerance: Tolerance,
    reach: float,
) -> CrackChange:
    """What one crack did."""
    lengths = [float(lines.length[lines.seen].sum()) for lines in (before, after)]
    olds, news = (
        [shapes[index] for index in np.unique(lines.crack)] for shapes, lines in ((old, before), (new, after))
    )
    change = CrackChange([], [shape.number for shape in olds], [shape.number for shape in news], *lengths)
    change.length_tolerance = tolerance.of_length(max(lengths))
    change.grown, change.lost = (_unmatched(lines, reach) for lines in (after, before))
    sure = [shape.measures.get('confidence') for shape in (news or olds)]
    change.confidence = max((value for value in sure if value is not None), default=None)
    change.box = _box([before.points, after.points])
    change.lines = [*_drawn(before, 0, 'lost', reach), *_drawn(after, 1, 'grown', reach)]
    if max(lengths) <= 0:
        change.kinds = [OUTSIDE]
        return change
    if not olds or not news:
        change.kinds = [GONE if olds else NEW]
        return change
    _compare_widths(change, after)
    for kind, amount in ((LONGER, change.grown), (SHORTER, change.lost)):
        if amount > change.length_tolerance:
            change.kinds.append(kind)
    return change


def _compare_widths(change: CrackChange, after: FrameLines) -> None:
    common = after.seen & np.isfinite(after.partner_width) & after.matched
    if not common.any():
        return
    own, other, weight = after.width[common], after.partner_width[common], after.length[common]
    change.new_width = weighted_median(own, weight)
    # Where the visits differ at single places, the median of differences is the steadier one.
    change.width_change = weighted_median(own - other, weight)
    change.old_width = change.new_width - change.width_change


def _judge_width(
    change: CrackChange,
    tolerance: Tolerance,
    errors: tuple[WidthErrors, WidthErrors] | None,
    magnification: float,
) -> None:
    """Correct the widths where their errors are known, and say whether the change is one."""
    if change.width_change is None:
        return
    change.width_tolerance = tolerance.width
    if errors is not None:
        old = errors[0].estimate(WIDTH, change.old_width / magnification).scaled(magnification)
        new = errors[1].estimate(WIDTH, change.new_width)
        change.old_width, change.new_width = old.value, new.value
        change.width_change = new.value - old.value
        change.width_tolerance = Estimate(0.0, math.hypot(old.std, new.std)).interval()[1]
    if abs(change.width_change) > change.width_tolerance:
        change.kinds.append(WIDER if change.width_change > 0 else NARROWER)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value that half of the weight does not exceed.

    Example:
        >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0]))
        2.0
    """
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(total, total[-1] / 2), len(values) - 1)])


def _unmatched(lines: FrameLines, reach: float) -> float:
    """Length without a counterpart where the other photo shows the place, in stretches beyond the reach."""
    free = lines.seen & ~lines.matched
    runs = (run for run in lines.runs(free.astype(int)) if free[run.start])
    lengths = [float(lines.length[run].sum()) for run in runs]
    return sum(length for length in lengths if length > reach)


def _drawn(lines: FrameLines, visit: int, free_name: str, reach: float) -> Iterator[DrawnLine]:
    """Stretches of lines with or without a counterpart; each goes on to the first point of the next."""
    free = lines.seen & ~lines.matched
    for run in lines.runs(free.astype(int)):
        end = run.stop + (run.stop < len(lines.line) and lines.line[run.stop] == lines.line[run.start])
        counts = free[run.start] and lines.length[run].sum() > reach
        if end - run.start > 1:
            yield DrawnLine(visit, free_name if counts else 'same', lines.points[run.start : end])


def _box(parts: Sequence[NDArray[np.float64]]) -> tuple[float, float, float, float] | None:
    points = np.concatenate(parts)
    if not len(points):
        return None
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(top), float(left), float(bottom), float(right)


def _order(change: CrackChange) -> tuple:
    changed = bool(change.kinds) and change.kinds != [OUTSIDE]
    widened = max(change.width_change or 0, 0) * min(change.old_length, change.new_length)
    return (not changed, -(change.grown + change.lost), -widened, -change.new_length, change.new, change.old)
