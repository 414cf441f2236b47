"""Time of the boundary combo loss, forward and backward, beside MMSegmentation's CrossEntropy + Dice.

python tools/benchmarks/benchmark_boundary_loss.py [--device cuda] [--repeats 30]

All losses get the same logits and labels, and take turns in one run, so that other work on the machine slows
all alike; the ratio is the median over the turns. The first turn, which compiles, is not counted. Masks are
drawn in four kinds: thin cracks, wide cracks, many short cracks, none.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import cv2
import numpy as np
import torch
from mmseg.models.losses import CrossEntropyLoss, DiceLoss
from rich.console import Console
from rich.table import Table
from torch import Tensor

import csbsr_mm  # noqa: F401
from csbsr_mm.functional.boundary import boundary_map
from csbsr_mm.models.losses import BoundaryComboLoss

KINDS = dict(thin=(2, 40, (1, 3)), wide=(2, 40, (4, 9)), many=(14, 6, (1, 4)), none=(0, 0, (1, 2)))
"""Strokes, segments of each, range of widths in pixels."""
BASELINE = 'CrossEntropy + Dice'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--shape', type=int, nargs=4, default=(6, 2, 448, 448), metavar=tuple('BCHW'))
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads of torch')
    parser.add_argument('--repeats', type=int, default=30)
    parser.add_argument('--kinds', nargs='+', default=list(KINDS), choices=list(KINDS))
    parser.add_argument('--ignored', type=float, default=0.0, help='share of the rows that are ignored')
    return parser.parse_args()


def draw_cracks(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    """A mask (height, width) of random strokes."""
    strokes, segments, widths = KINDS[kind]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(strokes):
        point, angle = rng.uniform(0, (width, height)), rng.uniform(0, 2 * np.pi)
        for _ in range(segments):
            angle += rng.normal(0, 0.35)
            end = point + rng.uniform(4, 12) * np.array([np.cos(angle), np.sin(angle)])
            line = [tuple(np.round(p).astype(int).tolist()) for p in (point, end)]
            cv2.line(mask, *line, 1, int(rng.integers(*widths)))
            point = end
    return mask


def labels(kind: str, args: argparse.Namespace) -> Tensor:
    """Labels (B, H, W) of one kind."""
    batch, _, height, width = args.shape
    rng = np.random.default_rng(0)
    label = torch.from_numpy(np.stack([draw_cracks(rng, kind, height, width) for _ in range(batch)])).long()
    label[:, : round(args.ignored * height)] = 255
    return label.to(args.device)


def losses(label: Tensor, num_classes: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """What to compare, each a function of logits."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        cross_entropy, dice = CrossEntropyLoss(), DiceLoss(use_sigmoid=False)
    inside, given = BoundaryComboLoss(), BoundaryComboLoss()
    for loss in (inside, given):
        loss.to(label.device).set_alpha(0.5)
    classes = (1,) if num_classes == 2 else tuple(range(num_classes))
    given.set_boundary_maps(boundary_map(label, classes))
    return {
        BASELINE: lambda x: cross_entropy(x, label, ignore_index=255) + dice(x, label, ignore_index=255),
        'BoundaryCombo, maps precomputed': lambda x: given(x, label),
        'BoundaryCombo, maps computed inside': lambda x: inside(x, label),
    }


def seconds(loss: Callable[[Tensor], Tensor], logits: Tensor) -> float:
    """Time of one forward and backward pass."""
    logits = logits.clone().requires_grad_()
    start = _now(logits.device)
    loss(logits).backward()
    return _now(logits.device) - start


def _now(device: torch.device) -> float:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measure(kind: str, args: argparse.Namespace) -> dict[str, list[float]]:
    """Times of each loss, by turns."""
    logits = 2 * torch.randn(*args.shape, device=args.device)
    contestants = losses(labels(kind, args), args.shape[1])
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(args.repeats + 1):
        for name, loss in contestants.items():
            elapsed = seconds(loss, logits)
            if turn:
                times[name].append(elapsed)
    return times


def main() -> None:
    """Print a table of times and ratios."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    where = args.device if args.device != 'cpu' else f'CPU, {args.threads} thread(s)'
    table = Table(
        title=f'{tuple(args.shape)} on {where}, torch {torch.__version__}, median of {args.repeats}'
    )
    for column in ('masks', 'loss'):
        table.add_column(column, no_wrap=True)
    for column in ('ms', 'ratio'):
        table.add_column(column, justify='right')
    for kind in args.kinds:
        times = measure(kind, args)
        for name, values in times.items():
            ratios = [ours / theirs for ours, theirs in zip(values, times[BASELINE], strict=True)]
            row = f'{1e3 * statistics.median(values):.1f}', f'{statistics.median(ratios):.2f}'
            table.add_row(kind, name, *row)
    Console().print(table)


if __name__ == '__main__':
    main()
