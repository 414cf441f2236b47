"""Everything that crack papers report, in one accumulator."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from .accumulator import Accumulator
from .measures import (
    CalibrationMeasure,
    CenterlineMeasure,
    ContourMeasure,
    FalseAlarmMeasure,
    HausdorffMeasure,
    Measure,
    OverlapMeasure,
    TolerantF1Measure,
)

MEASURES = (
    'overlap',
    'pooled_overlap',
    'hausdorff',
    'f1',
    'contours',
    'centerlines',
    'false_alarms',
    'calibration',
)


class CrackMetrics(Accumulator):
    """IoU, Hausdorff distance, F1 under every protocol, contours, centre lines, false alarms, calibration.

    ``IoU_max``, ``AIU``, ``HD95_min`` and ``AHD95`` are those of ``AIUMetric`` and ``HD95Metric``, as the
    CSBSR paper reports them. The classes of :mod:`csbsr_mm.metrics.measures` describe each figure.

    Args:
        thresholds: (T,) thresholds from which the best ones are chosen; 0.01, 0.02, ... 0.99 by default.
            Probabilities are compared in float32 and have to be greater.
        at: Thresholds to report by themselves, such as one chosen on validation data.
        measures: Which of :data:`MEASURES` to take; all by default.
        percentile: Percentile of the Hausdorff distance in (0, 100], or several.
        empty: Hausdorff distance of an image in which exactly one of prediction and truth is empty:
            ``'image_width'`` (as the paper reports it), ``'inf'``, ``'nan'`` (left out) or a number.
        smooth: Added to intersection and union, so that an image without crack and prediction has IoU 1.
        tolerance: Tolerances of precision, recall and F1 in pixels.

    Raises:
        ValueError: A measure is unknown, or an argument is out of range.

    Example:
        >>> import numpy as np
        >>> metrics = CrackMetrics(measures=['overlap', 'hausdorff'], thresholds=[0.1, 0.6, 0.95])
        >>> prob, truth = np.zeros((8, 8)), np.zeros((8, 8), bool)
        >>> prob[2:4, 2:4], prob[2:4, 5:7], truth[2:4, 2:4] = 0.9, 0.4, True
        >>> metrics.update(prob, truth)
        >>> found = metrics.compute()
        >>> found['HD95_min'], found['HD95_min_threshold'], round(found['AIU'], 3)
        (0.0, 0.6, 0.5)
    """

    def __init__(
        self,
        thresholds: ArrayLike | None = None,
        at: Sequence[float] = (0.5,),
        measures: Sequence[str] = MEASURES,
        percentile: float | Sequence[float] = 95.0,
        empty: str | float = 'image_width',
        smooth: float = 1e-5,
        tolerance: Sequence[float] = (0, 2, 5),
    ) -> None:
        chosen = chosen_measures(
            measures, percentile=percentile, empty=empty, smooth=smooth, tolerance=tolerance
        )
        super().__init__(chosen, thresholds, at)


def chosen_measures(
    names: Sequence[str],
    percentile: float | Sequence[float] = 95.0,
    empty: str | float = 'image_width',
    smooth: float = 1e-5,
    tolerance: Sequence[float] = (0, 2, 5),
) -> dict[str, Measure]:
    """Measures by name, in the order of :data:`MEASURES`; see :class:`CrackMetrics` for the arguments."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown or not names:
        raise ValueError(f'measures must be of {", ".join(MEASURES)}, got {", ".join(unknown) or "none"}')
    every: dict[str, Measure] = {
        'overlap': OverlapMeasure(smooth=smooth),
        'pooled_overlap': OverlapMeasure('dataset', smooth, name='IoU_pooled'),
        'hausdorff': HausdorffMeasure(percentile, empty=empty),
        'f1': TolerantF1Measure(tolerance),
        'contours': ContourMeasure(),
        'centerlines': CenterlineMeasure(),
        'false_alarms': FalseAlarmMeasure(),
        'calibration': CalibrationMeasure(),
    }
    return {name: measure for name, measure in every.items() if name in names}
