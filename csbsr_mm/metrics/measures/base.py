"""What a measure is: counts of one image, curves and figures of many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.metrics.curve import ThresholdCurve

Record = dict[str, NDArray]


class Measure(ABC):
    """One way to compare probability maps with true masks, without state.

    Of each image a record of a few arrays is kept; those of many images are stacked along a first axis.
    """

    @abstractmethod
    def count(self, prob: Any, target: Any, ignore: Any, thresholds: NDArray[np.float32]) -> Record:
        """The record of one image.

        Args:
            prob: (H, W) probability of a crack, an array or a tensor.
            target: (H, W) mask, non-zero = crack.
            ignore: (H, W) bool of pixels to leave out, or None.
            thresholds: (T,) thresholds.
        """

    def curves(self, records: Record) -> list[ThresholdCurve]:
        """Curves over all thresholds, from stacked records."""
        return []

    def figures(self, records: Record, count: int) -> dict[str, float]:
        """Figures that are no point of a curve.

        Args:
            records: Stacked records.
            count: Number of thresholds, the first ones, from which the best may be chosen.
        """
        return {}


def known_pixels(target: Any, ignore: Any) -> NDArray[np.float64]:
    """(1,) number of pixels that are not ignored."""
    pixels = float(np.prod(np.shape(target)))
    return np.array([pixels if ignore is None else pixels - float((ignore != 0).sum())])


def compact(record: Record) -> Record:
    """The same numbers in half the memory where they are whole."""
    return {name: _compact(np.asarray(values)) for name, values in record.items()}


def _compact(values: NDArray) -> NDArray:
    if values.dtype != np.float64 or not np.isfinite(values).all():
        return values
    whole = values.astype(np.int32) if np.abs(values).max(initial=0) < 2**31 else values
    return whole if np.array_equal(whole, values) else values
