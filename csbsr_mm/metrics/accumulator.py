"""Measures of a whole set, one image after the other, without any framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csbsr_mm.functional._levels import as_thresholds

from .curve import ThresholdCurve
from .images import checked_image
from .measures.base import Measure, Record, compact

STATE_VERSION = 1


class Accumulator:
    """Collects images and reports the figures of the set; several processes merge theirs.

    Of each image, some ten kilobytes are kept for all measures at 99 thresholds, however large it is.

    Args:
        measures: What to measure, by name.
        thresholds: (T,) thresholds from which the best ones are chosen; 0.01, 0.02, ... 0.99 by default.
            Probabilities are compared in float32 and have to be greater.
        at: Thresholds to report by themselves, such as one chosen on validation data.
    """

    def __init__(
        self,
        measures: Mapping[str, Measure],
        thresholds: ArrayLike | None = None,
        at: Sequence[float] = (0.5,),
    ) -> None:
        self.measures = dict(measures)
        self.thresholds = as_thresholds(thresholds)
        self.at = tuple(float(threshold) for threshold in at)
        self.names: list[str] = []
        self._records: dict[str, list[Record]] = {name: [] for name in self.measures}

    def __len__(self) -> int:
        return len(self.names)

    def update(self, prob: Any, target: Any, ignore: Any = None, name: str = '') -> None:
        """Measure one image.

        Args:
            prob: (H, W) probability of a crack in [0, 1], an array or a tensor on any device.
            target: (H, W) mask of 0 and one other value, which is a crack.
            ignore: (H, W) bool of pixels to leave out, or None.
            name: What the image is called in :meth:`per_image` and in errors.

        Raises:
            ValueError: Shapes differ, ``prob`` is of integers, a probability is not in [0, 1], or ``target``
                holds more than two values.
        """
        self.add(self.measure(prob, target, ignore, name), name)

    def measure(self, prob: Any, target: Any, ignore: Any = None, name: str = '') -> dict[str, Record]:
        """The records of one image by measure, without keeping them; :meth:`add` does."""
        prob, target, ignore = checked_image(prob, target, ignore, name)
        thresholds = np.concatenate([self.thresholds, np.asarray(self.at, np.float32)])
        return {
            label: compact(measure.count(prob, target, ignore, thresholds))
            for label, measure in self.measures.items()
        }

    def add(self, records: Mapping[str, Record], name: str = '') -> None:
        """Keep the records of one image that :meth:`measure` gave, here or in another process."""
        for label, kept in self._records.items():
            kept.append(dict(records[label]))
        self.names.append(name)

    def compute(self) -> dict[str, float]:
        """The set's figures by name; see :mod:`csbsr_mm.metrics.measures`.

        Raises:
            ValueError: No image was measured.
        """
        figures: dict[str, float] = {}
        for curve in self.curves():
            figures |= curve.figures(self.thresholds, self.at)
        for label, measure in self.measures.items():
            figures |= measure.figures(self._stacked(label), len(self.thresholds))
        return figures

    def curves(self) -> list[ThresholdCurve]:
        """All curves, over :attr:`thresholds` and then those of :attr:`at`.

        Raises:
            ValueError: No image was measured.
        """
        return [
            curve
            for label, measure in self.measures.items()
            for curve in measure.curves(self._stacked(label))
        ]

    def per_image(self) -> list[dict[str, float]]:
        """Values of each image at the thresholds that are best for the set, and at those of ``at``.

        Raises:
            ValueError: No image was measured.
        """
        count = len(self.thresholds)
        columns: dict[str, NDArray] = {}
        for curve in self.curves():
            if curve.best:
                columns[f'{curve.name}_{curve.best}'] = curve.per_image[:, curve.best_index(count)]
            for threshold, values in zip(self.at, curve.per_image[:, count:].T, strict=True):
                columns[f'{curve.name}_at_{threshold:g}'] = values
        return [{name: float(column[n]) for name, column in columns.items()} for n in range(len(self))]

    def reset(self) -> None:
        """Forget all images."""
        self.names.clear()
        for kept in self._records.values():
            kept.clear()

    def merge(self, other: Accumulator) -> None:
        """Add the images of another accumulator, such as another process's, after one's own.

        Raises:
            ValueError: The other one measures something else.
        """
        self._check(other.settings())
        self.names += other.names
        for label, kept in self._records.items():
            kept += other._records[label]

    def settings(self) -> dict[str, Any]:
        """What decides whether two accumulators measure the same."""
        return {
            'version': STATE_VERSION,
            'thresholds': self.thresholds.tolist(),
            'at': list(self.at),
            'measures': {label: _settings(measure) for label, measure in self.measures.items()},
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything measured so far, as names, lists and arrays."""
        records = {
            label: {key: np.stack([record[key] for record in kept]) for key in kept[0]} if kept else {}
            for label, kept in self._records.items()
        }
        return {'settings': self.settings(), 'names': list(self.names), 'records': records}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another accumulator was.

        Raises:
            ValueError: It measures something else.
        """
        self._check(state['settings'])
        self.names = list(state['names'])
        self._records = {
            label: [{key: values[n] for key, values in arrays.items()} for n in range(len(self.names))]
            for label, arrays in state['records'].items()
        }

    def _stacked(self, label: str) -> Record:
        kept = self._records[label]
        if not kept:
            raise ValueError('no image was measured; call update(prob, target) for each')
        return {key: np.stack([record[key] for record in kept]) for key in kept[0]}

    def _check(self, settings: Mapping[str, Any]) -> None:
        own = self.settings()
        for name, value in own.items():
            if settings.get(name) != value:
                raise ValueError(
                    f'{name} differ: {_short(settings.get(name))} there, {_short(value)} here; '
                    'build both accumulators with the same arguments'
                )


def _settings(measure: Measure) -> dict[str, Any]:
    """A measure's type and arguments as plain values."""
    plain = {name: np.asarray(value).tolist() for name, value in sorted(vars(measure).items())}
    return {'type': type(measure).__name__, **plain}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f'{text[:200]}...'
