"""Time of the HD95 sweep for a batch on an accelerator, beside the CPU's kernel.

python tools/benchmarks/benchmark_device_sweep.py [--device cuda] [--batch 32] [--size 448] [--json FILE]

Both get the same realistic maps in turns. The CPU works on one thread. The ratio is the median over the
turns. The largest difference of the results is reported too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from realistic_maps import REGIMES, realistic_map
from rich.console import Console

from csbsr_mm.functional import hausdorff_sweep
from csbsr_mm.functional.surface.device_sweep import sweep_on_device


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--size', type=int, default=448)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args(argv)


def timed(function, device: torch.device) -> tuple[float, torch.Tensor]:
    """Seconds of a call, its work on the device included, and its result."""
    start = time.perf_counter()
    result = function()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, result


def main(argv: list[str] | None = None) -> int:
    """Measure and report."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    device = torch.device(args.device)
    rng = np.random.default_rng(0)
    regimes = list(REGIMES)
    maps = [realistic_map(rng, regimes[k % len(regimes)], args.size) for k in range(args.batch)]
    prob, target = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*maps, strict=True))
    on_device = prob.to(device), target.to(device)
    torch.set_num_threads(1)
    rows = []
    for _ in range(args.turns + 1):
        cpu, expected = timed(lambda: hausdorff_sweep(prob, target), torch.device('cpu'))
        accelerator, found = timed(lambda: sweep_on_device(*on_device), device)
        rows.append((cpu / args.batch, accelerator / args.batch))
    del rows[0]  # compiling
    cpu, accelerator = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(first / second for first, second in rows)
    difference = float((found.cpu() - expected).abs().max())
    Console().print(
        f'{args.batch} maps of {args.size}x{args.size}: CPU {1000 * cpu:.2f} ms a map, {device} '
        f'{1000 * accelerator:.2f} ms a map, ratio {ratio:.1f}; largest difference {difference:.1g}'
    )
    if args.json:
        figures = dict(cpu=cpu, device=accelerator, ratio=ratio, difference=difference, turns=rows)
        args.json.write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
