"""What a model reports on images without a crack."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.tolerance import tolerance_sweep
from csbsr_mm.metrics.curve import ThresholdCurve

from .base import Measure, Record, known_pixels


class FalseAlarmMeasure(Measure):
    """``false_alarm_images`` and ``false_alarm_area``, of the images without a crack.

    The share of these images on which anything is predicted, and the share of their pixels. NaN if every
    image has a crack.
    """

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Predicted pixels, NaN if there is a crack, and the number of pixels."""
        counts = tolerance_sweep(prob, target, thresholds, 0, ignore)
        alarms = counts.predicted if counts.true == 0 else np.full(len(thresholds), np.nan)
        return {'alarms': alarms, 'pixels': known_pixels(target, ignore)}

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """Both shares."""
        alarms, pixels = records['alarms'].astype(float), records['pixels'].astype(float)
        clean = ~np.isnan(alarms[:, 0])
        share = np.where(np.isnan(alarms), np.nan, alarms > 0)
        area = alarms / np.maximum(pixels, 1)
        nothing = np.full(alarms.shape[1], np.nan)
        of_images = share[clean].mean(0) if clean.any() else nothing
        of_pixels = alarms[clean].sum(0) / max(pixels[clean].sum(), 1) if clean.any() else nothing
        return [
            ThresholdCurve('false_alarm_images', '', '', share, of_images),
            ThresholdCurve('false_alarm_area', '', '', area, of_pixels),
        ]
