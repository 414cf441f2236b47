"""Robust Hausdorff distance over thresholds: its minimum and its average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.registry import METRICS

from csbsr_mm.metrics.measures import HausdorffMeasure

from .threshold_curve_metric import ThresholdCurveMetric


@METRICS.register_module()
class HD95Metric(ThresholdCurveMetric):
    """Robust Hausdorff distance at its best threshold (``HD95_min``) and averaged over all (``AHD95``).

    The distance of an image is that of :func:`csbsr_mm.functional.surface.robust_hausdorff`; the set's is the
    mean over images. Pixels to ignore are background in prediction and label alike. ``HD95_one_empty`` tells
    how many images got ``empty`` at the best threshold.

    Args:
        percentile: One or several in (0, 100]; ``[95, 50]`` also gives ``HD50_min`` and ``AHD50``.
        spacing: Size of a pixel along (rows, columns).
        empty: Distance of an image in which exactly one of prediction and label is empty:
            ``'image_width'`` (as CSBSR reports it), ``'inf'``, ``'nan'`` (left out of the mean) or a number.
            If both are empty it is 0. With ``'nan'`` minimum and average are over the thresholds at which no
            image is left out, and NaN if there are none: a network that finds no crack would win otherwise.
        aggregation: ``'mean'`` over images, or ``'median'``.
        **kwargs: See :class:`ThresholdCurveMetric`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import torch
        >>> prob, label = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long)
        >>> prob[0, 2:4, 2:4], prob[0, 2:4, 5:7], label[0, 2:4, 2:4] = 0.9, 0.4, 1
        >>> sample = dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path='a.png')
        >>> metric = HD95Metric(thresholds=[0.1, 0.6, 0.95])
        >>> metric.process({}, [sample])
        >>> metrics = metric.evaluate(size=1)
        >>> metrics['HD95_min'], metrics['HD95_min_threshold'], round(metrics['AHD95'], 3)
        (0.0, 0.6, 3.667)
    """

    def __init__(
        self,
        percentile: float | Sequence[float] = 95.0,
        spacing: tuple[float, float] = (1.0, 1.0),
        empty: str | float = 'image_width',
        aggregation: str = 'mean',
        **kwargs: Any,
    ) -> None:
        measure = HausdorffMeasure(percentile, spacing, empty, aggregation)
        super().__init__({'hausdorff': measure}, **kwargs)
