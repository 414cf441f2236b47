"""A quantity over thresholds, and what is reported of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ThresholdCurve(NamedTuple):
    """A quantity over thresholds.

    Attributes:
        name: Such as ``IoU``.
        best: ``'max'`` or ``'min'``; ``''`` if no threshold is the best, as of a recall.
        average_name: Name of the mean over thresholds; ``''``: it is not reported.
        per_image: (N, T) values of each image.
        values: (T,) value of the whole set at each threshold.
        one_empty: (T,) number of images in which exactly one of prediction and label is empty, if it matters.
        leaves_out: Whether those images are left out of ``values``.
    """

    name: str
    best: str
    average_name: str
    per_image: NDArray
    values: NDArray
    one_empty: NDArray | None = None
    leaves_out: bool = False

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """(T,) whether every image counts; a mean over those that are left is no better for the others."""
        if self.one_empty is None or not self.leaves_out:
            return np.ones(len(self.values), bool)
        return self.one_empty == 0

    def best_index(self, count: int) -> int:
        """Index of the best of the first ``count`` thresholds, the first of equals; 0 if there is none."""
        values = np.where(self.is_complete, self.values, np.nan)[:count]
        if np.isnan(values).all():
            return 0
        return int(np.nanargmax(values) if self.best == 'max' else np.nanargmin(values))

    def figures(self, thresholds: NDArray[np.float32], at: Sequence[float]) -> dict[str, float]:
        """Best value and its threshold, mean over thresholds, values at given thresholds.

        Args:
            thresholds: (C,) the curve's first thresholds, from which the best is chosen.
            at: The other ones, (T - C,), to report by themselves.
        """
        count = len(thresholds)
        figures: dict[str, float] = {}
        if self.best:
            best = self.best_index(count)
            is_complete = self.is_complete[:count]
            found = bool(is_complete[best])
            figures[f'{self.name}_{self.best}'] = float(self.values[best]) if found else math.nan
            if self.average_name:
                average = float(self.values[:count][is_complete].mean()) if found else math.nan
                figures[self.average_name] = average
            threshold = round(float(thresholds[best]), 6) if found else math.nan
            figures[f'{self.name}_{self.best}_threshold'] = threshold
        for threshold, value in zip(at, self.values[count:], strict=True):
            figures[f'{self.name}_at_{threshold:g}'] = float(value)
        if self.best and self.one_empty is not None:
            figures[f'{self.name}_one_empty'] = int(self.one_empty[best])
        return figures
