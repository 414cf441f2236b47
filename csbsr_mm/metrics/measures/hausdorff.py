"""Robust Hausdorff distance over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.surface import hausdorff_sweep
from csbsr_mm.metrics.curve import ThresholdCurve
from csbsr_mm.utils.checks import check_choice

from .base import Measure, Record
from .overlap import as_array


class HausdorffMeasure(Measure):
    """``HD95``: ``HD95_min`` at the best threshold and ``AHD95`` on average; so for each percentile.

    Args:
        percentile: One or several in (0, 100].
        spacing: Size of a pixel along (rows, columns).
        empty: Distance of an image in which exactly one of prediction and label is empty:
            ``'image_width'`` (as CSBSR reports it), ``'inf'``, ``'nan'`` (left out of the mean) or a number.
        aggregation: ``'mean'`` over images, or ``'median'``.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        percentile: float | Sequence[float] = 95.0,
        spacing: tuple[float, float] = (1.0, 1.0),
        empty: str | float = 'image_width',
        aggregation: str = 'mean',
    ) -> None:
        check_choice('aggregation', aggregation, ('mean', 'median'))
        self.percentiles = [float(p) for p in np.atleast_1d(percentile)]
        self.spacing = (spacing[0], spacing[1])
        self.empty = empty
        self.aggregation = aggregation
        hausdorff_sweep(np.zeros((1, 1)), np.zeros((1, 1)), [0.5], self.percentiles, self.spacing, empty)

    @property
    def leaves_out(self) -> bool:
        """Whether images with one empty mask are left out of the mean."""
        return self.empty == 'nan'

    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """Distances, and where exactly one mask is empty."""
        distances = hausdorff_sweep(
            prob, target, thresholds, self.percentiles, self.spacing, self.empty, ignore
        )
        known, true = (prob, target) if ignore is None else (prob[ignore == 0], target[ignore == 0])
        highest = np.float32(known.max()) if np.size(as_array(known)) else np.float32(-np.inf)
        return {
            'distances': as_array(distances).reshape(len(self.percentiles), -1),
            'one_empty': (highest > thresholds) != bool((true != 0).any()),
        }

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """A curve for each percentile."""
        average = np.nanmean if self.aggregation == 'mean' else np.nanmedian
        one_empty = records['one_empty'].sum(0)
        curves = []
        for number, percentile in enumerate(self.percentiles):
            name, per_image = f'HD{percentile:g}', records['distances'][:, number]
            values = average(per_image, 0)
            curves.append(
                ThresholdCurve(name, 'min', f'A{name}', per_image, values, one_empty, self.leaves_out)
            )
        return curves
