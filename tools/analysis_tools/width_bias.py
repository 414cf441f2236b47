"""Measure how wide a model sees rendered cracks of known width, in photo pixels.

python tools/analysis_tools/width_bias.py CONFIG CHECKPOINT
python tools/analysis_tools/width_bias.py --weights rendered --errors csbsr_mm/weights/rendered.widths.json

The first prints a table over widths and blurs. With --errors, cracks of random width, direction and blur are
rendered, and the table of errors that `csbsr predict` corrects widths with is written: beside a model file,
as NAME.widths.json, it is found by itself.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.widths.check import (
    ANGLES,
    WidthBias,
    coverage,
    measure_rendered_cracks,
    measure_width_bias,
    width_errors_of,
)
from csbsr_mm.inspection.widths.errors import COVERAGE, WIDTHS, WidthErrors
from csbsr_mm.weights import open_weights


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file, or an ONNX file')
    parser.add_argument('--weights', help='weights on board, or a model file, instead of the two')
    parser.add_argument('--widths', type=float, nargs='+', default=[0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
    parser.add_argument('--blurs', type=float, nargs='+', default=[1.0, 2.5, 4.0], help='in SR pixels')
    parser.add_argument('--errors', type=Path, metavar='FILE', help='write the table of errors to FILE')
    parser.add_argument('--cracks', type=int, default=80, help='number of cracks for --errors')
    parser.add_argument('--range', type=float, nargs=2, default=[0.4, 6.0], help='of widths for --errors')
    parser.add_argument('--threshold', type=float, help="the model's own by default")
    parser.add_argument('--device', help='cuda, cpu ... (the GPU if there is one)')
    args = parser.parse_args(argv)
    if (args.weights is None) == (args.config is None or args.checkpoint is None):
        parser.error('give CONFIG and CHECKPOINT, or --weights')
    return args


def main(argv: list[str] | None = None) -> int:
    """Render, measure, print a table; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    console = Console()
    try:
        infer = _inferencer(args)
        if args.errors is None:
            console.print(_bias_table(infer, args, console))
        else:
            console.print(_write_errors(infer, args, console))
    except (FileNotFoundError, ImportError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    return 0


def _inferencer(args: argparse.Namespace) -> CrackInferencer:
    options = dict(threshold=args.threshold)
    if args.weights is not None:
        return CrackInferencer.from_weights(args.weights, args.device, **options)
    return CrackInferencer.from_config(args.config, args.checkpoint, args.device, **options)


def _bias_table(infer: CrackInferencer, args: argparse.Namespace, console: Console) -> Table:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task('Rendering', total=len(ANGLES) * len(args.widths) * len(args.blurs))
        rows: list[WidthBias] = list(
            measure_width_bias(
                infer, args.widths, args.blurs, progress=lambda step: progress.advance(task, step)
            )
        )
    table = Table(title='Measured minus true width, in photo pixels')
    for heading in ('blur [SR px]', 'true width', 'found', 'bias', '± spread'):
        table.add_column(heading, justify='right')
    for row in rows:
        found = row.found > 0
        table.add_row(
            f'{row.blur:g}',
            f'{row.width:g}',
            f'{row.found:.0%}',
            f'{row.bias:+.2f}' if found else '-',
            f'{row.spread:.2f}' if found else '-',
        )
    return table


def _write_errors(infer: CrackInferencer, args: argparse.Namespace, console: Console) -> Table:
    """Render cracks, write the table of errors, and show it."""
    blurs = (min(args.blurs), max(args.blurs))
    with Progress(console=console, transient=True) as progress:
        cracks = list(
            progress.track(
                measure_rendered_cracks(infer, args.cracks, tuple(args.range), blurs),
                args.cracks,
                description='Rendering',
            )
        )
    covered = coverage(cracks)
    errors = width_errors_of(
        cracks,
        weights=_checksum(args),
        threshold=infer.threshold,
        widths=list(args.range),
        blurs=list(blurs),
        coverage_of_intervals={name: round(part, 3) for name, part in covered.items()},
    )
    args.errors.parent.mkdir(parents=True, exist_ok=True)
    errors.write(args.errors)
    return _errors_table(errors, covered)


def _errors_table(errors: WidthErrors, covered: dict[str, float]) -> Table:
    about = errors.about
    table = Table(
        title=f'Bias ± spread in photo pixels; {about["found"]} of {about["cracks"]} cracks were found; '
        f'length {errors.length_bias:+.1%} ± {errors.length_spread:.1%}'
    )
    for heading in ('measure', 'measured: bias ± spread', f'inside their {COVERAGE:.0%} intervals'):
        table.add_column(heading)
    for name in WIDTHS:
        curve = errors.curves[name]
        nodes = zip(curve.measured, curve.bias, curve.spread, strict=True)
        shown = ', '.join(f'{at:.2f}: {bias:+.2f} ± {spread:.2f}' for at, bias, spread in list(nodes)[::2])
        table.add_row(name, shown, f'{covered[name]:.0%}')
    return table


def _checksum(args: argparse.Namespace) -> str:
    """What identifies the weights: that of their values for a model file, of the file for a checkpoint."""
    if args.weights is not None:
        return open_weights(args.weights).metadata['sha256']
    return hashlib.sha256(Path(args.checkpoint).read_bytes()).hexdigest()


if __name__ == '__main__':
    sys.exit(main())
