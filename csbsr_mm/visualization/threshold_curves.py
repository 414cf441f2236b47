"""IoU and Hausdorff distance over thresholds, several runs in one figure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

LOWER_IS_BETTER = ('HD', 'ASD')
NO_CURVES = ('threshold', 'one_empty')

Curves = dict[str, tuple[NDArray, NDArray]]
"""Thresholds and values by quantity."""


def read_curves(path: Path) -> Curves:
    """Curves of a file that a metric wrote (``curve_csv``), or of all such files of a folder.

    Args:
        path: File or folder.

    Returns:
        Thresholds and values by quantity, such as ``'IoU'``; empty if no file has any.

    Raises:
        ValueError: A file cannot be read.
    """
    curves: Curves = {}
    for file in sorted(path.glob('*.csv')) if path.is_dir() else [path]:
        curves.update(_read_file(file))
    return curves


def _read_file(file: Path) -> Curves:
    try:
        with file.open(newline='', encoding='utf-8') as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise ValueError(f'{file} cannot be read: {error.strerror}') from error
    if not rows or 'threshold' not in rows[0]:
        return {}
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return {name: (columns['threshold'], v) for name, v in columns.items() if name not in NO_CURVES}


def mean_curves(curves: Sequence[Curves]) -> Curves:
    """The mean of runs with the same thresholds; quantities that all of them have.

    Example:
        >>> one, other = ({'IoU': (np.array([0.5]), np.array([value]))} for value in (0.25, 0.75))
        >>> mean_curves([one, other])['IoU'][1].item()
        0.5
    """
    common = [name for name in curves[0] if all(name in run for run in curves)]
    return {name: (curves[0][name][0], np.mean([run[name][1] for run in curves], axis=0)) for name in common}


def draw_threshold_curves(runs: Mapping[str, Curves], quantities: Sequence[str] | None = None) -> Figure:
    """One panel per quantity, one line per run, a dot at the best threshold.

    Args:
        runs: Curves of each run, by the name to show.
        quantities: These only, such as ``['IoU', 'HD95']``.

    Raises:
        ValueError: No run has one of the quantities.
    """
    found = list(dict.fromkeys(name for curves in runs.values() for name in curves))
    found.sort(key=lambda name: name.startswith(LOWER_IS_BETTER))
    shown = quantities or found
    missing = [name for name in shown if name not in found]
    if missing:
        raise ValueError(f'no run has {", ".join(missing)}; there are {", ".join(found)}')
    figure = Figure((5.2 * len(shown), 3.8), layout='constrained')
    for axis, quantity in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        lower = quantity.startswith(LOWER_IS_BETTER)
        for number, (name, curves) in enumerate(runs.items()):
            if quantity in curves:
                _draw_line(axis, name, *curves[quantity], lower, f'C{number}')
        unit = ' [px], lower is better' if lower else ', higher is better'
        axis.set(xlabel='threshold', ylabel=quantity + unit, xlim=(0, 1))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    return figure


def _draw_line(axis: Axes, name: str, thresholds: NDArray, values: NDArray, lower: bool, color: str) -> None:
    order = np.argsort(thresholds)
    thresholds, values = thresholds[order], values[order]
    if np.isnan(values).all():
        return
    best = np.nanargmin(values) if lower else np.nanargmax(values)
    mean = np.nanmean(values[np.isfinite(values)]) if np.isfinite(values).any() else values[best]
    label = f'{name}: best {values[best]:.4g} at {thresholds[best]:g}, mean {mean:.4g}'
    axis.plot(thresholds, values, color=color, label=label)
    axis.plot(thresholds[best], values[best], 'o', color=color)
