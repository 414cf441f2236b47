"""Cracks that a person rejected, taken out of what the model said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from csbsr_mm.apis.result import CrackResult
from csbsr_mm.inspection.measurement.smoothing import EIGHT, regularize
from csbsr_mm.photos.raster import Box

from .decisions import BoxOfCrack, best_fit

MARGIN = 32


def strike_out(result: CrackResult, boxes: Sequence[BoxOfCrack]) -> list[BoxOfCrack | None]:
    """Set the probability of rejected cracks to zero, so that mask, pictures and measures are without them.

    Args:
        result: Changed in place. The mask of the whole photo is held in memory.
        boxes: Boxes of the rejected cracks in pixels of the photo.

    Returns:
        For each the box of the crack that was struck out, or None if there is none that fits.
    """
    if not len(boxes):
        return []
    labels, _ = ndimage.label(result.mask, EIGHT)
    found = [_box(slices) for slices in ndimage.find_objects(labels)]
    in_photo = [tuple(side / result.scale for side in box) for box in found]
    struck: list[BoxOfCrack | None] = []
    for box in boxes:
        index = best_fit(box, in_photo)
        struck.append(None if index is None else in_photo[index])
        if index is not None:
            _clear(result, labels, index + 1, found[index])
    return struck


def _clear(result: CrackResult, labels: NDArray[np.integer], label: int, box: Box) -> None:
    """Clear a crack and what lies in its small holes, which count as crack."""
    seen = box.grown(MARGIN, *result.box.size)
    crack = labels[seen.top : seen.bottom, seen.left : seen.right] == label
    gone = regularize(crack).filled
    values = result.probability_raster.read(seen)
    values[gone] = 0
    result.probability_raster.write(seen, values)


def _box(slices: tuple[slice, slice]) -> Box:
    rows, columns = slices
    return Box(rows.start, columns.start, rows.stop, columns.stop)
