"""Draw IoU and Hausdorff distance over thresholds for several runs in one figure.

python tools/test.py CONFIG CHECKPOINT --cfg-options test_evaluator.0.curve_csv=csbsr/iou.csv \
    test_evaluator.1.curve_csv=csbsr/hd95.csv
python tools/analysis_tools/threshold_curves.py CSBSR=csbsr bicubic=bicubic/iou.csv --out curves.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from csbsr_mm.visualization.threshold_curves import Curves, draw_threshold_curves, read_curves


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='[NAME=]RUN',
        help='folder of curve files (curve_csv of the metrics), or one file',
    )
    parser.add_argument('--out', default='threshold_curves.png', help='picture to write: .png, .pdf or .svg')
    parser.add_argument('--quantities', nargs='+', help='these only, such as IoU HD95')
    return parser.parse_args(argv)


def read_run(argument: str) -> tuple[str, Curves]:
    """Name and curves of one ``NAME=RUN``; without a name, that of the folder.

    Raises:
        ValueError: There is no file, or none with thresholds.
    """
    name, separator, place = argument.rpartition('=')
    path = Path(place)
    curves = read_curves(path)
    if not curves:
        raise ValueError(f'{path} holds no curves; test with test_evaluator.0.curve_csv=FILE')
    return (name if separator else (path if path.is_dir() else path.parent).name), curves


def main(argv: list[str] | None = None) -> int:
    """Read and draw; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        figure = draw_threshold_curves(dict(read_run(argument) for argument in args.runs), args.quantities)
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(args.out, dpi=150)
    except ValueError as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
