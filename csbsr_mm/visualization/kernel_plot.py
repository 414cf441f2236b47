"""Plots of estimated and true blur kernels: size over size, and a grid of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csbsr_mm.functional.kernel_shape import compare_shapes, kernel_shape

PAIRS = 12
COLOURS = ('#1f5aa6', '#d1495b', '#2a9d8f')


def draw_kernels(
    path: str | Path, pairs: Mapping[str, tuple[NDArray, NDArray]], title: str = '', count: int = PAIRS
) -> None:
    """Draw estimated over true size for each set of kernels, and below it pairs of kernels.

    Args:
        path: File to write; its suffix chooses the format.
        pairs: By name, such as 'with rim': estimated and true kernels, each (N, K, K).
        title: Heading.
        count: Pairs of kernels per set, spread over the true sizes.
    """
    figure = Figure(figsize=(11, 4.6 + 1.7 * len(pairs)), layout='constrained')
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    top, *rows = figure.subfigures(1 + len(pairs), 1, height_ratios=[4.6] + [1.7] * len(pairs))
    axes = top.subplots(1, len(pairs), squeeze=False)[0]
    for axis, row, (name, (estimated, true)), colour in zip(
        axes, rows, pairs.items(), COLOURS * len(pairs), strict=False
    ):
        _draw_sizes(axis, name, estimated, true, colour)
        _draw_pairs(row, name, estimated, true, count)
    figure.savefig(path, dpi=110)


def _draw_sizes(axis, name: str, estimated: NDArray, true: NDArray, colour: str) -> None:
    shapes = kernel_shape(estimated), kernel_shape(true)
    agreement = compare_shapes(*shapes)
    most = 1.08 * max(float(shape.size[np.isfinite(shape.size)].max(initial=1)) for shape in shapes)
    axis.plot([0, most], [0, most], color='0.7', linewidth=1)
    axis.scatter(shapes[1].size, shapes[0].size, s=14, color=colour, alpha=0.7, linewidth=0)
    axis.set(xlim=(0, most), ylim=(0, most), xlabel='true size, px', ylabel='estimated size, px')
    axis.set_aspect('equal')
    axis.set_title(f'{name}: R² {agreement.size_r2:.2f}, direction {agreement.angle_error:.0f}° off')


def _draw_pairs(row, name: str, estimated: NDArray, true: NDArray, count: int) -> None:
    """Kernels from the smallest to the largest, the true one above the estimated one."""
    order = np.argsort(kernel_shape(true).size)
    shown = order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)]
    axes = row.subplots(2, len(shown), squeeze=False)
    for column, index in enumerate(shown):
        for axis, kernel in zip(axes[:, column], (true[index], estimated[index]), strict=True):
            axis.imshow(kernel, cmap='magma', vmin=0)
            axis.set(xticks=[], yticks=[])
    for axis, label in zip(axes[:, 0], ('true', 'estimated'), strict=True):
        axis.set_ylabel(label, fontsize=8)
    row.suptitle(name, fontsize=9)
