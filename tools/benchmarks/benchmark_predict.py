"""How fast `csbsr predict` is on a CPU, where its time goes, and what faster variants change in the results.

python tools/benchmarks/benchmark_predict.py [--weights rendered] [--json predict.json]

Variants: `float32` (what the command does, `channels_last`), `contiguous` (the usual order of the numbers),
`bfloat16` (only on CPUs that compute with it), and, each tile by itself, `per_tile` (contiguous) and `onnx`
(ONNX Runtime, which always works so). Rendered photos are read, predicted, stored and measured as the command
does it. Variants alternate, so that other programs disturb all alike. Times are processor time on one thread,
so that they hold on a busy machine too. Differences are those of crack probability, and of masks as IoU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import nn

from csbsr_mm.apis import CrackInferencer, load_weights
from csbsr_mm.datasets.crack_renderer import render_varied_photo
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.onnx.export import export_onnx
from csbsr_mm.photos.input_files import find_photos
from csbsr_mm.utils.allocator import keep_freed_memory
from csbsr_mm.utils.stage_times import StageTimes
from csbsr_mm.weights.library import DEFAULT

COMPARED_WITH = dict(
    float32='float32', contiguous='float32', bfloat16='float32', per_tile='float32', onnx='per_tile'
)
"""The variants, and which one each is compared with."""
STAGES = dict(
    read='decode',
    estimate_kernel='S: kernel',
    super_resolve='S: image',
    segment='C',
    whole_model='S and C',
    blend='blend',
    write='encode',
    measure='measure',
)


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--weights', default=DEFAULT, help=f'name, path or URL of weights ({DEFAULT})')
    parser.add_argument('--variants', nargs='+', choices=list(COMPARED_WITH), default=list(COMPARED_WITH))
    parser.add_argument(
        '--size', type=int, default=208, help='height and width of the photos (208: four tiles)'
    )
    parser.add_argument('--photos', type=int, default=1, help='photos of a run (1)')
    parser.add_argument('--turns', type=int, default=3, help='runs of each variant (3)')
    parser.add_argument('--tile', type=int, help='side of a tile in photo pixels (448 / scale)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures, unrounded')
    return parser.parse_args(argv)


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 numbers; others emulate it, slowly."""
    flags = Path('/proc/cpuinfo')
    text = flags.read_text(encoding='utf-8') if flags.exists() else ''
    return any(name in text for name in ('avx512_bf16', 'amx_bf16', ' bf16'))


def make_inferencer(variant: str, weights: str, tile: int | None, folder: Path) -> CrackInferencer:
    """The inferencer of a variant."""
    model = load_weights(weights, 'cpu')
    options: dict[str, Any] = dict(tile=tile, per_tile=variant == 'per_tile')
    if variant == 'onnx':
        side = tile or 448 // model.scale
        export_onnx(model, folder / 'model.onnx', (side, side))
        return CrackInferencer.from_onnx(folder / 'model.onnx', **options)
    if variant in ('float32', 'bfloat16'):
        model = model.to(memory_format=torch.channels_last)
    if variant == 'bfloat16':
        _autocast(model)
    return CrackInferencer(model, **options)


def _autocast(model: nn.Module) -> None:
    for name in ('super_resolve', 'segment'):
        setattr(model, name, torch.autocast('cpu', torch.bfloat16)(getattr(model, name)))


