"""Measure cracks in masks that are there already: area, length, width and orientation.

Masks are pictures in which a crack is brighter than half, or NumPy files; they may come from any model.
Lengths are in pixels of the photo, or in millimetres with --mm-per-pixel. The base installation is enough;
other pictures than PNG need Pillow.

csbsr measure masks/ --csv cracks.csv
csbsr measure masks/ --export geojson,coco --out-dir exports --photos photos/
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from .arguments import add_export

COLUMNS = ('area', 'length', 'mean_width', 'width_95', 'max_width', 'orientation')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('inputs', nargs='+', metavar='MASK', help='masks, folders or quoted patterns')
    parser.add_argument('--scale', type=int, default=1, help='mask pixels per photo pixel (1)')
    parser.add_argument('--mm-per-pixel', type=float, help='millimetres per photo pixel on the wall')
    parser.add_argument('--min-area', type=float, help='least area of a crack, photo pixels (4)')
    parser.add_argument('--csv', type=Path, metavar='FILE', help='write one row a crack to FILE')
    add_export(parser, '--out-dir')
    parser.add_argument('--out-dir', type=Path, help='folder for --export')
    parser.add_argument(
        '--photos',
        type=Path,
        metavar='FOLDER',
        help='photos with the names of the masks, which exports link to',
    )


def run(args: argparse.Namespace) -> None:
    """Measure, and print one line a mask."""
    import csbsr_mm.inspection.measurement as measurement
    from csbsr_mm.inspection.exports import chosen_formats
    from csbsr_mm.inspection.mask_data import MeasuredMask
    from csbsr_mm.photos.input_files import find_photos
    from csbsr_mm.photos.mask_files import read_mask

    for name in ('scale', 'mm_per_pixel'):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f'--{name.replace("_", "-")} must be positive, got {value}')
    exports = chosen_formats(args.export)
    if exports and args.out_dir is None:
        raise ValueError('--export needs --out-dir, the folder to write to')
    photos = find_photos(args.inputs)
    if not photos:
        raise FileNotFoundError(f'no masks in {", ".join(args.inputs)}')
    unit = 'px' if args.mm_per_pixel is None else 'mm'
    min_area = measurement.MIN_AREA if args.min_area is None else args.min_area
    rows, masks = [], []
    for photo in photos:
        found = measurement.measure_cracks(read_mask(photo.path), scale=args.scale, min_area=min_area)
        masks.append(MeasuredMask(photo.name, photo.path, found))
        total, *cracks = (_in_unit(one, args.mm_per_pixel) for one in (found.total, *found.cracks))
        sys.stdout.write(
            f'{photo.name}: {len(cracks)} cracks, area {total.area:.1f} {unit}², length {total.length:.1f} '
            f'{unit}, widest {total.max_width:.2f} {unit}\n'
        )
        rows += [[photo.name, number, *_cells(crack)] for number, crack in enumerate(cracks, 1)]
    if args.csv:
        args.csv.parent.mkdir(parents=True, exist_ok=True)
        with args.csv.open('w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['mask', 'crack', *(_heading(name, unit) for name in COLUMNS)])
            writer.writerows(rows)
    if exports:
        _export(masks, exports, args)


def _export(masks: list[Any], exports: list[str], args: argparse.Namespace) -> None:
    from csbsr_mm.inspection.exports import write_exports
    from csbsr_mm.inspection.mask_data import mask_data
    from csbsr_mm.photos.input_files import find_photos

    photos = None
    if args.photos is not None:
        photos = {photo.path.stem: photo.path for photo in find_photos([args.photos])}
    write_exports(mask_data(masks, args.scale, args.mm_per_pixel, photos), exports, args.out_dir)


def _in_unit(measures: Any, mm_per_pixel: float | None) -> Any:
    return measures if mm_per_pixel is None else measures.in_millimetres(mm_per_pixel)


def _cells(measures: Any) -> list[float | None]:
    return [getattr(measures, name) for name in COLUMNS]


def _heading(name: str, unit: str) -> str:
    return name if name == 'orientation' else f'{name}_{unit}{"2" if name == "area" else ""}'
