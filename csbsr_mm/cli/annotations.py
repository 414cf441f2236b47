"""Write the cracks of a report in a format that other tools load.

csbsr annotations report/ geojson cracks.geojson    # centre lines with widths, for QGIS and geopandas
csbsr annotations report/ coco cracks.json          # outlines, for annotation tools
csbsr annotations report/ svg lines/                # centre lines over each photo
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('folder', metavar='REPORT', help='output folder of `csbsr predict`')
    parser.add_argument('format', choices=('geojson', 'coco', 'svg'), help='what to write')
    parser.add_argument('target', metavar='FILE', help='file to write; a folder for svg')


def run(args: argparse.Namespace) -> None:
    """Write the cracks."""
    import sys

    from csbsr_mm.inspection import need_report_packages

    need_report_packages('csbsr annotations')
    from csbsr_mm.inspection.annotations import write_annotations

    count = write_annotations(args.folder, args.format, args.target)
    sys.stdout.write(f'{count} cracks in {args.target}\n')
