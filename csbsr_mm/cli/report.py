"""Measure again with other settings and rewrite a report, without running a model.

csbsr report report/ --threshold 0.3 --min-length 20 --mm-per-pixel 0.8
csbsr report report/ --decisions decisions.json     # without the cracks that were rejected in the page

Settings that are not given stay as they are; but an option that tells the scale in another way than
--mm-per-pixel replaces all of them. Only what depends on the threshold is written anew: masks,
overlays, previews, records, the report, and what --export wrote before.
"""

from __future__ import annotations

import argparse

from .arguments import add_crack_rules, add_export, add_scales, add_width_rules


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('folder', metavar='REPORT', help='output folder of `csbsr predict`')
    parser.add_argument('--threshold', type=float, help='probability of a crack pixel')
    parser.add_argument('--blur-limit', type=float, help='spread of the blur that is too much, in SR pixels')
    parser.add_argument('--title', help='heading of the report')
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        '--decisions',
        metavar='JSON',
        help="which cracks were accepted or rejected, exported from the report's page",
    )
    decisions.add_argument('--no-decisions', action='store_true', help='forget what was decided')
    add_export(parser, 'REPORT/export')
    add_crack_rules(parser)
    add_width_rules(parser)
    add_scales(parser)


def run(args: argparse.Namespace) -> None:
    """Measure again and rewrite the report."""
    import sys

    from csbsr_mm.inspection import need_report_packages

    need_report_packages('csbsr report')
    from csbsr_mm.inspection.exports import chosen_formats
    from csbsr_mm.inspection.exports.command import export_report
    from csbsr_mm.inspection.report.remeasure import remeasure_report

    exports = chosen_formats(args.export)
    records = remeasure_report(args)
    export_report(args.folder, exports)
    done = sum(record['status'] == 'ok' for record in records)
    sys.stdout.write(f'{done} of {len(records)} photos measured again; open {args.folder}/index.html\n')
    decisions = [decision for record in records for decision in record.get('decisions', ())]
    out = [decision for decision in decisions if decision['decision'] == 'reject' and decision['in_effect']]
    if out:
        sys.stdout.write(f'rejected cracks, left out: {len(out)}\n')
    for decision in decisions:
        if not decision['in_effect']:
            sys.stdout.write(
                f'{decision["photo"]}: no crack fits the decision about crack {decision["crack"]} any more\n'
            )
