"""Agreement of centre lines: topology, and lengths as inspectors count them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.centerline import CenterlineCounts, centerline_sweep, cl_dice, cl_iou
from csbsr_mm.metrics.curve import ThresholdCurve

from .base import Measure, Record, known_pixels


class CenterlineMeasure(Measure):
    """``clDice``, ``clIoU_4px``, ``length_recall_2px`` and ``false_length_2px``.

    The first two are averaged over images. The lengths are those of the whole set: the share of the true
    centre lines that is found, and the length of what is no crack in pixels per megapixel.

    Args:
        tolerance: Of the lengths, in pixels.
        iou_tolerance: Of the clIoU, in pixels.
    """

    def __init__(self, tolerance: float = 2.0, iou_tolerance: float = 4.0) -> None:
        self.tolerance = tolerance
        self.iou_tolerance = iou_tolerance

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Lengths of both lines and what of them agrees, without tolerance and with both."""
        tolerances = [0.0, self.tolerance, self.iou_tolerance]
        counts = centerline_sweep(prob, target, thresholds, tolerances, ignore)
        pixels = known_pixels(target, ignore)
        return {**counts._asdict(), 'true': np.array([counts.true]), 'pixels': pixels}

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """All four quantities."""
        exact, within, wide = (_at_tolerance(records, number) for number in range(3))
        dice, iou = cl_dice(exact), cl_iou(wide)
        iou_name = f'clIoU_{self.iou_tolerance:g}px'
        false = within.predicted - within.on_crack
        with np.errstate(invalid='ignore', divide='ignore'):
            recall, recall_of_all = within.found / within.true, within.found.sum(0) / np.sum(within.true)
            per_megapixel = 1e6 * false / records['pixels'], 1e6 * false.sum(0) / records['pixels'].sum()
        suffix = f'{self.tolerance:g}px'
        return [
            ThresholdCurve('clDice', 'max', 'AclDice', dice, dice.mean(0)),
            ThresholdCurve(iou_name, 'max', f'A{iou_name}', iou, iou.mean(0)),
            ThresholdCurve(f'length_recall_{suffix}', '', '', recall, recall_of_all),
            ThresholdCurve(f'false_length_{suffix}', '', '', *per_megapixel),
        ]


def _at_tolerance(records: Record, number: int) -> CenterlineCounts:
    """The counts of all images at one of the tolerances, as floats; the true length is (N, 1)."""
    fields = {}
    for name in CenterlineCounts._fields:
        values = records[name].astype(float)
        fields[name] = values[:, number] if values.ndim == 3 else values
    return CenterlineCounts(**fields)  # type: ignore[arg-type]
