"""IoU over thresholds: its maximum and its average."""

from __future__ import annotations

from typing import Any

from mmseg.registry import METRICS

from csbsr_mm.metrics.measures import OverlapMeasure

from .threshold_curve_metric import ThresholdCurveMetric


@METRICS.register_module()
class AIUMetric(ThresholdCurveMetric):
    """IoU of the foreground at its best threshold (``IoU_max``) and averaged over thresholds (``AIU``).

    Args:
        aggregation: ``'image'``: the set's IoU at a threshold is the mean over images, as CSBSR reports it.
            ``'dataset'``: it is that of all pixels together, as in MMSegmentation's IoUMetric.
        smooth: Added to intersection and union, so that an image without crack and prediction has IoU 1.
            With 0 such an image is left out of the mean.
        **kwargs: See :class:`ThresholdCurveMetric`.

    Raises:
        ValueError: If ``aggregation`` is neither.

    Reference:
        Yang et al., Feature pyramid and hierarchical boosting network for pavement crack detection, 2020
        (AIU).

    Example:
        >>> import torch
        >>> prob, label = torch.tensor([[[0.2, 0.6, 0.9]]]), torch.tensor([[[0, 0, 1]]])
        >>> sample = dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path='a.png')
        >>> metric = AIUMetric(thresholds=[0.1, 0.5, 0.7])
        >>> metric.process({}, [sample])
        >>> {name: round(value, 3) for name, value in metric.evaluate(size=1).items()}
        {'IoU_max': 1.0, 'AIU': 0.611, 'IoU_max_threshold': 0.7, 'IoU_at_0.5': 0.5}
    """

    def __init__(self, aggregation: str = 'image', smooth: float = 1e-5, **kwargs: Any) -> None:
        super().__init__({'overlap': OverlapMeasure(aggregation, smooth)}, **kwargs)
