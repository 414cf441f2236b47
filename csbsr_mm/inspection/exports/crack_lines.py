"""Cracks as centre lines and outlines, in pixels of the photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from csbsr_mm.inspection.measurement.outlines import join_rings, trace_outlines
from csbsr_mm.inspection.measurement.skeleton import CentreLine, trace
from csbsr_mm.inspection.measurement.smoothing import EIGHT, regularize


@dataclass
class CrackShape:
    """A crack.

    Attributes:
        number: Its number in the report, from 1.
        measures: Its entry in the report; lengths in pixels of the photo.
        lines: Branches, each (N, 3): x to the right, y down, and width at each point.
        rings: Borders along the edges of pixels, each (N, 2) x and y: the outer one, then those of holes.
    """

    number: int
    measures: Mapping
    lines: list[NDArray[np.float64]] = field(default_factory=list)
    rings: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def outline(self) -> NDArray[np.float64]:
        """(N, 2) all borders in one ring; see :func:`.outlines.join_rings`."""
        return join_rings(self.rings)


def shapes_of_mask(mask: NDArray[np.bool_], scale: int, cracks: Sequence[Mapping]) -> Iterator[CrackShape]:
    """The shapes of the cracks that were measured in a mask.

    Args:
        mask: (H, W), True on cracks.
        scale: Mask pixels per pixel of the photo.
        cracks: Measures of the cracks; their ``box`` says which they are.

    Yields:
        Cracks in the order of ``cracks``.
    """
    regular = regularize(mask)
    labels, _ = ndimage.label(regular.filled, EIGHT)
    boxes = ndimage.find_objects(labels)
    place = {_box(slices, scale): number for number, slices in enumerate(boxes, 1)}
    line = trace(regular)
    owner = labels[tuple(line.owner.T)]
    for number, measures in enumerate(cracks, 1):
        label = place.get(tuple(measures['box']))
        if label is not None:
            lines = list(_branches(line, owner == label, scale))
            yield CrackShape(number, measures, lines, _rings(labels, label, boxes[label - 1], scale))


def _box(slices: tuple[slice, slice], scale: int) -> tuple[float, ...]:
    rows, columns = slices
    return tuple(side / scale for side in (rows.start, columns.start, rows.stop, columns.stop))


def _branches(line: CentreLine, own: NDArray[np.bool_], scale: int) -> Iterator[NDArray[np.float64]]:
    points = np.column_stack([line.columns + 0.5, line.rows + 0.5, line.width])[own] / scale
    branch = line.branch[own]
    for part in np.split(points, np.flatnonzero(np.diff(branch)) + 1):
        if len(part) > 1:
            yield part


def _rings(labels: NDArray, label: int, slices: tuple[slice, slice], scale: int) -> list[NDArray[np.float64]]:
    corner = np.array([slices[1].start, slices[0].start])
    return [(ring + corner) / scale for ring in trace_outlines(labels[slices] == label)]
