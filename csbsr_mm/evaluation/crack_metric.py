"""Everything that crack papers report, for MMSegmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.registry import METRICS

from csbsr_mm.metrics.crack_metrics import MEASURES, chosen_measures

from .threshold_curve_metric import ThresholdCurveMetric


@METRICS.register_module()
class CrackMetric(ThresholdCurveMetric):
    """The figures of :class:`csbsr_mm.metrics.CrackMetrics`, from the same counts, for any model.

    IoU, Hausdorff distance, F1 with tolerances under every aggregation, contours, centre lines, false alarms
    on images without a crack, and calibration. Some 0.1 s of one core an image of 448x448; ``workers`` hides
    it behind the model.

    Args:
        measures: Which of :data:`csbsr_mm.metrics.MEASURES` to take; all by default.
        percentile: As of :class:`HD95Metric`.
        empty: As of :class:`HD95Metric`.
        smooth: As of :class:`AIUMetric`.
        tolerance: Tolerances of precision, recall and F1 in pixels.
        **kwargs: See :class:`ThresholdCurveMetric`.

    Raises:
        ValueError: If a measure is unknown or an argument is out of range.

    Example:
        >>> import torch
        >>> prob, label = torch.zeros(1, 9, 20), torch.zeros(1, 9, 20, dtype=torch.long)
        >>> prob[0, 3:6, 2:10], label[0, 3:6, 2:18] = 0.9, 1
        >>> sample = dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path='a.png')
        >>> metric = CrackMetric(measures=['f1', 'centerlines'], tolerance=[2])
        >>> metric.process({}, [sample])
        >>> found = metric.evaluate(size=1)
        >>> round(found['F1_2px_ods_pooled'], 3), round(found['length_recall_2px_at_0.5'], 3)
        (0.769, 0.643)
    """

    def __init__(
        self,
        measures: Sequence[str] = MEASURES,
        percentile: float | Sequence[float] = 95.0,
        empty: str | float = 'image_width',
        smooth: float = 1e-5,
        tolerance: Sequence[float] = (0, 2, 5),
        **kwargs: Any,
    ) -> None:
        chosen = chosen_measures(
            measures, percentile=percentile, empty=empty, smooth=smooth, tolerance=tolerance
        )
        super().__init__(chosen, **kwargs)
