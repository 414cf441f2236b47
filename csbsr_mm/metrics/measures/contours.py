"""Agreement of contours within a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.surface import SurfaceCounts, boundary_f1, normalized_surface_dice, surface_sweep
from csbsr_mm.metrics.curve import ThresholdCurve

from .base import Measure, Record


class ContourMeasure(Measure):
    """``NSD_2px`` and ``BF1_2px``: normalised surface Dice and boundary F1, averaged over images.

    Args:
        tolerance: Largest distance that counts as agreement, in units of ``spacing``.
        spacing: Size of a pixel along (rows, columns).
    """

    def __init__(self, tolerance: float = 2.0, spacing: tuple[float, float] = (1.0, 1.0)) -> None:
        self.tolerance = tolerance
        self.spacing = (spacing[0], spacing[1])

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Lengths of both contours and what of them agrees."""
        counts = surface_sweep(prob, target, thresholds, self.tolerance, self.spacing, ignore)
        return {**counts._asdict(), 'true': np.array([counts.true])}

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """Both scores."""
        # The fields broadcast: all of (N, T) but the true length, (N, 1).
        counts = SurfaceCounts(**records)  # type: ignore[arg-type]
        scores = {'NSD': normalized_surface_dice(counts), 'BF1': boundary_f1(counts)}
        return [
            ThresholdCurve(
                f'{name}_{self.tolerance:g}px', 'max', f'A{name}_{self.tolerance:g}px', s, s.mean(0)
            )
            for name, s in scores.items()
        ]
