"""Metrics by constituent of a collected data set, from the values that metrics write of each image."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# Metrics that write the values of each image.
PER_IMAGE = ('AIUMetric', 'HD95Metric', 'SRQualityMetric')


def per_image_options(evaluators: Iterable[Mapping[str, Any]], folder: Path) -> dict[str, str]:
    """Options that let a config's metrics write the values of each image.

    Args:
        evaluators: ``test_evaluator`` of the config.
        folder: Folder for their files.

    Returns:
        Options as after ``--cfg-options``; of metrics that write a file already, that file.

    Raises:
        ValueError: No metric can say what single images contribute.
    """
    options = {
        f'test_evaluator.{index}.per_image_csv': evaluator.get('per_image_csv')
        or str(folder / f'{evaluator["type"]}.csv')
        for index, evaluator in enumerate(evaluators)
        if evaluator['type'] in PER_IMAGE
    }
    if not options:
        raise ValueError(f'metrics by source need one of {", ".join(PER_IMAGE)} in test_evaluator')
    return options


def metrics_by_source(
    files: Iterable[str | Path], source_of: Callable[[str], str]
) -> dict[str, dict[str, float]]:
    """Mean of each metric over the images of each source.

    A value at the best threshold is that at the best threshold of the whole set: a source does not choose
    its own.

    Args:
        files: Files of values of each image (``per_image_csv``).
        source_of: Gives the source of a file name, such as ``csbsr_mm.datasets.image_files.source_of``.

    Returns:
        ``{source: {'images': count, metric: mean}}``, the source with most images first. Images without a
        value of a metric do not count for it.
    """
    values: dict[str, dict[str, dict[str, float]]] = {}
    for file in files:
        with Path(file).open(newline='', encoding='utf-8') as stream:
            for row in csv.DictReader(stream):
                image = row.pop('image')
                measured = values.setdefault(source_of(Path(image).name), {}).setdefault(image, {})
                measured.update((name, float(cell)) for name, cell in row.items() if cell)
    counted = sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
    return {source: _means(list(images.values())) for source, images in counted}


def _means(images: list[dict[str, float]]) -> dict[str, float]:
    means: dict[str, float] = {'images': len(images)}
    for name in dict.fromkeys(name for image in images for name in image):
        known = [image[name] for image in images if name in image and not math.isnan(image[name])]
        if known:
            means[name] = math.fsum(known) / len(known)
    return means


def print_by_source(sources: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Print a table with a line for each source."""
    names = list(dict.fromkeys(name for metrics in sources.values() for name in metrics))
    table = Table(title=title)
    table.add_column('source')
    for name in names:
        table.add_column(name, justify='right')
    for source, metrics in sources.items():
        cells = ['-' if name not in metrics else _shown(metrics[name]) for name in names]
        table.add_row(source, *cells)
    console = Console()
    needed = table.__rich_measure__(console, console.options.update(max_width=1000)).maximum
    Console(width=max(console.width, needed)).print(table)


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f'{value:.4f}'
