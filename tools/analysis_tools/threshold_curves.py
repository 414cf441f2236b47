"""Draw IoU and Hausdorff distance over thresholds for several runs in one figure.

python tools/test.py CONFIG CHECKPOINT --cfg-options test_evaluator.0.curve_csv=csbsr/iou.csv \
    test_evaluator.1.curve_csv=csbsr/hd95.csv
python tools/analysis_tools/threshold_curves.py CSBSR=csbsr bicubic=bicubic/iou.csv --out curves.png
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

LOWER_IS_BETTER = ('HD', 'ASD')
NO_CURVES = ('threshold', 'one_empty')

Curves = dict[str, tuple[NDArray, NDArray]]
"""Thresholds and values by quantity."""


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='[NAME=]RUN',
        help='folder of curve files (curve_csv of the metrics), or one file',
    )
    parser.add_argument('--out', default='threshold_curves.png', help='picture to write: .png, .pdf or .svg')
    parser.add_argument('--quantities', nargs='+', help='these only, such as IoU HD95')
    return parser.parse_args(argv)


def read_run(argument: str) -> tuple[str, Curves]:
    """Name and curves of one ``NAME=RUN``; without a name, that of the folder.

    Raises:
        ValueError: there is no file, or none with thresholds.
    """
    name, separator, place = argument.rpartition('=')
    path = Path(place)
    files = sorted(path.glob('*.csv')) if path.is_dir() else [path]
    curves: Curves = {}
    for file in files:
        curves.update(_read_curves(file))
    if not curves:
        raise ValueError(f'{path} holds no curves; test with test_evaluator.0.curve_csv=FILE')
    return (name if separator else (path if path.is_dir() else path.parent).name), curves


def _read_curves(file: Path) -> Curves:
    try:
        with file.open(newline='', encoding='utf-8') as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise ValueError(f'{file} cannot be read: {error.strerror}') from error
    if not rows or 'threshold' not in rows[0]:
        return {}
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return {name: (columns['threshold'], v) for name, v in columns.items() if name not in NO_CURVES}


def draw(runs: dict[str, Curves], quantities: list[str] | None = None) -> Figure:
    """One panel per quantity, one line per run, a dot at the best threshold."""
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


def _draw_line(axis, name: str, thresholds: NDArray, values: NDArray, lower: bool, color: str) -> None:
    order = np.argsort(thresholds)
    thresholds, values = thresholds[order], values[order]
    if np.isnan(values).all():
        return
    best = np.nanargmin(values) if lower else np.nanargmax(values)
    mean = np.nanmean(values[np.isfinite(values)]) if np.isfinite(values).any() else values[best]
    label = f'{name}: best {values[best]:.4g} at {thresholds[best]:g}, mean {mean:.4g}'
    axis.plot(thresholds, values, color=color, label=label)
    axis.plot(thresholds[best], values[best], 'o', color=color)


def main(argv: list[str] | None = None) -> int:
    """Read and draw; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        figure = draw(dict(read_run(argument) for argument in args.runs), args.quantities)
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(args.out, dpi=150)
    except ValueError as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
