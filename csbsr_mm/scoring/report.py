"""Results of an evaluation: a table for the terminal, CSV, JSON, and a page to look through."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from csbsr_mm.metrics import Accumulator
from csbsr_mm.metrics.paired_difference import PairedDifference
from csbsr_mm.version import __version__

PACKAGES = ('numpy', 'scipy', 'numba', 'torch')


def text_table(
    figures: Mapping[str, Mapping[str, float]], changes: Mapping[str, Mapping[str, PairedDifference]]
) -> str:
    """One line a figure, one column a model; the other models' differences from the first with intervals.

    Args:
        figures: Figures by model.
        changes: Differences of the first model from each other one, by that model; empty for one model.

    Example:
        >>> print(text_table({'ours': {'IoU_max': 0.5, 'AIU': 0.4}}, {}))
        figure    ours
        IoU_max 0.5000
        AIU     0.4000
    """
    models = list(figures)
    rows = [['figure', *models, *(f'{models[0]} - {name} [95 %]' for name in changes)]]
    for name in figures[models[0]]:
        cells = [shown(figures[model][name]) for model in models]
        cells += [_interval(of_model.get(name)) for of_model in changes.values()]
        rows.append([name, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        ' '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )
    return '\n'.join(lines)


def shown(value: float) -> str:
    """A figure for people."""
    return str(value) if isinstance(value, int) else f'{value:.4f}'


def _interval(difference: PairedDifference | None) -> str:
    if difference is None:
        return '-'
    return f'{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]'


def write_images(path: Path, models: Mapping[str, Accumulator]) -> None:
    """Write the values of each image, one row an image and model; the model's column only for several."""
    path.parent.mkdir(parents=True, exist_ok=True)
    several = len(models) > 1
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        for number, (model, metrics) in enumerate(models.items()):
            rows = metrics.per_image()
            if not number:
                writer.writerow([*(['model'] if several else []), 'image', *rows[0]])
            for name, row in zip(metrics.names, rows, strict=True):
                writer.writerow([*([model] if several else []), name, *row.values()])


def write_curves(path: Path, models: Mapping[str, Accumulator]) -> None:
    """Write every curve of every model, one row a threshold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Sequence[Any]] = {}
    for model, metrics in models.items():
        count = len(metrics.thresholds)
        columns['threshold'] = [f'{threshold:g}' for threshold in metrics.thresholds]
        for curve in metrics.curves():
            columns[f'{model}/{curve.name}'] = curve.values[:count].tolist()
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write figures with the versions that gave them; what is not finite as text, ``"nan"`` or ``"inf"``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(_plain({**content, 'versions': versions()}), indent=1) + '\n', encoding='utf-8'
    )


def versions() -> dict[str, str]:
    """Versions of Python, csbsr_mm and the packages that compute, as far as they are installed."""
    found = {'python': platform.python_version(), 'csbsr_mm': __version__}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    """Values that JSON has."""
    if isinstance(value, PairedDifference):
        return _plain({**value._asdict(), 'by_seed': None})
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
