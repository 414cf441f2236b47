"""How large a pixel of each photo is on the wall, and where that is known from."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PhotoScale:
    """Size of a pixel.

    Attributes:
        mm_per_pixel: Millimetres on the wall per pixel of the photo.
        std: Its standard deviation in millimetres, or None if nothing is known.
        source: Where it comes from, in words.

    Raises:
        ValueError: A value is not positive and finite.
    """

    mm_per_pixel: float
    std: float | None = None
    source: str = 'one number for all photos'

    def __post_init__(self) -> None:
        if not 0 < self.mm_per_pixel < math.inf:
            raise ValueError(f'mm_per_pixel must be positive, got {self.mm_per_pixel}')
        if self.std is not None and not 0 <= self.std < math.inf:
            raise ValueError(f'the standard deviation of mm_per_pixel must not be negative, got {self.std}')


class ScaleTable:
    """The scales of single photos, and one for all others.

    Args:
        scales: Scales by file name, or by path.
        default: For photos that are not named; None refuses them.

    Example:
        >>> table = ScaleTable({'a.jpg': PhotoScale(0.4)}, PhotoScale(0.5))
        >>> table.of('/photos/a.jpg').mm_per_pixel, table.of('/photos/b.jpg').mm_per_pixel
        (0.4, 0.5)
    """

    def __init__(self, scales: Mapping[str, PhotoScale], default: PhotoScale | None = None) -> None:
        self.scales, self.default = dict(scales), default

    def of(self, source: str) -> PhotoScale | None:
        """The scale of a photo, by its path; None if no scale is known for any photo.

        Raises:
            ValueError: Others have a scale and this one has none.
        """
        path = Path(source)
        for name in (source, path.as_posix(), path.name, path.stem):
            if name in self.scales:
                return self.scales[name]
        if self.scales and self.default is None:
            raise ValueError(
                f'no scale for {source}: add its line to the table of scales, or give one for all'
            )
        return self.default


def read_scales(path: str | Path) -> dict[str, PhotoScale]:
    """Read a table with the columns ``photo``, ``mm_per_pixel`` and, where it is known, ``std``.

    Args:
        path: CSV file; a byte-order mark is fine.

    Returns:
        Scales by what the column ``photo`` says.

    Raises:
        ValueError: A column is missing, a value is no positive number, or a photo comes twice.
    """
    scales: dict[str, PhotoScale] = {}
    with Path(path).open(newline='', encoding='utf-8-sig') as file:
        reader = csv.DictReader(file)
        if not {'photo', 'mm_per_pixel'} <= set(reader.fieldnames or ()):
            raise ValueError(f'{path} needs the columns photo and mm_per_pixel, and has {reader.fieldnames}')
        for row in reader:
            name = row['photo'].strip()
            if name in scales:
                raise ValueError(f'{path}, line {reader.line_num}: {name} comes twice')
            try:
                std = float(row['std']) if row.get('std') else None
                scales[name] = PhotoScale(float(row['mm_per_pixel']), std, f'{Path(path).name}')
            except ValueError as error:
                raise ValueError(f'{path}, line {reader.line_num}: {error}') from error
    return scales
