"""Accuracy, sensitivity, specificity and AUC over pixels, as medical segmentation reports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS

from csbsr_mm.functional.pixel_scores import area_under_curve, confusion, score_histograms

from .threshold_curve_metric import foreground_probability


@METRICS.register_module()
class PixelClassificationMetric(BaseMetric):
    """All pixels of a test set as one classification: accuracy, sensitivity, specificity, AUC.

    Args:
        threshold: Probability above which a pixel is foreground, in accuracy, sensitivity and specificity.
        foreground_class: Index of the class to measure; also its channel, if there are several.
        ignore_index: Label of pixels to leave out, such as those outside a retina's field of view.
        collect_device: As in MMEngine's metrics.
        prefix: As in MMEngine's metrics.

    Equation:
        accuracy = (TP + TN) / all, sensitivity = TP / (TP + FN), specificity = TN / (TN + FP); AUC: area
        under the curve of sensitivity over 1 - specificity.

    Example:
        >>> import torch
        >>> prob, label = torch.tensor([[[0.2, 0.6, 0.9, 0.1]]]), torch.tensor([[[0, 0, 1, 0]]])
        >>> sample = dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path='a.png')
        >>> metric = PixelClassificationMetric()
        >>> metric.process({}, [sample])
        >>> {name: round(value, 3) for name, value in metric.evaluate(size=1).items()}
        {'accuracy': 0.75, 'sensitivity': 1.0, 'specificity': 0.667, 'AUC': 1.0}
    """

    default_prefix = ''

    def __init__(
        self,
        threshold: float = 0.5,
        foreground_class: int = 1,
        ignore_index: int = 255,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not 0 <= threshold < 1:
            raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
        self.threshold = threshold
        self.foreground_class = foreground_class
        self.ignore_index = ignore_index

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count the pixels of a batch; of an image its counts and histograms are kept."""
        for sample in data_samples:
            image = str(sample.get('img_path', ''))
            prob = foreground_probability(sample, self.foreground_class, image)
            label = sample['gt_sem_seg']['data'].squeeze(0).cpu().numpy()
            target, ignore = label == self.foreground_class, label == self.ignore_index
            counts = confusion(prob, target, self.threshold, ignore)
            histograms = score_histograms(prob, target, ignore).astype(np.int32)
            self.results.append((counts, histograms))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """The four scores of all pixels together; NaN where a class is missing."""
        if not results:
            return {}
        hits, alarms, misses, rejections = np.sum([counts for counts, _ in results], axis=0).astype(float)
        with np.errstate(invalid='ignore'):
            return {
                'accuracy': float(np.divide(hits + rejections, hits + alarms + misses + rejections)),
                'sensitivity': float(np.divide(hits, hits + misses)),
                'specificity': float(np.divide(rejections, rejections + alarms)),
                'AUC': area_under_curve(np.sum([pair for _, pair in results], axis=0, dtype=np.int64)),
            }
