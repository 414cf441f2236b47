"""Health report of a crack data set: DATA/{train,test}/{images,masks}.

Reads every file. The exit status is 1 if a photo cannot be used or stands in both splits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_workers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('data_root', type=Path, help='folder of the data set')
    parser.add_argument(
        '--splits', nargs='+', default=['train', 'test'], help='parts to look at (train test)'
    )
    parser.add_argument(
        '--threshold', type=int, default=127, help='grey value above which a pixel is crack (%(default)s)'
    )
    add_workers(parser)


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    from csbsr_mm.datasets.preparation.health_report import report_health

    return 0 if report_health(args.data_root, args.splits, args.threshold, args.workers) else 1
