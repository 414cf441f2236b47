"""Write the cracks of a report in a format that other tools load.

csbsr annotations report/ geojson cracks.geojson    # centre lines with widths, for QGIS and geopandas
csbsr annotations report/ geojson-pixels a.geojson  # the same, wherever the photos were taken
csbsr annotations report/ gpkg cracks.gpkg          # centre lines and outlines, for QGIS
csbsr annotations report/ dxf drawings/             # for CAD; needs ezdxf
csbsr annotations report/ svg lines/                # centre lines over each photo
csbsr annotations report/ xlsx cracks.xlsx          # the tables; needs openpyxl
csbsr annotations report/ coco cracks.json          # outlines, for annotation tools and training
csbsr annotations report/ label-studio tasks.json   # outlines, to be corrected there
csbsr annotations report/ cvat cracks.xml           # the same
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    from csbsr_mm.inspection.exports import FORMATS

    parser.add_argument('folder', metavar='REPORT', help='output folder of `csbsr predict`')
    parser.add_argument('format', choices=FORMATS, help='what to write')
    parser.add_argument('target', metavar='FILE', help='file to write; a folder for dxf and svg')


def run(args: argparse.Namespace) -> None:
    """Write the cracks."""
    import sys

    from csbsr_mm.inspection import need_report_packages

    need_report_packages('csbsr annotations')
    from csbsr_mm.inspection.exports.command import write_annotations

    count = write_annotations(args.folder, args.format, args.target)
    sys.stdout.write(f'{count} cracks in {args.target}\n')
