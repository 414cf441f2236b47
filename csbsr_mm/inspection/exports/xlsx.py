"""XLSX: the tables of the report, numbers as numbers, to be sorted and filtered."""

from __future__ import annotations

import math
from pathlib import Path

from csbsr_mm.utils.atomic_file import replacing

from .data import CrackData, Table

WIDEST_COLUMN = 40


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks."""
    import openpyxl

    tables = data.tables()
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in tables.items():
        _write_sheet(book.create_sheet(name), table)
    with replacing(target) as path:
        book.save(path)
    return len(tables['Cracks'])


def _write_sheet(sheet, table: Table) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    columns = list(dict.fromkeys(column for row in table for column in row)) or ['photo']
    for place, column in enumerate(columns, 1):
        values = [row.get(column) for row in table]
        sheet.cell(1, place, column).font = Font(bold=True)
        for line, value in enumerate(values, 2):
            cell = sheet.cell(line, place)
            cell.value = None if isinstance(value, float) and not math.isfinite(value) else value
            if isinstance(value, str):
                # A name that starts with an equals sign is a name.
                cell.data_type = 's'
        width = max(len(str(value)) for value in [column, *values])
        sheet.column_dimensions[get_column_letter(place)].width = min(width + 2, WIDEST_COLUMN)
    sheet.freeze_panes = 'B2'
    sheet.auto_filter.ref = sheet.dimensions
