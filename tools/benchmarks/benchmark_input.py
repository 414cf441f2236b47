"""Images per second that the training pipeline supplies, beside what a training step uses up.

python tools/benchmarks/benchmark_input.py configs/csbsr/quickstart.py [--workers 2] [--json input.json]

The data loader is the one that training builds. Its rate, on the wall's clock, is measured while nobody
trains; then the processor time of each transform; then the training step on a batch in memory, on the GPU if
there is one. On a CPU a full-size KBPN takes minutes a step; --no-step leaves the step out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.engine.config import load_config
from csbsr_mm.engine.profiling.loader_throughput import measure_throughput, time_transforms, training_loader
from csbsr_mm.engine.profiling.training_step import TrainingStep, check_device
from csbsr_mm.engine.runtime import enable_amp, prepare_runtime


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file; one of configs/_base_/datasets has no step to time')
    parser.add_argument('--workers', type=int, default=2, help='worker processes (2)')
    parser.add_argument('--batch-size', type=int, help="images of a batch (the config's)")
    parser.add_argument('--images', type=int, default=300, help='images to measure on (300)')
    parser.add_argument('--no-step', action='store_true', help='measure the input alone')
    parser.add_argument('--steps', type=int, default=5, help='training steps to time (5)')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision in the step')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures, unrounded')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='override config entries: key=value ...'
    )
    return parser.parse_args(argv)


def measure(cfg: Config, args: argparse.Namespace) -> dict[str, Any]:
    """All figures, as they go into the JSON file; times of an image in milliseconds."""
    throughput, batch = measure_throughput(training_loader(cfg, args.workers, args.batch_size), args.images)
    transforms = time_transforms(training_loader(cfg, workers=0), args.images)
    batch_size = len(batch['inputs'])
    per_worker = throughput.images_per_second / max(args.workers, 1)
    report: dict[str, Any] = dict(
        config=args.config,
        workers=args.workers,
        processors=os.cpu_count(),
        batch_size=batch_size,
        transforms_ms=transforms,
        worker_ms=throughput.working,
        wall_ms=1000 / per_worker,
        receiving_ms=throughput.receiving,
        images_per_second=throughput.images_per_second,
        images_per_second_per_worker=per_worker,
    )
    if not args.no_step and cfg.get('model') is not None:
        report.update(_measure_step(cfg, args, batch, batch_size))
        report.update(
            ratio=report['images_per_second'] / report['step_images_per_second'],
            workers_needed=math.ceil(report['step_images_per_second'] / per_worker),
        )
    return report


def _measure_step(cfg: Config, args: argparse.Namespace, batch: dict, batch_size: int) -> dict[str, Any]:
    step = TrainingStep(cfg, args.device)
    step(batch)
    seconds = statistics.median(step.seconds(batch) for _ in range(args.steps))
    return dict(device=args.device, step_seconds=seconds, step_images_per_second=batch_size / seconds)


def print_report(report: dict[str, Any], console: Console) -> None:
    """A table of where a worker's time goes, then throughput and demand."""
    transforms, workers = report['transforms_ms'], report['workers']
    table = Table(title=f'{report["config"]}: input, {workers} workers, batches of {report["batch_size"]}')
    table.add_column('an image in a worker')
    table.add_column('ms', justify='right')
    table.add_column('share', justify='right')
    busy, whole = report['worker_ms'], report['wall_ms']
    rows = {
        **transforms,
        'collate, send': busy - sum(transforms.values()),
        'wait for processor or disk': whole - busy,
        'together': whole,
    }
    for name, value in rows.items():
        table.add_row(name, f'{value:.2f}', f'{value / whole:.0%}', end_section=name.startswith('wait'))
    console.print(table)
    console.print(
        f'supplied: {report["images_per_second"]:.4g} images/s, '
        f'{report["images_per_second_per_worker"]:.4g} a worker; receiving takes the training process '
        f'{report["receiving_ms"]:.2f} ms an image'
    )
    if 'ratio' in report:
        console.print(
            f'used: {report["step_images_per_second"]:.4g} images/s, a step of {report["batch_size"]} takes '
            f'{report["step_seconds"]:.4g} s on {report["device"]}\n'
            f'ratio supplied / used: {report["ratio"]:.3g}; workers needed: {report["workers_needed"]}'
        )
    if workers > report['processors']:
        console.print(f'{workers} workers share {report["processors"]} processors: more will not help')


def main(argv: list[str] | None = None) -> int:
    """Measure and report; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        if min(args.workers, args.images - 1, args.steps - 1) < 0:
            raise ValueError('--workers must be at least 0, --images and --steps at least 1')
        check_device(args.device)
        cfg = load_config(args.config, args.cfg_options)
        if args.amp:
            enable_amp(cfg)
        prepare_runtime(cfg)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        report = measure(cfg, args)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 1
    print_report(report, Console())
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
