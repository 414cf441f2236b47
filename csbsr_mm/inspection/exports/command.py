"""Write the cracks of a report in formats that other tools load."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from csbsr_mm.inspection.exports import FOLDER, existing_exports, write_export, write_exports
from csbsr_mm.inspection.places.georeference import georeference_camera
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.inspection.report.pages import decisions_by_box
from csbsr_mm.inspection.report.remeasure import stored_shapes
from csbsr_mm.inspection.report.spreadsheet import FORMULA_STARTS
from csbsr_mm.inspection.scale.scales import PhotoScale

from .data import CrackData, PhotoShapes

TABLES = {'Photos': 'summary.csv', 'Cracks': 'cracks.csv'}
TEXTS = {
    'photo',
    'status',
    'taken',
    'note',
    'reading',
    'scale_source',
    'error',
    'source',
    'kind',
    'decision',
    'comment',
}
"""Columns of these tables that are no numbers, even where they look like some."""


def write_annotations(folder: str | Path, kind: str, target: str | Path) -> int:
    """Write all cracks of a report.

    Args:
        folder: Output folder of ``csbsr predict``.
        kind: Format, a key of :data:`.exports.FORMATS`.
        target: File to write; a folder for formats of one file for each photo.

    Returns:
        Number of cracks written.

    Raises:
        FileNotFoundError: The folder holds no report.
        ImportError: The format needs a package that is not installed.
        ValueError: There is no such format.
    """
    return write_export(report_data(folder), kind, target)


def export_report(folder: str | Path, formats: Sequence[str] = ()) -> list[Path]:
    """Write formats into the folder ``export`` of a report, and again those that are there already.

    Args:
        folder: Output folder of ``csbsr predict``.
        formats: Keys of :data:`.exports.FORMATS`.

    Returns:
        The files and folders that were written.
    """
    exports = Path(folder, FOLDER)
    names = list(dict.fromkeys([*existing_exports(exports), *formats]))
    return write_exports(report_data(folder), names, exports) if names else []


def report_data(folder: str | Path) -> CrackData:
    """The cracks of a report, read when they are asked for.

    Raises:
        FileNotFoundError: The folder holds no report.
    """
    summary = Path(folder) / 'summary.json'
    if not summary.is_file():
        raise FileNotFoundError(f'{folder} holds no summary.json; name the --out-dir of csbsr predict')
    records = json.loads(summary.read_text(encoding='utf-8'))['photos']
    output = OutputFolder(folder)
    return CrackData(lambda: _photos(output, records), lambda: _tables(output.root))


def _photos(folder: OutputFolder, records: Sequence[Record]) -> Iterator[PhotoShapes]:
    for record in records:
        if record['status'] != 'ok':
            continue
        scale = PhotoScale.from_json(record['scale_of_photo']) if 'scale_of_photo' in record else None
        yield PhotoShapes(
            name=record['name'],
            source=Path(record['source']),
            width=record['width'],
            height=record['height'],
            cracks=stored_shapes(folder, record),
            mm_per_pixel=None if scale is None else scale.mm_per_pixel,
            plane=None if scale is None else scale.plane,
            view=georeference_camera(record, None if scale is None else scale.mm_per_pixel),
            in_mm=record.get('cracks_mm'),
            decisions=decisions_by_box(record),
        )


def _tables(folder: Path) -> dict[str, list[dict[str, object]]]:
    """The tables of a report, with numbers as such."""
    tables = {}
    for name, file in TABLES.items():
        with (folder / file).open(newline='', encoding='utf-8-sig') as lines:
            rows = csv.DictReader(lines)
            tables[name] = [{column: _value(column, text) for column, text in row.items()} for row in rows]
    return tables


def _value(column: str, text: str) -> object:
    if text.startswith("'") and text[1:].startswith(FORMULA_STARTS):
        text = text[1:]
    if column not in TEXTS and text:
        with suppress(ValueError):
            return int(text) if text.isdigit() else float(text)
    return text or None
