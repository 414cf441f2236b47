"""IoU over thresholds: its maximum and its average."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmseg.registry import METRICS
from numpy.typing import NDArray

from csbsr_mm.functional.overlap import overlap_sweep

from .threshold_curve_metric import ThresholdCurve, ThresholdCurveMetric


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
        super().__init__(**kwargs)
        if aggregation not in ('image', 'dataset'):
            raise ValueError(f"aggregation must be 'image' or 'dataset', got {aggregation!r}")
        self.aggregation = aggregation
        self.smooth = smooth

    def measure(self, prob: NDArray, target: NDArray, ignore: NDArray | None) -> dict[str, Any]:
        """Intersection and union."""
        both, either = overlap_sweep(prob, target, self.measured_thresholds, ignore)
        return {'intersection': both, 'union': either}

    def curves(self, results: list[dict[str, Any]]) -> list[ThresholdCurve]:
        """The IoU."""
        both = np.stack([result['intersection'] for result in results])
        either = np.stack([result['union'] for result in results])
        with np.errstate(invalid='ignore'):
            per_image = (both + self.smooth) / (either + self.smooth)
            pooled = (both.sum(0) + self.smooth) / (either.sum(0) + self.smooth)
        values = np.nanmean(per_image, 0) if self.aggregation == 'image' else pooled
        return [ThresholdCurve('IoU', 'max', 'AIU', per_image, values)]
