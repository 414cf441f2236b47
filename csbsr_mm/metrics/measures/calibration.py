"""Whether probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.calibration import (
    BINS,
    CalibrationCounts,
    brier_score,
    calibration_counts,
    expected_calibration_error,
)

from .base import Measure, Record


class CalibrationMeasure(Measure):
    """``ECE`` and ``Brier`` of all pixels together.

    Args:
        bins: Number of bins of equal width.
    """

    def __init__(self, bins: int = BINS) -> None:
        self.bins = bins

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Sums over the bins."""
        counts = calibration_counts(prob, target, self.bins, ignore)
        return {**counts._asdict(), 'squared_error': np.array([counts.squared_error])}

    def figures(self, records: Record, count: int) -> dict[str, float]:
        """Both scores."""
        sums = {name: records[name].sum(0, dtype=float) for name in CalibrationCounts._fields}
        counts = CalibrationCounts(**{**sums, 'squared_error': float(sums['squared_error'][0])})
        return {'ECE': expected_calibration_error(counts), 'Brier': brier_score(counts)}
