"""Compare the reports of two visits: which cracks are new, gone, longer or wider.

csbsr compare report-2024/ report-2026/ --out-dir changes

Photos are matched by name, and by what they show where names differ. Each pair is brought into one frame by
points that both photos show, so the camera may have moved. Measure both visits with the same model and
settings; the page warns if they were not. The exit status is 1 if photos of either visit have no counterpart.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        'old', metavar='REPORT_OLD', help='output folder of `csbsr predict` of the first visit'
    )
    parser.add_argument('new', metavar='REPORT_NEW', help='the same of the second visit')
    parser.add_argument('--out-dir', required=True, help='folder for the page, changes.csv and changes.json')
    parser.add_argument(
        '--length-tolerance', type=float, help='growth that does not count, in pixels of the new photo (8)'
    )
    parser.add_argument(
        '--width-tolerance',
        type=float,
        help='change of width that does not count, in pixels of the new photo (0.5)',
    )
    parser.add_argument('--title', default='Two visits', help='heading of the page')


def run(args: argparse.Namespace) -> int:
    """Compare, and sum up in a few lines."""
    import sys

    from csbsr_mm.inspection.visits.comparison import compare_visits
    from csbsr_mm.inspection.visits.crack_changes import Tolerance

    given = dict(length=args.length_tolerance, width=args.width_tolerance)
    tolerance = Tolerance(**{name: value for name, value in given.items() if value is not None})
    say = (lambda text: sys.stderr.write(f'{text}\n')) if sys.stderr.isatty() else None
    found = compare_visits(args.old, args.new, args.out_dir, tolerance, args.title, say)
    alone = len(found.pairing.only_old) + len(found.pairing.only_new)
    counts = ', '.join(
        f'{found.count(kind, kind + "?")} {kind}' for kind in ('new', 'gone', 'longer', 'wider')
    )
    sys.stdout.write(
        f'{len(found.pairs)} places in both visits: {counts}; {alone} photos without counterpart; '
        f'open {args.out_dir}/index.html\n'
    )
    for name in found.settings:
        sys.stderr.write(f'warning: the reports differ in {name}\n')
    return 1 if alone else 0
