"""What a report says about each measure beside its number: corrected value, interval, chances, classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from csbsr_mm.inspection.scale.millimetres import in_millimetres, local_scale, total_in_millimetres
from csbsr_mm.inspection.scale.scales import ScaleTable

from .classes import LEVELS, WidthClasses
from .errors import COVERAGE, WIDTHS, Estimate, WidthErrors, geometry_errors

MEASURES = ('length', *WIDTHS)
CHANCES = ('mean_width', 'width_95', 'max_width')
"""The measures that limits are compared with."""
PARTS = ('corrected', 'low', 'high')


class Estimator:
    """Estimates for the records of a report.

    Args:
        scales: Sizes of pixels.
        errors: Errors of the model; None where they are not known, then those of the geometry count alone.
        classes: Limits of width; None compares with none.
    """

    def __init__(
        self, scales: ScaleTable, errors: WidthErrors | None = None, classes: WidthClasses | None = None
    ) -> None:
        self.scales, self.errors, self.classes = scales, errors, classes

    def errors_of(self, record: Mapping[str, Any]) -> WidthErrors:
        """The errors that a photo was measured with; those of the model hold at its threshold alone."""
        if self.errors is not None and self.errors.suits(record['threshold']):
            return self.errors
        return geometry_errors(record['scale'])

    def of(self, record: Mapping[str, Any], index: int | None = None) -> dict[str, Any]:
        """Estimates of one crack, or of all cracks of a photo together.

        Args:
            record: What is known about the photo; see :data:`.prediction_run.Record`.
            index: Number of the crack from 0; None for all.

        Returns:
            ``unit``, mm or px; ``source`` of the errors; ``values``, with ``corrected``, ``low``, ``high``
            and ``std`` of each measure; and where limits are known in this unit ``above``, the probabilities
            that they are exceeded, and ``length_per_class``.
        """
        errors = self.errors_of(record)
        found, converted = self._estimates(record, index, errors)
        unit = 'px' if converted is None else 'mm'
        result: dict[str, Any] = dict(unit=unit, source=errors.about['source'], coverage=COVERAGE)
        result['values'] = {name: _described(estimate) for name, estimate in found.items()}
        if converted is not None and self.classes is not None:
            result['above'] = {
                f'{limit:g}': {name: round(found[name].chance_above(limit), 4) for name in CHANCES}
                for limit in self.classes.limits
            }
            lengths = self._class_lengths(record, index, errors)
            result['length_per_class'] = dict(zip(self.classes.names, lengths, strict=True))
        return result

    def columns(self, unit: str) -> list[str]:
        """Names of the cells of a table."""
        names = [f'{name}_{unit}_{part}' for name in MEASURES for part in PARTS]
        if self.classes is not None and unit == 'mm':
            names += [f'p_{name}_above_{limit:g}_mm' for limit in self.classes.limits for name in CHANCES]
            names += self.classes.columns
        return [*names, 'errors_from']

    def cells(self, estimates: Mapping[str, Any]) -> dict[str, str]:
        """The cells of a table's row from what :meth:`of` returned."""
        unit = estimates['unit']
        cells = {
            f'{name}_{unit}_{part}': f'{values[part]:.3f}'
            for name, values in estimates['values'].items()
            for part in PARTS
        }
        for limit, chances in estimates.get('above', {}).items():
            cells |= {f'p_{name}_above_{limit}_mm': f'{chance:.3f}' for name, chance in chances.items()}
        if self.classes is not None and 'length_per_class' in estimates:
            lengths = estimates['length_per_class'].values()
            cells |= {
                name: f'{length:.3f}' for name, length in zip(self.classes.columns, lengths, strict=True)
            }
        return {**cells, 'errors_from': estimates['source']}

    def _estimates(
        self, record: Mapping[str, Any], index: int | None, errors: WidthErrors
    ) -> tuple[dict[str, Estimate], dict[str, float] | None]:
        """Estimates in millimetres where the scale is known, and the measures in millimetres."""
        scale = self.scales.of(record['source'])
        measures = record['total'] if index is None else record['cracks'][index]
        found = {}
        for name in MEASURES:
            value = measures.get(name)
            # Where there is no crack, there is nothing uncertain about its width.
            estimate = (
                None if value is None else errors.estimate(name, value) if value else Estimate(0.0, 0.0)
            )
            if estimate is not None:
                found[name] = estimate
        _keep_order(found)
        if scale is None:
            return found, None
        if index is None:
            converted = total_in_millimetres(measures, record['cracks'], scale)
            relative = scale.at().relative_std
        else:
            converted = in_millimetres(measures, scale)
            relative = local_scale(measures, scale).relative_std
        for name, estimate in found.items():
            factor = _factor(name, measures, converted)
            found[name] = estimate.scaled(factor, factor * (relative or 0.0))
        return found, converted

    def _class_lengths(
        self, record: Mapping[str, Any], index: int | None, errors: WidthErrors
    ) -> list[float]:
        """Corrected length in each class; that of a photo is the sum over its cracks."""
        assert self.classes is not None
        if index is None:
            parts = [self._class_lengths(record, one, errors) for one in range(len(record['cracks']))]
            nothing = [0.0] * len(self.classes.names)
            return [round(sum(column), 4) for column in zip(nothing, *parts, strict=True)]
        crack = record['cracks'][index]
        found, converted = self._estimates(record, index, errors)
        levels = crack.get('width_levels') or [crack['mean_width']]
        between = crack.get('subpixel_mean') is not None
        curve = errors.curves.get('subpixel_mean' if between else 'mean_width')
        widths = np.asarray(levels if curve is None else curve.corrected(np.asarray(levels)))
        if len(widths) != len(LEVELS):
            # An older record.
            widths = np.repeat(widths[:1], len(LEVELS))
        factor = _factor('mean_width', crack, converted or crack)
        return [round(part, 4) for part in self.classes.lengths(factor * widths, found['length'].value)]


def _keep_order(found: dict[str, Estimate]) -> None:
    """No largest width below the mean: each measure was corrected by a table of its own."""
    for rising in (('mean_width', 'width_95', 'max_width'), ('subpixel_mean', 'subpixel_max')):
        least = 0.0
        for name in rising:
            if name in found:
                least = max(least, found[name].value)
                found[name] = found[name]._replace(value=least)


def _factor(name: str, measures: Mapping[str, Any], converted: Mapping[str, float]) -> float:
    """Millimetres per pixel that a measure was converted with."""
    like = {'length': 'length', 'max_width': 'max_width', 'subpixel_max': 'max_width'}.get(name, 'mean_width')
    return converted[like] / measures[like] if measures[like] else 1.0


def _described(estimate: Estimate) -> dict[str, float]:
    low, high = estimate.interval()
    values: Sequence[float] = (estimate.value, low, high, estimate.std)
    return {name: round(value, 4) for name, value in zip((*PARTS, 'std'), values, strict=True)}
