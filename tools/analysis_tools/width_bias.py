"""Measure how wide a model sees rendered cracks of known width, in photo pixels.

python tools/analysis_tools/width_bias.py CONFIG CHECKPOINT
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.width_check import ANGLES, measure_width_bias


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file, or an ONNX file')
    parser.add_argument('--widths', type=float, nargs='+', default=[0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
    parser.add_argument('--blurs', type=float, nargs='+', default=[1.0, 2.5, 4.0], help='in SR pixels')
    parser.add_argument('--threshold', type=float, help="the model's own by default")
    parser.add_argument('--device', help='cuda, cpu ... (the GPU if there is one)')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Render, measure, print a table; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    console = Console()
    try:
        infer = CrackInferencer.from_config(
            args.config, args.checkpoint, args.device, threshold=args.threshold
        )
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task('Rendering', total=len(ANGLES) * len(args.widths) * len(args.blurs))
            rows = list(
                measure_width_bias(
                    infer, args.widths, args.blurs, progress=lambda step: progress.advance(task, step)
                )
            )
    except (FileNotFoundError, ImportError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
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
    console.print(table)
    return 0


if __name__ == '__main__':
    sys.exit(main())
