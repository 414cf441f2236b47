"""Robust Hausdorff distance over thresholds: its minimum and its average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmseg.registry import METRICS
from numpy.typing import NDArray

from csbsr_mm.functional.surface import hausdorff_sweep

from .threshold_curve_metric import ThresholdCurve, ThresholdCurveMetric


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
        super().__init__(**kwargs)
        if aggregation not in ('mean', 'median'):
            raise ValueError(f"aggregation must be 'mean' or 'median', got {aggregation!r}")
        self.percentiles = [float(p) for p in np.atleast_1d(percentile)]
        self.spacing = tuple(spacing)
        self.empty = empty
        self.aggregation = aggregation
        hausdorff_sweep(np.zeros((1, 1)), np.zeros((1, 1)), [0.5], self.percentiles, self.spacing, empty)

    @property
    def leaves_out(self) -> bool:
        """Whether images with one empty mask are left out of the mean."""
        return self.empty == 'nan'

    def measure(self, prob: NDArray, target: NDArray, ignore: NDArray | None) -> dict[str, Any]:
        """Distances, and where exactly one mask is empty."""
        thresholds = self.measured_thresholds
        distances = hausdorff_sweep(
            prob, target, thresholds, self.percentiles, self.spacing, self.empty, ignore
        )
        known = prob if ignore is None else prob[~ignore]
        known_target = target if ignore is None else target[~ignore]
        predicted = np.float32(np.nanmax(known, initial=-np.inf)) > thresholds
        return {'distances': distances, 'one_empty': predicted != known_target.any()}

    def curves(self, results: list[dict[str, Any]]) -> list[ThresholdCurve]:
        """A curve for each percentile."""
        average = np.nanmean if self.aggregation == 'mean' else np.nanmedian
        distances = np.stack([result['distances'] for result in results], 1)
        one_empty = np.sum([result['one_empty'] for result in results], 0)
        curves = []
        for percentile, per_image in zip(self.percentiles, distances, strict=True):
            name = f'HD{percentile:g}'
            curves.append(
                ThresholdCurve(
                    name, 'min', f'A{name}', per_image, average(per_image, 0), one_empty, self.leaves_out
                )
            )
        return curves