def run_once(inferencer: CrackInferencer, photos: Path, out: Path) -> tuple[dict, NDArray, NDArray]:
    """Predict a folder of photos; returns the summary, probabilities and masks."""
    inferencer.times = StageTimes(time.thread_time)
    run = PredictionRun(inferencer, OutputFolder(out))
    records = list(run.run(find_photos([photos])))
    failed = [record['error'] for record in records if record['status'] != 'ok']
    if failed:
        raise RuntimeError(failed[0])

    def read(kind: str) -> NDArray:
        return np.stack([np.asarray(Image.open(out / record['files'][kind])) for record in records])

    return run.timing.summary(), read('probability') / 65535, read('mask') > 0


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Figures of each variant that this machine can run."""
    variants = [name for name in args.variants if name != 'bfloat16' or has_bfloat16()]
    if len(variants) < len(args.variants):
        say('bfloat16 is left out: this CPU does not compute with it')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / 'photos').mkdir()
        for number in range(args.photos):
            photo, _ = render_varied_photo(np.random.default_rng(number), args.size)
            Image.fromarray(photo).save(folder / f'photos/{number}.jpg', quality=92)
        inferencers = {
            variant: make_inferencer(variant, args.weights, args.tile, folder) for variant in variants
        }
        # Compiled kernels are made ready, which is no part of a photo's time.
        run_once(inferencers[variants[0]], folder / 'photos', folder / 'warm-up')
        runs: dict[str, list] = {variant: [] for variant in variants}
        for _ in range(args.turns):
            for variant, inferencer in inferencers.items():
                runs[variant].append(run_once(inferencer, folder / 'photos', folder / variant))
    return [_row(variant, runs) for variant in variants]


def _row(variant: str, runs: dict[str, list]) -> dict[str, Any]:
    summaries = [summary for summary, _, _ in runs[variant]]
    stages = {
        stage: statistics.median(summary['busy'][stage] for summary in summaries)
        for stage in summaries[0]['busy']
    }
    seconds = sum(stages.values())
    row = dict(
        variant=variant,
        stages=stages,
        seconds=seconds,
        megapixels_per_minute=60 * summaries[0]['megapixels'] / seconds,
    )
    other = COMPARED_WITH[variant]
    if other != variant and other in runs:
        (_, probability, mask), (_, expected, truth) = runs[variant][0], runs[other][0]
        difference = np.abs(probability - expected)
        union = int((mask | truth).sum())
        row |= dict(
            compared_with=other,
            largest_difference=float(difference.max()),
            mean_difference=float(difference.mean()),
            mask_iou=float((mask & truth).sum() / union) if union else 1.0,
        )
    return row


def print_rows(rows: list[dict[str, Any]], args: argparse.Namespace, console: Console) -> None:
    """A table of speeds and differences, and one of shares."""
    size = f'{args.photos} of {args.size}x{args.size}'
    speeds = Table(title=f'{args.weights}: {size} pixels, one thread, torch {torch.__version__}')
    for name in ('', 'MP/min a core', 'time', 'p: mean', 'p: largest', 'mask IoU', 'against'):
        speeds.add_column(name, justify='left' if name in ('', 'against') else 'right')
    for row in rows:
        known = 'compared_with' in row
        speeds.add_row(
            row['variant'],
            f'{row["megapixels_per_minute"]:.3f}',
            f'{row["seconds"] / rows[0]["seconds"]:.2f}',
            f'{row["mean_difference"]:.1e}' if known else '',
            f'{row["largest_difference"]:.1e}' if known else '',
            f'{row["mask_iou"]:.4f}' if known else '',
            row['compared_with'] if known else '',
        )
    shares = Table(title='share of the time')
    shares.add_column('')
    names = [stage for stage in STAGES if any(stage in row['stages'] for row in rows)]
    for stage in names:
        shares.add_column(STAGES[stage], justify='right')
    for row in rows:
        parts = [row['stages'].get(stage) for stage in names]
        shares.add_row(
            row['variant'], *('' if p is None else f'{100 * p / row["seconds"]:.1f} %' for p in parts)
        )
    console.print(speeds, shares)


def main(argv: list[str] | None = None) -> int:
    """Measure and report; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    torch.set_num_threads(1)
    keep_freed_memory()
    try:
        rows = measure(args, lambda text: print(text, file=sys.stderr))
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 1
    print_rows(rows, args, Console())
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        report = dict(weights=args.weights, size=args.size, photos=args.photos, torch=torch.__version__)
        args.json.write_text(json.dumps(report | dict(variants=rows), indent=2) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
