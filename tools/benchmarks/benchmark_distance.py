"""Time of the distance maps beside SciPy's distance transform, on realistic crack masks.

python tools/benchmarks/benchmark_distance.py [--size 448] [--batch 6] [--device cuda]

All contestants get the same masks and take turns in one run on one thread, so that other work on the machine
slows all alike; the ratio is the median over masks and turns. With ``--device``, a batch of maps on the
accelerator is timed as well, against copying it to the host and back.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import torch
from numpy.typing import NDArray
from realistic_maps import realistic_map
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt

from csbsr_mm.functional.distance import distance_to, signed_distance


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', type=int, default=448)
    parser.add_argument('--masks', type=int, default=12)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--batch', type=int, default=6, help='masks of a batch on the accelerator')
    parser.add_argument('--device', help='accelerator, such as cuda')
    return parser.parse_args()


def scipy_signed(mask: NDArray) -> NDArray:
    """The normalised signed map by two distance transforms."""
    outside, inside = distance_transform_edt(~mask), distance_transform_edt(mask)
    return np.where(inside == 1, 0, outside / outside.max() - inside / inside.max()).astype(np.float32)


def scipy_distance(mask: NDArray) -> NDArray:
    """The distance to the crack by one distance transform."""
    return distance_transform_edt(~mask).astype(np.float32)


def compare(console: Console, masks: list[NDArray], turns: int) -> None:
    """Print times and ratios on the CPU."""
    table = Table(title=f'{masks[0].shape[0]}x{masks[0].shape[1]}, one thread')
    table.add_column('map', no_wrap=True)
    for column in ('SciPy, ms', 'csbsr_mm, ms', 'ratio'):
        table.add_column(column, justify='right')
    pairs: dict[str, tuple[Callable, Callable]] = {
        'signed distance': (scipy_signed, signed_distance),
        'distance to the crack': (scipy_distance, distance_to),
    }
    for name, contestants in pairs.items():
        times = np.array([[[_seconds(c, mask) for c in contestants] for mask in masks] for _ in range(turns)])
        ratio = np.median(times[..., 0] / times[..., 1])
        theirs, ours = 1e3 * np.median(times, axis=(0, 1))
        table.add_row(name, f'{theirs:.2f}', f'{ours:.2f}', f'{ratio:.1f}')
    console.print(table)


def _seconds(function: Callable, mask: NDArray) -> float:
    start = time.process_time()
    function(mask)
    return time.process_time() - start


def on_device(console: Console, masks: list[NDArray], args: argparse.Namespace) -> None:
    """Print the time of a batch on the accelerator, and by way of the host."""
    batch = torch.from_numpy(np.stack(masks[: args.batch])).to(args.device)
    host = signed_distance(batch.cpu())
    if not torch.equal(signed_distance(batch).cpu(), host):
        raise SystemExit(f'error: {args.device} and CPU give different maps')
    times: dict[str, list[float]] = {'there': [], 'by way of the host': []}
    for _ in range(20):
        for name, function in (
            ('there', lambda: signed_distance(batch)),
            ('by way of the host', lambda: signed_distance(batch.cpu()).to(args.device)),
        ):
            torch.cuda.synchronize(args.device)
            start = time.perf_counter()
            function()
            torch.cuda.synchronize(args.device)
            times[name].append(time.perf_counter() - start)
    for name, values in times.items():
        console.print(f'batch of {len(batch)} on {args.device}, {name}: {1e3 * np.median(values):.2f} ms')


def main() -> None:
    """Run both comparisons."""
    args = parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    regimes = ('soft', 'sharp', 'noisy')
    masks = [realistic_map(rng, regimes[i % 3], args.size)[1] for i in range(args.masks)]
    for mask in masks:
        if not np.allclose(signed_distance(mask), scipy_signed(mask), atol=1e-6):
            raise SystemExit("error: the maps differ from SciPy's")
    console = Console()
    compare(console, masks, args.turns)
    if args.device:
        on_device(console, masks, args)


if __name__ == '__main__':
    main()
