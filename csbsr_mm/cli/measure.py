"""Measure cracks in masks that are there already: area, length, width and orientation.

Masks are pictures in which a crack is brighter than half, or NumPy files; they may come from any model.
Lengths are in pixels of the photo, or in millimetres where the scale is known: by --mm-per-pixel, by a table,
or from the photos that the masks belong to (--photos), as `csbsr predict` finds it. The base installation is
enough; other pictures than PNG, and photos, need Pillow.

csbsr measure masks/ --csv cracks.csv
csbsr measure masks/ --export geojson,coco --out-dir exports --photos photos/
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_export, add_scales

if TYPE_CHECKING:
    from csbsr_mm.inspection.exports.mask_data import MeasuredMask
    from csbsr_mm.inspection.measurement.cracks import CrackMeasures
    from csbsr_mm.inspection.widths.classes import WidthClasses

COLUMNS = ('area', 'length', 'mean_width', 'width_95', 'max_width', 'orientation')
SCALE_COLUMNS = ('mm_per_pixel', 'mm_per_pixel_std', 'scale_source')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('inputs', nargs='+', metavar='MASK', help='masks, folders or quoted patterns')
    parser.add_argument('--scale', type=int, default=1, help='mask pixels per photo pixel (1)')
    parser.add_argument('--min-area', type=float, help='least area of a crack, photo pixels (4)')
    parser.add_argument(
        '--width-classes',
        metavar='LIMITS',
        help='in mm: eurocode2, aci224r, or limits like 0.2,0.3,0.4 (none)',
    )
    parser.add_argument('--csv', type=Path, metavar='FILE', help='write one row a crack to FILE')
    add_export(parser, '--out-dir')
    parser.add_argument('--out-dir', type=Path, help='folder for --export')
    scale = parser.add_argument_group('scale on the wall', 'Size of a pixel on the wall, for millimetres.')
    add_scales(scale)
    scale.add_argument(
        '--photos',
        type=Path,
        metavar='FOLDER',
        help='photos with the names of the masks: exports link to them; their data and markers give scales',
    )


def run(args: argparse.Namespace) -> None:
    """Measure, and print one line a mask."""
    import csbsr_mm.inspection.measurement as measurement
    from csbsr_mm.inspection.exports import chosen_formats
    from csbsr_mm.inspection.exports.mask_data import MeasuredMask
    from csbsr_mm.inspection.scale.mask_scales import MaskScales
    from csbsr_mm.inspection.scale.millimetres import in_millimetres, total_in_millimetres
    from csbsr_mm.inspection.widths.classes import width_classes
    from csbsr_mm.photos.input_files import find_photos
    from csbsr_mm.photos.mask_files import read_mask

    if not args.scale > 0:
        raise ValueError(f'--scale must be positive, got {args.scale}')
    exports = chosen_formats(args.export)
    if exports and args.out_dir is None:
        raise ValueError('--export needs --out-dir, the folder to write to')
    scales, classes = MaskScales(args), width_classes(args.width_classes)
    if classes is not None and not scales.known:
        raise ValueError('--width-classes are in millimetres; say how large a pixel is by --mm-per-pixel')
    photos = find_photos(args.inputs)
    if not photos:
        raise FileNotFoundError(f'no masks in {", ".join(args.inputs)}')
    unit = 'mm' if scales.known else 'px'
    min_area = measurement.MIN_AREA if args.min_area is None else args.min_area
    rows, masks = [], []
    for photo in photos:
        mask = read_mask(photo.path)
        scale = scales.of(photo, [side // args.scale for side in mask.shape])
        found = measurement.measure_cracks(mask, scale=args.scale, min_area=min_area)
        masks.append(MeasuredMask(photo.name, photo.path, found, scale))
        total, *cracks = (vars(one) for one in (found.total, *found.cracks))
        if scale is not None:
            total = total | total_in_millimetres(total, cracks, scale)
            cracks = [crack | in_millimetres(crack, scale) for crack in cracks]
        sys.stdout.write(
            f'{photo.name}: {len(cracks)} cracks, area {total["area"]:.1f} {unit}², length '
            f'{total["length"]:.1f} {unit}, widest {total["max_width"]:.2f} {unit}\n'
        )
        in_classes = [
            _in_classes(pixels, crack, classes) for pixels, crack in zip(found.cracks, cracks, strict=True)
        ]
        for index, name in enumerate(() if classes is None else classes.names):
            sys.stdout.write(f'  {sum(lengths[index] for lengths in in_classes):.1f} mm {name}\n')
        source = [] if scale is None else [scale.mm_per_pixel, scale.std, scale.source]
        rows += [
            [photo.name, number, *(crack[name] for name in COLUMNS), *source, *lengths]
            for number, (crack, lengths) in enumerate(zip(cracks, in_classes, strict=True), 1)
        ]
    if args.csv:
        of_scale = SCALE_COLUMNS if scales.known else ()
        of_classes = () if classes is None else classes.columns
        headings = [*(_heading(name, unit) for name in COLUMNS), *of_scale, *of_classes]
        _write_csv(args.csv, ['mask', 'crack', *headings], rows)
    if exports:
        _export(masks, exports, args)


def _in_classes(pixels: CrackMeasures, crack: dict, classes: WidthClasses | None) -> list[float]:
    """Length in each class of a crack that was measured in pixels, and converted."""
    if classes is None:
        return []
    factor = crack['mean_width'] / pixels.mean_width if pixels.mean_width else 1.0
    return classes.lengths([factor * width for width in pixels.width_levels], crack['length'])


def _write_csv(path: Path, headings: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        writer.writerows(rows)


def _export(masks: list[MeasuredMask], exports: list[str], args: argparse.Namespace) -> None:
    from csbsr_mm.inspection.exports import write_exports
    from csbsr_mm.inspection.exports.mask_data import mask_data
    from csbsr_mm.photos.input_files import find_photos

    photos = None
    if args.photos is not None:
        photos = {photo.path.stem: photo.path for photo in find_photos([args.photos])}
    write_exports(mask_data(masks, args.scale, photos), exports, args.out_dir)


def _heading(name: str, unit: str) -> str:
    return name if name == 'orientation' else f'{name}_{unit}{"2" if name == "area" else ""}'
