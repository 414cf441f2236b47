"""The rows of a table as numbers: mean and spread over seeds, what the paper reports, paired differences."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from csbsr_mm.metrics.paired_difference import paired_difference

from .paper import Row, Table

# Metric: its direction, and how many decimals are worth printing.
COLUMNS = {
    'IoU_max': ('↑', 3),
    'AIU': ('↑', 3),
    'HD95_min': ('↓', 2),
    'AHD95': ('↓', 2),
    'HD50_min': ('↓', 2),
    'AHD50': ('↓', 2),
    'PSNR': ('↑', 2),
    'SSIM': ('↑', 3),
    'kernel_PSNR': ('↑', 2),
    'kernel_size_R2': ('↑', 2),
    'kernel_angle_error': ('↓', 0),
}
# Compared image by image: metric and the file that has its values of each image.
PAIRED = {'IoU_max': 'iou.csv', 'AIU': 'iou.csv', 'HD95_min': 'hausdorff.csv', 'PSNR': 'sr.csv'}

Results = Mapping[str, Sequence[Mapping[str, float]]]
Figures = Mapping[str, Mapping[str, float]]


def result_lines(
    table: Table, results: Results, figures: Mapping[str, Mapping[str, float]]
) -> list[list[str]]:
    """Header and rows: ours with the spread over seeds, below it the paper's and ours less the paper's.

    Args:
        table: The table.
        results: Metrics of each seed, by the row's key; rows without any are left out.
        figures: The paper's, by the row's key.
    """
    shown = [name for name in COLUMNS if any(name in seed for seeds in results.values() for seed in seeds)]
    lines = [['', 'seeds', *(f'{name} {COLUMNS[name][0]}' for name in shown)]]
    for row in table.rows:
        seeds = results.get(row.key, ())
        if seeds:
            cells = [_mean_and_spread(name, [seed[name] for seed in seeds if name in seed]) for name in shown]
            lines.append([row.label, str(len(seeds)), *cells])
        if row.key in figures:
            theirs = figures[row.key]
            lines.append([f'… {row.label}, paper', '', *(_number(name, theirs.get(name)) for name in shown)])
            if seeds:
                means = {name: _mean([seed[name] for seed in seeds if name in seed]) for name in shown}
                cells = [_signed_difference(name, means[name], theirs.get(name)) for name in shown]
                lines.append([f'… {row.label}, difference', '', *cells])
    return lines


def paired_lines(
    rows: Iterable[Row], folders: Mapping[str, Mapping[int, Path]], reference: str
) -> list[list[str]]:
    """Header and rows: mean difference of each metric to the reference on the same images and seeds.

    Args:
        rows: Rows of the table.
        folders: Folder of each seed's run, by the row's key.
        reference: Key of the row to compare with.

    Returns:
        Cells such as ``+0.02 [+0.01, +0.03], 62% (+0.03 +0.01)``: mean, its 95 % interval over images, on
        how many of them the row's value is larger, and the mean of each seed.
    """
    lines = [['difference to it', 'seeds', *PAIRED]]
    for row in rows:
        common = sorted(folders.get(row.key, {}).keys() & folders[reference].keys())
        if row.key == reference or not common:
            continue
        cells = []
        for metric, file in PAIRED.items():
            ours = [_per_image(folders[row.key][seed] / file, metric) for seed in common]
            theirs = [_per_image(folders[reference][seed] / file, metric) for seed in common]
            cells.append(_difference(metric, ours, theirs))
        lines.append([row.label, str(len(common)), *cells])
    return lines


def as_markdown(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells; all but the first column align right."""
    rule = ['---', *['---:'] * (len(lines[0]) - 1)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (lines[0], rule, *lines[1:]))


def show(lines: Sequence[Sequence[str]], title: str) -> None:
    """Print the same in the terminal; a narrow one breaks lines, but loses no digit."""
    table = RichTable(title=title)
    for index, name in enumerate(lines[0]):
        table.add_column(name, justify='right' if index else 'left')
    for line in lines[1:]:
        table.add_row(*line, style='dim' if line[0].startswith('… ') else None)
    console = Console()
    needed = table.__rich_measure__(console, console.options.update(max_width=1000)).maximum
    Console(width=max(console.width, needed)).print(table)


def _mean_and_spread(name: str, values: Sequence[float]) -> str:
    if not values:
        return '-'
    mean = _number(name, float(np.mean(values)))
    if len(values) == 1:
        return mean
    return f'{mean} ± {_number(name, float(np.std(values, ddof=1)))}'


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _signed_difference(name: str, ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None:
        return '-'
    return f'{ours - theirs:+.{COLUMNS[name][1]}f}'


def _number(name: str, value: float | None) -> str:
    return '-' if value is None else f'{value:.{COLUMNS[name][1]}f}'


def _per_image(path: Path, metric: str) -> dict[str, float]:
    """Values of one metric by image; empty if the run has no such values."""
    if not path.is_file():
        return {}
    with path.open(newline='', encoding='utf-8') as file:
        return {line['image']: float(line[metric]) for line in csv.DictReader(file) if metric in line}


def _difference(metric: str, ours: Sequence[dict[str, float]], theirs: Sequence[dict[str, float]]) -> str:
    images = sorted(set.intersection(*(set(values) for values in (*ours, *theirs))))
    if len(images) < 2:
        return '-'
    found = paired_difference(
        [[values[image] for image in images] for values in ours],
        [[values[image] for image in images] for values in theirs],
    )
    digits = COLUMNS[metric][1]
    mean, low, high, *by_seed = (f'{value:+.{digits}f}' for value in (*found[:3], *found.by_seed))
    seeds = f' ({" ".join(by_seed)})' if len(by_seed) > 1 else ''
    return f'{mean} [{low}, {high}], {found.larger:.0%}{seeds}'
