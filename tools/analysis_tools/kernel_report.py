"""Tell whether a blind SR network sees the blur, or reads it from the dark rim that real photos do not have.

Measures the estimated kernels of the config's test photos with the rim and without it.

python tools/analysis_tools/kernel_report.py CONFIG CHECKPOINT --out report.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import load_model
from csbsr_mm.apis.kernel_report import KernelReport, report_kernels
from csbsr_mm.engine.config import load_config
from csbsr_mm.evaluation.report import METRICS
from csbsr_mm.visualization.kernel_plot import draw_kernels

CASES = {'with rim': False, 'without rim': True}
MEANINGS = {
    'PSNR_estimated_kernel': 'SR image, own kernel, dB',
    'PSNR_true_kernel': 'SR image, true kernel, dB',
    'PSNR_constant_kernel': 'SR image, one kernel for all, dB',
}


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file, or a name of `csbsr configs`')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', type=Path, metavar='FILE', help='picture: sizes, and a grid of kernels')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures to FILE')
    parser.add_argument('--limit', type=int, help='photos at most (all)')
    parser.add_argument(
        '--images', action='store_true', help='also what the true kernel is worth to the SR image (slower)'
    )
    parser.add_argument('--device', default='cpu', help='cuda, cpu ... (cpu)')
    parser.add_argument('--data-root', help='folder of the data set, in place of the config')
    parser.add_argument(
        '--trust-checkpoint', action='store_true', help='read checkpoints that could run code'
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, draw; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    console = Console()
    try:
        options = dict(data_root=args.data_root) if args.data_root else None
        config = load_config(args.config, options)
        model = load_model(config, args.checkpoint, args.device, args.trust_checkpoint)
        with Progress(console=console, transient=True) as bar:
            reports = {name: _report(args, config, model, cut, bar) for name, cut in CASES.items()}
    except (OSError, ValueError, RuntimeError) as error:
        console.print(f'error: {error}', style='red', markup=False, soft_wrap=True)
        return 2
    figures = {name: report.figures() for name, report in reports.items()}
    console.print(_table(figures, len(reports['with rim'].true)))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        pairs = {name: (report.estimated, report.true) for name, report in reports.items()}
        draw_kernels(args.out, pairs, Path(args.checkpoint).name)
    return 0


def _report(args: argparse.Namespace, config, model, cut: bool, bar: Progress) -> KernelReport:
    task = bar.add_task('without rim' if cut else 'with rim')
    step = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
    return report_kernels(config, model, cut, args.limit, args.images, step)


def _table(figures: dict[str, dict[str, float]], photos: int) -> Table:
    table = Table(title=f'Blur kernels of {photos} photos')
    for heading in ('', *figures):
        table.add_column(heading, justify='right' if heading else 'left')
    table.add_column('')
    for name in next(iter(figures.values())):
        mark, meaning = METRICS.get(name, ('', MEANINGS.get(name, '')))
        table.add_row(name, *(f'{case[name]:.2f}' for case in figures.values()), f'{mark} {meaning}'.strip())
    return table


if __name__ == '__main__':
    sys.exit(main())
