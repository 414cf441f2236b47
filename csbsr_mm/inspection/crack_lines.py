"""The cracks of a finished report as centre lines and outlines, in pixels of the photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .photo_output import OutputFolder
from .prediction_run import Record
from .remeasure import stored_result
from .skeleton import CentreLine, trace
from .smoothing import EIGHT, regularize

LEAST_OUTLINE = 3


@dataclass
class CrackShape:
    """A crack of a report.

    Attributes:
        number: Its number in the report, from 1.
        measures: Its entry in the report; lengths in pixels of the photo.
        lines: Branches, each (N, 3): x to the right, y down, and width at each point.
        outlines: Outer borders, each (N, 2): x, y.
    """

    number: int
    measures: dict
    lines: list[NDArray[np.float64]] = field(default_factory=list)
    outlines: list[NDArray[np.float64]] = field(default_factory=list)


def crack_shapes(folder: OutputFolder, record: Record) -> Iterator[CrackShape]:
    """The shapes of all cracks that the report lists for a photo.

    Args:
        folder: The report.
        record: The photo's record.

    Yields:
        Cracks in the order of the report. The probability of the whole photo is held in memory.
    """
    result = stored_result(folder, record, record['threshold'])
    mask, scale = regularize(result.mask), record['scale']
    result.close()
    labels, _ = ndimage.label(mask.filled, EIGHT)
    boxes = ndimage.find_objects(labels)
    place = {_box(slices, scale): number for number, slices in enumerate(boxes, 1)}
    line = trace(mask)
    owner = labels[tuple(line.owner.T)]
    for number, measures in enumerate(record['cracks'], 1):
        label = place.get(tuple(measures['box']))
        if label is not None:
            lines = list(_branches(line, owner == label, scale))
            yield CrackShape(number, measures, lines, _outlines(labels, label, boxes[label - 1], scale))


def _box(slices: tuple[slice, slice], scale: int) -> tuple[float, ...]:
    rows, columns = slices
    return tuple(side / scale for side in (rows.start, columns.start, rows.stop, columns.stop))


def _branches(line: CentreLine, own: NDArray[np.bool_], scale: int) -> Iterator[NDArray[np.float64]]:
    points = np.column_stack([line.columns + 0.5, line.rows + 0.5, line.width])[own] / scale
    branch = line.branch[own]
    for part in np.split(points, np.flatnonzero(np.diff(branch)) + 1):
        if len(part) > 1:
            yield part


def _outlines(
    labels: NDArray, label: int, slices: tuple[slice, slice], scale: int
) -> list[NDArray[np.float64]]:
    """Borders along the edges of pixels, not through their middles."""
    inside = (labels[slices] == label).astype(np.uint8)
    # Twice as large, the middles of the outer pixels lie a quarter of a pixel inside their edges.
    large = inside.repeat(2, 0).repeat(2, 1)
    contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corner = np.array([slices[1].start, slices[0].start])
    return [
        ((contour[:, 0] + 0.5) / 2 + corner) / scale for contour in contours if len(contour) >= LEAST_OUTLINE
    ]
