"""Render the demo data set: crack photos with exact masks, no download needed."""

from __future__ import annotations

import argparse
import sys

from .arguments import add_workers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        'root', nargs='?', default='data/crack_demo', help='folder of the data set (%(default)s)'
    )
    parser.add_argument('--train', type=int, default=160, help='number of training photos (%(default)s)')
    parser.add_argument('--test', type=int, default=32, help='number of test photos (%(default)s)')
    parser.add_argument('--size', type=int, default=256, help='side length in pixels (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of what is drawn (0)')
    parser.add_argument('--varied', action='store_true', help='from near and far, open and faint cracks')
    add_workers(parser)


def run(args: argparse.Namespace) -> None:
    """Render what is missing."""
    from csbsr_mm.datasets.preparation.demo_cracks import write_crack_demo

    rendered = write_crack_demo(
        args.root, args.train, args.test, args.size, args.seed, args.workers, args.varied
    )
    state = f'{rendered} photos rendered' if rendered else 'complete already'
    sys.stdout.write(f'{args.root}: {args.train} training and {args.test} test photos, {state}\n')
