"""IoU and Hausdorff distance over thresholds, averaged over images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csbsr_mm.functional._levels import as_thresholds
from csbsr_mm.functional.overlap import iou_sweep
from csbsr_mm.functional.surface import hausdorff_sweep


class CrackMetrics:
    """Collects images one after the other and reports what the CSBSR paper reports.

    The numbers are those of ``AIUMetric`` and ``HD95Metric`` with their default settings: a value of the set
    at a threshold is the mean over images.

    Args:
        thresholds: (T,) thresholds; 0.01, 0.02, ... 0.99 by default. Probabilities are compared in float32
            and have to be greater.
        percentile: Percentile of the Hausdorff distance in (0, 100].
        empty: Distance of an image in which exactly one of prediction and truth is empty: ``'image_width'``
            (as the paper reports it), ``'inf'``, ``'nan'`` (left out of the mean) or a number.
        smooth: Added to intersection and union, so that an image without crack and prediction has IoU 1.

    Example:
        >>> metrics = CrackMetrics(thresholds=[0.1, 0.6, 0.95])
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
        percentile: float = 95.0,
        empty: str | float = 'image_width',
        smooth: float = 1e-5,
    ) -> None:
        self.thresholds = as_thresholds(thresholds)
        self.percentile, self.empty, self.smooth = float(percentile), empty, smooth
        self.names: list[str] = []
        self._iou: list[NDArray[np.float64]] = []
        self._distance: list[NDArray[np.float64]] = []

    def update(self, prob: Any, target: Any, ignore: Any = None, name: str = '') -> None:
        """Measure one image.

        Args:
            prob: (H, W) probability of a crack, an array or a tensor.
            target: (H, W) mask, non-zero = crack.
            ignore: (H, W) bool of pixels to leave out, or None.
            name: What the image is called in :meth:`per_image`.

        Raises:
            ValueError: Shapes differ, or ``prob`` is of integers.
        """
        iou = iou_sweep(prob, target, self.thresholds, self.smooth, ignore)
        distance = hausdorff_sweep(
            prob, target, self.thresholds, self.percentile, empty=self.empty, ignore=ignore
        )
        self._iou.append(np.asarray(iou))
        self._distance.append(np.asarray(distance).reshape(-1))
        self.names.append(name)

    def compute(self) -> dict[str, float]:
        """The set's metrics.

        Returns:
            ``IoU_max``, ``AIU`` and, with the percentile's number in their names, ``HD95_min`` and
            ``AHD95``; the best threshold of each after ``_threshold``.

        Raises:
            ValueError: No image was measured.
        """
        iou, distance = self._mean(self._iou), self._mean(self._distance)
        hd = f'HD{self.percentile:g}'
        best, closest = _best(iou), _best(-distance)
        return {
            'IoU_max': float(iou[best]),
            'AIU': float(iou.mean()),
            'IoU_max_threshold': round(float(self.thresholds[best]), 6),
            f'{hd}_min': float(distance[closest]),
            f'A{hd}': float(distance.mean()),
            f'{hd}_min_threshold': round(float(self.thresholds[closest]), 6),
        }

    def per_image(self) -> dict[str, dict[str, float]]:
        """Values of each image, by its name, at the thresholds that are best for the set.

        Raises:
            ValueError: No image was measured.
        """
        best, closest = _best(self._mean(self._iou)), _best(-self._mean(self._distance))
        hd = f'HD{self.percentile:g}_min'
        return {
            name: {'IoU_max': float(iou[best]), hd: float(distance[closest])}
            for name, iou, distance in zip(self.names, self._iou, self._distance, strict=True)
        }

    @staticmethod
    def _mean(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        if not values:
            raise ValueError('no image was measured; call update(prob, target) for each')
        return np.nanmean(np.stack(values), 0)


def _best(values: NDArray[np.float64]) -> int:
    """Index of the largest value, the first one if several are; 0 if there is none."""
    return 0 if np.isnan(values).all() else int(np.nanargmax(values))
