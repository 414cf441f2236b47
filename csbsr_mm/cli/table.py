"""Run a table of the paper: train and test its rows, and print the result beside the paper's.

csbsr table table4 --scale mini --seeds 0 1 2
csbsr table table2 --gpus 6 --given pretrain-kbpn_div2k_flickr2k=kbpn.pth
csbsr table table3 --list

Stop it whenever you like: the same command goes on where it was, and repeats nothing that is finished.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_trust

SCALES = ('full', 'mini')
NAMES = ('table2', 'table3', 'table4', 'table5', 'table5_sweep', 'table6')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('table', metavar='TABLE', help=f'one of {", ".join(NAMES)}')
    parser.add_argument(
        '--scale', choices=SCALES, default='full', help="the paper's (full), or minutes on a CPU"
    )
    parser.add_argument('--rows', nargs='+', metavar='KEY', help='these rows only; --list shows their keys')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='repeat every row with these seeds')
    parser.add_argument('--against', metavar='KEY', help='compare with this row, image by image')
    parser.add_argument('--gpus', type=int, default=1, help='GPUs of a training (1)')
    parser.add_argument('--data-root', metavar='DIR', help="crack photos, in place of the configs' data_root")
    parser.add_argument(
        '--given',
        nargs='+',
        default=[],
        metavar='RUN=FILE',
        help='take this checkpoint in place of a run that others start from',
    )
    parser.add_argument(
        '--as-released',
        action='store_true',
        help='run every row as the released code does where the paper says otherwise',
    )
    parser.add_argument(
        '--class-weight',
        choices=('released', 'inverse_frequency'),
        default='released',
        help='weights of the classes in the cross entropy: equal (released), or as Eq. 8 prints them',
    )
    add_trust(parser)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/tables'), help='folder of all runs')
    parser.add_argument('--list', action='store_true', help='show the rows and what each runs; run nothing')
    parser.add_argument('--collect', action='store_true', help='print what is finished; run nothing')


def run(args: argparse.Namespace) -> int:
    """Run what is missing and print the table."""
    from csbsr_mm.tables.command import run_table

    return run_table(args)
