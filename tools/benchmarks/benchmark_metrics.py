"""Time of the threshold sweeps beside loops over other libraries, on realistic maps.

python tools/benchmarks/benchmark_metrics.py [--images 3] [--size 448] [--set-size 1695 --workers 2]

All contestants get the same maps and take turns in one run on one thread, so that other work on the machine
slows all alike; CPU time is measured, and a ratio is the median over images and turns. The first call, which
compiles or loads compiled code, is reported apart. surface-distance, MONAI and scikit-image take part if
installed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import torch
from numpy.typing import NDArray
from realistic_maps import REGIMES, realistic_map
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt

from csbsr_mm.functional.calibration import calibration_counts
from csbsr_mm.functional.centerline import centerline_sweep
from csbsr_mm.functional.overlap import iou_sweep
from csbsr_mm.functional.surface import hausdorff_sweep, robust_hausdorff, surface_sweep
from csbsr_mm.functional.tolerance import tolerance_sweep

THRESHOLDS = (np.arange(1, 100) / 100).astype(np.float32)
FIRST_CALL = (
    'import time, numpy as np; from csbsr_mm.functional import surface, overlap; '
    'g = np.eye(64, dtype=bool); p = (g * 0.7).astype(np.float32); c = time.process_time(); '
    'surface.hausdorff_sweep(p, g); overlap.iou_sweep(p, g); print(time.process_time() - c)'
)

Contestant = Callable[[NDArray, NDArray], Any]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=3, help='maps of each regime')
    parser.add_argument('--size', type=int, default=448)
    parser.add_argument('--turns', type=int, default=3)
    parser.add_argument('--regimes', nargs='+', default=list(REGIMES), choices=list(REGIMES))
    parser.add_argument('--tasks', nargs='+', help='parts of the names of the tasks; all by default')
    parser.add_argument('--set-size', type=int, default=0, help='images of a whole-set evaluation; 0: none')
    parser.add_argument('--workers', type=int, default=2, help='threads of the whole-set evaluation')
    parser.add_argument('--skip-first-call', action='store_true', help='do not time compiling')
    return parser.parse_args()


def package(name: str, console: Console) -> ModuleType | None:
    """An optional contestant; NumPy 2 lacks two names that surface-distance uses."""
    for missing in ('Inf', 'NaN'):
        if not hasattr(np, missing):
            setattr(np, missing, getattr(np, missing.lower()))
    try:
        return importlib.import_module(name)
    except ImportError as error:
        console.print(f'{name} takes no part ({error}); pip install it to compare')
        return None


def single_distances(console: Console) -> dict[str, Callable[[NDArray, NDArray], float]]:
    """HD95 of two masks by each library, ours first."""
    contestants: dict[str, Callable[[NDArray, NDArray], float]] = {'csbsr_mm': robust_hausdorff}
    deepmind = package('surface_distance', console)
    if deepmind is not None:

        def by_deepmind(pred: NDArray, target: NDArray) -> float:
            distances = deepmind.compute_surface_distances(target, pred, (1, 1))
            return deepmind.compute_robust_hausdorff(distances, 95)

        contestants['surface-distance'] = by_deepmind
    monai = package('monai.metrics', console)
    if monai is not None:

        def by_monai(pred: NDArray, target: NDArray) -> float:
            pair = (torch.from_numpy(mask)[None, None] for mask in (pred, target))
            distance = monai.compute_hausdorff_distance(*pair, include_background=True, percentile=95)
            return float(distance)

        contestants['MONAI'] = by_monai
    return contestants


def loop(single: Callable[[NDArray, NDArray], float]) -> Contestant:
    """A sweep as a loop over thresholds."""
    return lambda prob, target: [single(prob > threshold, target) for threshold in THRESHOLDS]


def numpy_iou(prob: NDArray, target: NDArray) -> list[float]:
    """IoU over thresholds as a loop in NumPy."""
    values = []
    for threshold in THRESHOLDS:
        pred = prob > threshold
        values.append(((pred & target).sum() + 1e-5) / ((pred | target).sum() + 1e-5))
    return values


def tasks(console: Console) -> dict[str, dict[str, Contestant]]:
    """What to time, and by whom; the first contestant of each is ours."""
    singles = single_distances(console)
    others = {f'loop over {name}': loop(single) for name, single in list(singles.items())[1:]}
    return {
        'HD95 at 99 thresholds': {'csbsr_mm': hausdorff_sweep, **others},
        'HD95 at one threshold': {
            name: lambda prob, target, single=single: single(prob > np.float32(0.5), target)
            for name, single in singles.items()
        },
        'IoU at 99 thresholds': {'csbsr_mm': iou_sweep, 'loop in NumPy': numpy_iou},
        'F1 within 2 px at 99 thresholds': {'csbsr_mm': tolerance_sweep, 'loop over SciPy': scipy_f1},
        'surface Dice within 2 px at 99 thresholds': {
            'csbsr_mm': surface_sweep,
            **surface_dice_loops(console),
        },
        'clDice at 99 thresholds': {'csbsr_mm': centerline_sweep, **cl_dice_loops(console)},
        'everything at 99 thresholds': {'csbsr_mm': everything},
    }


def scipy_f1(prob: NDArray, target: NDArray) -> list[float]:
    """F1 within two pixels as a loop over distance transforms."""
    values = []
    to_target = distance_transform_edt(~target)
    for threshold in THRESHOLDS:
        pred = prob > threshold
        precision = (to_target[pred] <= 2).sum() / max(pred.sum(), 1)
        recall = (distance_transform_edt(~pred)[target] <= 2).sum() / max(target.sum(), 1)
        values.append(2 * precision * recall / max(precision + recall, 1e-9))
    return values


def surface_dice_loops(console: Console) -> dict[str, Contestant]:
    """Surface Dice within two pixels by other libraries."""
    deepmind = package('surface_distance', console)
    if deepmind is None:
        return {}

    def by_deepmind(prob: NDArray, target: NDArray) -> list[float]:
        found = (deepmind.compute_surface_distances(target, prob > t, (1, 1)) for t in THRESHOLDS)
        return [deepmind.compute_surface_dice_at_tolerance(distances, 2) for distances in found]

    return {'loop over surface-distance': by_deepmind}


def cl_dice_loops(console: Console) -> dict[str, Contestant]:
    """clDice as a loop over the thinnings of scikit-image."""
    morphology = package('skimage.morphology', console)
    if morphology is None:
        return {}

    def by(thinned: Callable[[NDArray], NDArray]) -> Contestant:
        def cl_dice(prob: NDArray, target: NDArray) -> list[float]:
            line, values = thinned(target), []
            for threshold in THRESHOLDS:
                pred = prob > threshold
                lines = thinned(pred)
                precision = (lines & target).sum() / max(lines.sum(), 1)
                recall = (line & pred).sum() / max(line.sum(), 1)
                values.append(2 * precision * recall / max(precision + recall, 1e-9))
            return values

        return cl_dice

    return {
        'loop over skeletonize': by(morphology.skeletonize),
        'loop over thin (the same lines)': by(morphology.thin),
    }


def everything(prob: NDArray, target: NDArray) -> None:
    """All sweeps, with all tolerances of the reports."""
    iou_sweep(prob, target)
    hausdorff_sweep(prob, target)
    tolerance_sweep(prob, target, tolerance=[0, 2, 5])
    surface_sweep(prob, target, tolerance=2)
    centerline_sweep(prob, target, tolerance=[0, 2, 4])
    calibration_counts(prob, target)


def measure(
    contestants: dict[str, Contestant], prob: NDArray, target: NDArray, turns: int
) -> dict[str, list]:
    """CPU seconds of each contestant, by turns; slow ones take one turn, quick ones several in each."""
    times: dict[str, list] = {name: [] for name in contestants}
    for turn in range(turns):
        for name, contestant in contestants.items():
            if turn and times[name][0] > 0.2:
                times[name].append(times[name][0])
                continue
            start, repeats = time.process_time(), 0
            while repeats < 3 or time.process_time() - start < 0.02:
                contestant(prob, target)
                repeats += 1
                if time.process_time() - start > 0.2:
                    break
            times[name].append((time.process_time() - start) / repeats)
    return times


def benchmark(console: Console, args: argparse.Namespace) -> None:
    """Print a table of times and ratios for each task."""
    rng = np.random.default_rng(0)
    maps = {
        regime: [realistic_map(rng, regime, args.size) for _ in range(args.images)] for regime in args.regimes
    }
    for task, contestants in tasks(console).items():
        if args.tasks and not any(part in task for part in args.tasks):
            continue
        for contestant in contestants.values():
            contestant(*next(iter(maps.values()))[0])
        table = Table(title=f'{task}, {args.size}x{args.size}, one thread')
        for column in ('maps', 'by'):
            table.add_column(column, no_wrap=True)
        for column in ('ms', 'times ours'):
            table.add_column(column, justify='right')
        medians: dict[str, list[float]] = {}
        for regime, pairs in maps.items():
            times = [measure(contestants, *pair, args.turns) for pair in pairs]
            ours = np.concatenate([image['csbsr_mm'] for image in times])
            for name in contestants:
                theirs = np.concatenate([image[name] for image in times])
                ratio = float(np.median(theirs / ours))
                medians.setdefault(name, []).append(ratio)
                table.add_row(regime, name, f'{1e3 * np.median(theirs):.3g}', f'{ratio:.3g}')
        for name, ratios in medians.items():
            table.add_row('median of regimes', name, '', f'{statistics.median(ratios):.3g}')
        console.print(table)


def first_calls(console: Console) -> None:
    """Print the CPU time of a process's first calls, with and without compiled code on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        for state in ('nothing compiled yet', 'compiled code cached on the disk'):
            run = subprocess.run(
                [sys.executable, '-W', 'ignore', '-c', FIRST_CALL],
                env=os.environ | {'NUMBA_CACHE_DIR': folder},
                capture_output=True,
                text=True,
                check=True,
            )
            console.print(f'first sweeps of a process, {state}: {float(run.stdout.split()[-1]):.2f} s')


def whole_set(console: Console, args: argparse.Namespace) -> None:
    """Print the time for both sweeps of a whole set, with several workers."""
    rng = np.random.default_rng(1)
    shares = {'soft': 0.4, 'sharp': 0.3, 'noisy': 0.2, 'nocrack': 0.1}
    pool = [
        realistic_map(rng, regime, args.size)
        for regime, share in shares.items()
        for _ in range(round(60 * share))
    ]
    pairs = [pool[index] for index in rng.integers(0, len(pool), args.set_size)]

    def both(pair: tuple[NDArray, NDArray]) -> None:
        hausdorff_sweep(*pair)
        iou_sweep(*pair)

    both(pool[0])
    start, cpu_start = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(args.workers) as executor:
        list(executor.map(both, pairs))
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    console.print(
        f'{args.set_size} images of {args.size}x{args.size}, HD95 and IoU at 99 thresholds, {args.workers} '
        f'workers: {elapsed:.1f} s ({cpu:.1f} s of CPU)'
    )


def main() -> None:
    """Run what was asked for."""
    args = parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    console = Console()
    if not args.skip_first_call:
        first_calls(console)
    benchmark(console, args)
    if args.set_size:
        whole_set(console, args)


if __name__ == '__main__':
    main()
