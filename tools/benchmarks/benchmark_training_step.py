"""Time and memory of a config's whole training step, as it is and with each switch that makes it faster.

python tools/benchmarks/benchmark_training_step.py configs/csbsr/kbpn_pspnet_khanhha.py [--json step.json]

Variants: `literal` (KBPN and blur skip without folding), `plain` (the config as it is), then, each on top of
the one before, `channels_last`, `bfloat16` (AMP) and `compile`. On a GPU one is measured after the other, and
memory is the most that was allocated; on a CPU they alternate, times are processor time on one thread, and
memory is what the forward pass keeps for the backward pass. Photos are noise: no data set is needed.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.engine.config import load_config
from csbsr_mm.engine.profiling.training_step import TrainingStep, check_device, synthetic_batch
from csbsr_mm.engine.runtime import enable_amp, prepare_runtime

VARIANTS = ('literal', 'plain', 'channels_last', 'bfloat16', 'compile')
COMPILED = ('sr', 'segmentor', 'backbone', 'decode_head')
"""Parts that `compile` compiles, of those that a model has."""
WARM_UP_STEPS = 2


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--batch-size', type=int, default=6, help='photos of a batch (6)')
    parser.add_argument('--size', type=int, default=448, help='height and width of HR photos (448)')
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--steps', type=int, default=5, help='timed steps of each variant (5)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures, unrounded')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='override config entries: key=value ...'
    )
    return parser.parse_args(argv)


def build(cfg: Config, variant: str, device: str) -> TrainingStep:
    """The step of one variant; weights are equal in all."""
    cfg = copy.deepcopy(cfg)
    level = VARIANTS.index(variant)
    if variant == 'literal':
        for part in ('sr', 'blur_skip'):
            if cfg.model.get(part) is not None:
                cfg.model[part].fold = False
    if level >= VARIANTS.index('bfloat16'):
        enable_amp(cfg)
        cfg.optim_wrapper.dtype = 'bfloat16'
    prepare_runtime(cfg)
    parts = [name for name in COMPILED if name in cfg.model] if variant == 'compile' else []
    return TrainingStep(cfg, device, level >= VARIANTS.index('channels_last'), parts)


def warmed_up(cfg: Config, variant: str, device: str, batch: dict) -> TrainingStep:
    """The step of one variant, after what the first steps do besides: compile, try out, allocate."""
    step = build(cfg, variant, device)
    for _ in range(WARM_UP_STEPS):
        step(batch)
    return step


def measure(cfg: Config, args: argparse.Namespace) -> list[dict[str, Any]]:
    """A row of figures for each variant, or the reason why it does not run."""
    batch = synthetic_batch(cfg, args.batch_size, args.size)
    rows = []
    # Models on a GPU must not count each other's memory; on a busy CPU they must be disturbed alike.
    for variants in [args.variants] if args.device == 'cpu' else [[variant] for variant in args.variants]:
        steps: dict[str, TrainingStep] = {}
        for variant in variants:
            # A compiler may be missing, and the memory of small GPUs too small for some variants.
            expected = Exception if variant == 'compile' else torch.cuda.OutOfMemoryError
            try:
                steps[variant] = warmed_up(cfg, variant, args.device, batch)
            except expected as error:
                reason = str(error).strip().partition('\n')[0]
                rows.append(dict(variant=variant, failed=f'{type(error).__name__}: {reason}'))
        rows += _measured(steps, batch, args.steps)
        del steps
        gc.collect()
        if args.device != 'cpu':
            torch.cuda.empty_cache()
    return sorted(rows, key=lambda row: VARIANTS.index(row['variant']))


def _measured(steps: dict[str, TrainingStep], batch: dict, turns: int) -> list[dict[str, Any]]:
    seconds: dict[str, list[float]] = {variant: [] for variant in steps}
    for _ in range(turns):
        for variant, step in steps.items():
            clock = time.perf_counter if step.device.type == 'cuda' else time.process_time
            seconds[variant].append(step.seconds(batch, clock))
    rows = []
    for variant, step in steps.items():
        peak = step.peak_memory(batch)
        kept = step.saved_tensor_memory(batch) if peak is None else None
        median = statistics.median(seconds[variant])
        rows.append(dict(variant=variant, seconds=median, peak_mib=peak, kept_mib=kept))
    return rows


def print_rows(rows: list[dict[str, Any]], args: argparse.Namespace, console: Console) -> None:
    """A table, with ratios to the first variant that ran."""
    where = torch.cuda.get_device_name(args.device) if args.device != 'cpu' else 'CPU, one thread'
    memory = 'kept_mib' if args.device == 'cpu' else 'peak_mib'
    table = Table(
        title=f'{args.config}: step of {args.batch_size} photos of {args.size}x{args.size} on {where}, '
        f'torch {torch.__version__}'
    )
    table.add_column('')
    kind = 'kept for backward' if args.device == 'cpu' else 'peak memory'
    for name in ('s', 'images/s', 'ratio', f'{kind}, MiB', 'ratio'):
        table.add_column(name, justify='right')
    ran = [row for row in rows if 'failed' not in row]
    for row in ran:
        later = VARIANTS.index(row['variant']) > VARIANTS.index('plain')
        table.add_row(
            f'+ {row["variant"]}' if later else row['variant'],
            f'{row["seconds"]:.4g}',
            f'{args.batch_size / row["seconds"]:.3g}',
            f'{row["seconds"] / ran[0]["seconds"]:.3f}',
            f'{row[memory]:.0f}',
            f'{row[memory] / ran[0][memory]:.3f}',
        )
    console.print(table)
    for row in rows:
        if 'failed' in row:
            console.print(f'{row["variant"]} does not run here: {row["failed"]}', markup=False)


def main(argv: list[str] | None = None) -> int:
    """Measure and report; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        check_device(args.device)
        if args.device == 'cpu':
            torch.set_num_threads(1)
        cfg = load_config(args.config, args.cfg_options)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        if cfg.get('model', {}).get('sr', {}).get('type') != 'KBPN':
            args.variants = [variant for variant in args.variants if variant != 'literal']
        rows = measure(cfg, args)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 1
    print_rows(rows, args, Console())
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        report = dict(config=args.config, device=args.device, batch_size=args.batch_size, size=args.size)
        report |= dict(torch=torch.__version__, variants=rows)
        args.json.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
