"""Centre lines of a visit in the frame of the new photo, and the counterpart of each of their points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from csbsr_mm.inspection.exports.crack_lines import CrackShape

from .registration import Registration, inside

SLACK = 1.0
"""How far beyond the end of a line, in pixels, a point still belongs to its end."""
TANGENT = 3.0
"""The direction of a line is that of its stretch over so many pixels to both sides."""


class FrameLines:
    """Points of all lines of a visit in the frame of the new photo.

    Attributes:
        crack: Index of the crack of each point.
        line: Number of its line.
        points: (N, 2) x and y.
        width: Width.
        length: How much of the line the point stands for.
        tangent: (N, 2) unit direction.
        seen: Whether the other photo shows the point.
        partner_crack: Crack of its counterpart in the other visit, or -1.
        partner_width: Width there.
    """

    def __init__(
        self,
        crack: NDArray[np.intp],
        line: NDArray[np.intp],
        points: NDArray[np.float64],
        width: NDArray[np.float64],
        seen: NDArray[np.bool_],
    ) -> None:
        self.crack, self.line, self.points, self.width, self.seen = crack, line, points, width, seen
        self.length, self.tangent = _along(points, line)
        self.partner_width = np.full(len(points), np.nan)
        self.partner_crack = np.full(len(points), -1)

    @classmethod
    def of(cls, shapes: Sequence[CrackShape], registration: Registration, margin: float) -> FrameLines:
        """Lines of the new photo."""
        crack, line, values = _joined(shapes)
        seen = inside(registration.to_old(values[:, :2]), registration.old_size, margin)
        return cls(crack, line, values[:, :2], values[:, 2], seen)

    @classmethod
    def mapped(cls, shapes: Sequence[CrackShape], registration: Registration, margin: float) -> FrameLines:
        """Lines of the old photo as the new camera would see them."""
        crack, line, values = _joined(shapes)
        points = registration.to_new(values[:, :2])
        valid = np.isfinite(points).all(1)
        crack, line, values, points = crack[valid], line[valid], values[valid], points[valid]
        _, tangent = _along(values[:, :2], line)
        jacobian = registration.jacobian(values[:, :2])
        # A strip along the tangent keeps its area times the determinant, over its new length.
        stretched = np.linalg.norm((jacobian @ tangent[..., None])[..., 0], axis=1)
        width = values[:, 2] * np.abs(np.linalg.det(jacobian)) / np.maximum(stretched, 1e-9)
        seen = inside(points, registration.new_size, margin)
        return cls(crack, line, points, width, seen)

    def match(self, other: FrameLines, reach: float, residual: float) -> None:
        """Find the counterpart of each point."""
        if not len(self.points) or not len(other.points):
            return
        tree = cKDTree(_with_direction(other, reach))
        distance, nearest = tree.query(
            _with_direction(self, reach), distance_upper_bound=reach + self._most()
        )
        found = np.flatnonzero(np.isfinite(distance))
        nearest = nearest[found]
        wider = np.maximum(self.width[found], other.width[nearest])
        beyond = np.abs(((self.points[found] - other.points[nearest]) * other.tangent[nearest]).sum(1))
        near = (distance[found] <= reach + wider / 4) & (beyond <= SLACK + residual)
        found, nearest = found[near], nearest[near]
        self.partner_width[found] = other.width[nearest]
        self.partner_crack[found] = other.crack[nearest]
        self._forgive(reach)

    def only(self, cracks: NDArray[np.intp]) -> FrameLines:
        """The lines of some cracks."""
        kept = np.isin(self.crack, cracks)
        part = object.__new__(FrameLines)
        for name, values in vars(self).items():
            setattr(part, name, values[kept])
        return part

    @property
    def matched(self) -> NDArray[np.bool_]:
        """Whether a point has a counterpart."""
        return self.partner_crack >= 0

    def runs(self, values: NDArray) -> Iterator[slice]:
        """Stretches of one line and one value."""
        if not len(self.line):
            return
        cuts = np.flatnonzero((np.diff(self.line) != 0) | (np.diff(values) != 0)) + 1
        edges = [0, *cuts.tolist(), len(self.line)]
        for start, end in pairwise(edges):
            yield slice(start, end)

    def _most(self) -> float:
        return float(self.width.max()) / 2

    def _forgive(self, reach: float) -> None:
        """Gaps between two counterparts on one crack that are no longer than the reach are none."""
        matched = self.matched
        for run in self.runs(matched.astype(int)):
            before, after = run.start - 1, run.stop
            if matched[run.start] or before < 0 or after >= len(matched):
                continue
            inner = self.line[before] == self.line[run.start] == self.line[after]
            if inner and self.length[run].sum() <= reach and self.partner_crack[before] >= 0:
                self.partner_crack[run] = self.partner_crack[before]


def _joined(shapes: Sequence[CrackShape]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Crack index, line number and values (x, y, width) of all points."""
    crack, line, values, count = [], [], [np.zeros((0, 3))], 0
    for index, shape in enumerate(shapes):
        for points in shape.lines:
            crack += [index] * len(points)
            line += [count] * len(points)
            values.append(points[:, :3])
            count += 1
    return np.array(crack, np.intp), np.array(line, np.intp), np.concatenate(values)


def _along(
    points: NDArray[np.float64], line: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much of its line each point stands for, and the direction over some pixels around it."""
    length, tangent = np.zeros(len(points)), np.zeros((len(points), 2))
    ends = np.flatnonzero(np.diff(line)) + 1
    for part in np.split(np.arange(len(points)), ends):
        if len(part) < 2:
            continue
        step = np.linalg.norm(np.diff(points[part], axis=0), axis=1)
        length[part[:-1]] += step / 2
        length[part[1:]] += step / 2
        place = np.concatenate([[0], np.cumsum(step)])
        ahead, behind = (
            np.column_stack([np.interp(place + side * TANGENT, place, points[part, axis]) for axis in (0, 1)])
            for side in (1, -1)
        )
        way = ahead - behind
        tangent[part] = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    return length, tangent


def _with_direction(lines: FrameLines, reach: float) -> NDArray[np.float64]:
    """(N, 4): place, and the direction as twice its angle, so that a right angle is as far as the reach."""
    x, y = lines.tangent.T
    return np.column_stack([lines.points, reach / 2 * (x * x - y * y), reach / 2 * 2 * x * y])
