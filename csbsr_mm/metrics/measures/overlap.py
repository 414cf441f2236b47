"""IoU over thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.overlap import overlap_sweep
from csbsr_mm.metrics.curve import ThresholdCurve
from csbsr_mm.utils.checks import check_choice

from .base import Measure, Record


class OverlapMeasure(Measure):
    """``IoU``: ``IoU_max`` at the best threshold and ``AIU`` on average.

    Args:
        aggregation: ``'image'``: mean over images, as CSBSR reports it. ``'dataset'``: all pixels together.
        smooth: Added to intersection and union, so that an image without crack and prediction has IoU 1.
            With 0 such an image is left out of the mean.
        name: Of the curve; its mean has AIU for IoU in its name.

    Raises:
        ValueError: If ``aggregation`` is neither.
    """

    def __init__(self, aggregation: str = 'image', smooth: float = 1e-5, name: str = 'IoU') -> None:
        check_choice('aggregation', aggregation, ('image', 'dataset'))
        self.aggregation = aggregation
        self.smooth = smooth
        self.name = name

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Intersection and union."""
        both, either = overlap_sweep(prob, target, thresholds, ignore)
        return {'intersection': as_array(both), 'union': as_array(either)}

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """The IoU."""
        both, either = records['intersection'], records['union']
        with np.errstate(invalid='ignore'):
            per_image = (both + self.smooth) / (either + self.smooth)
            pooled = (both.sum(0) + self.smooth) / (either.sum(0) + self.smooth)
        values = np.nanmean(per_image, 0) if self.aggregation == 'image' else pooled
        return [ThresholdCurve(self.name, 'max', self.name.replace('IoU', 'AIU', 1), per_image, values)]


def as_array(values: Any) -> NDArray:
    """An array of what may be a tensor on any device."""
    return np.asarray(values.cpu() if hasattr(values, 'cpu') else values)
