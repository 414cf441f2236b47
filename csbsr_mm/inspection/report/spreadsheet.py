"""Tables that spreadsheets open as they are meant."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r')


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file.

    Args:
        path: File to write.
        columns: Headings, in their order.
        rows: Values by heading; what is missing stays empty.
    """
    # With the byte-order mark spreadsheets read the names of photos right.
    with path.open('w', newline='', encoding='utf-8-sig') as file:
        writer = csv.DictWriter(file, columns, restval='')
        writer.writeheader()
        for row in rows:
            writer.writerow({name: spreadsheet_safe(value) for name, value in row.items()})


def spreadsheet_safe(value: object) -> object:
    """The value; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Example:
        >>> spreadsheet_safe('=1+1'), spreadsheet_safe(-1.5)
        ("'=1+1", -1.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
