"""F1 with tolerances in pixels, under every aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional import aggregation
from csbsr_mm.functional.aggregation import MatchedPixels
from csbsr_mm.functional.tolerance import as_tolerances, tolerance_sweep
from csbsr_mm.metrics.curve import ThresholdCurve

from .base import Measure, Record

AGGREGATIONS = ('ods_per_image_mean', 'ois_per_image_mean', 'ods_pooled', 'ois_pooled')


class TolerantF1Measure(Measure):
    """``F1_2px`` and so on: precision and recall count pixels within a tolerance of the other mask.

    The curve is the mean over images. Figures carry their aggregation in their names: ``F1_2px_ods_pooled``,
    ``F1_2px_ois_per_image_mean``, ``AP_2px_pooled``; see :mod:`csbsr_mm.functional.aggregation`.

    Args:
        tolerance: One or several tolerances in pixels.
    """

    def __init__(self, tolerance: float | Sequence[float] = (0, 2, 5)) -> None:
        self.tolerances = as_tolerances(tolerance)

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Pixels that are right, predicted, found and true."""
        counts = tolerance_sweep(prob, target, thresholds, self.tolerances, ignore)
        return {**counts._asdict(), 'true': np.array([counts.true])}

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """F1 averaged over images."""
        curves = []
        for name, images in self._images(records):
            each = aggregation.f1_score(*images)
            curves.append(ThresholdCurve(name, 'max', f'A{name}', each, each.mean(0)))
        return curves

    def figures(self, records: Record, count: int) -> dict[str, float]:
        """Every aggregation, and the average precision."""
        figures = {}
        for name, images in self._images(records):
            chosen = MatchedPixels(
                *(values[:, :count] for values in (images.correct, images.predicted, images.found)),
                images.true,
            )
            for way in AGGREGATIONS:
                figures[f'{name}_{way}'] = getattr(aggregation, way)(chosen)
            figures[f'{name.replace("F1", "AP")}_pooled'] = aggregation.ap_pooled(chosen)
        return figures

    def _images(self, records: Record) -> list[tuple[str, MatchedPixels]]:
        """The counts of each tolerance, under its name."""
        return [
            (
                f'F1_{tolerance:g}px',
                MatchedPixels(
                    records['correct'][:, number].astype(float),
                    records['predicted'].astype(float),
                    records['found'][:, number].astype(float),
                    records['true'].astype(float),
                ),
            )
            for number, tolerance in enumerate(self.tolerances)
        ]
