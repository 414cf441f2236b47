"""How large a pixel of each photo is on the wall, and where that is known from."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .wall_plane import LocalScale, WallPlane


class NoScale(ValueError):
    """A source does not give the scale of a photo; the message says what is missing."""


@dataclass(frozen=True)
class PhotoScale:
    """Size of a pixel.

    Attributes:
        mm_per_pixel: Millimetres on the wall per pixel of the photo.
        std: Its standard deviation in millimetres, or None if nothing is known.
        source: Where it comes from, in words.
        plane: The wall, where it is known how the camera looks at it; ``mm_per_pixel`` then is that of the
            photo's centre.

    Raises:
        ValueError: A value is not positive and finite.
    """

    mm_per_pixel: float
    std: float | None = None
    source: str = 'one number for all photos'
    plane: WallPlane | None = None

    def __post_init__(self) -> None:
        if not 0 < self.mm_per_pixel < math.inf:
            raise ValueError(f'mm_per_pixel must be positive, got {self.mm_per_pixel}')
        if self.std is not None and not 0 <= self.std < math.inf:
            raise ValueError(f'the standard deviation of mm_per_pixel must not be negative, got {self.std}')

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PhotoScale:
        """What :func:`dataclasses.asdict` and JSON made of a scale."""
        plane = content.get('plane')
        return cls(**{**content, 'plane': None if plane is None else WallPlane(**plane)})

    def at(self, place: Sequence[float] | None = None, direction: float | None = None) -> LocalScale:
        """The scale at a row and column of the photo, along a direction; see :meth:`.WallPlane.at`."""
        if self.plane is None or place is None:
            relative = None if self.std is None else self.std / self.mm_per_pixel
            return LocalScale(self.mm_per_pixel, self.mm_per_pixel, relative)
        return self.plane.at(*place, direction)

    def __str__(self) -> str:
        number = f'{self.mm_per_pixel:.4g}' + ('' if self.std is None else f' ± {self.std:.2g}')
        across = ''
        if self.plane is not None:
            low, high = self.plane.extremes()
            across = f' at the centre, {low:.4g} to {high:.4g} across the photo'
        return f'{number} mm per pixel{across} ({self.source})'


class ScaleTable:
    """The scales of single photos, and one for all others.

    Args:
        scales: Scales by path, by the end of the path, or by the name without extension.
        default: For photos that are not named.

    Example:
        >>> table = ScaleTable({'a.jpg': PhotoScale(0.4), 'north/b.jpg': PhotoScale(0.3)}, PhotoScale(0.5))
        >>> [table.of(f'/photos/{name}').mm_per_pixel for name in ('a.jpg', 'north/b.jpg', 'south/b.jpg')]
        [0.4, 0.3, 0.5]
    """

    def __init__(self, scales: Mapping[str, PhotoScale], default: PhotoScale | None = None) -> None:
        self.scales, self.default = dict(scales), default

    def of(self, source: str) -> PhotoScale | None:
        """The scale of a photo, by its path; None if it is not known."""
        name = self.name_of(source)
        return self.default if name is None else self.scales[name]

    def name_of(self, source: str) -> str | None:
        """What the table calls a photo; None if it does not know it."""
        parts = PurePosixPath(Path(source).as_posix()).parts
        ends = ['/'.join(parts[start:]) for start in range(1, len(parts))]
        for name in (source, Path(source).as_posix(), *ends, Path(source).name, Path(source).stem):
            if name in self.scales:
                return name
        return None


def read_scales(path: str | Path) -> dict[str, PhotoScale]:
    """Read a table with the columns ``photo``, ``mm_per_pixel`` and, where it is known, ``std``.

    Args:
        path: CSV file, separated by commas, or by semicolons and then with a decimal point or comma; a
            byte-order mark is fine.

    Returns:
        Scales by what the column ``photo`` says: a path, the end of one, or a name without extension.

    Raises:
        ValueError: A column is missing, a value is no positive number, or a photo comes twice.
    """
    scales: dict[str, PhotoScale] = {}
    with Path(path).open(newline='', encoding='utf-8-sig') as file:
        semicolons = ';' in file.readline()
        file.seek(0)
        reader = csv.DictReader(file, delimiter=';' if semicolons else ',')
        columns = [name.strip() for name in reader.fieldnames or ()]
        if not {'photo', 'mm_per_pixel'} <= set(columns):
            raise ValueError(f'{path} needs the columns photo and mm_per_pixel, and has {columns}')
        reader.fieldnames = columns
        for row in reader:
            name = Path(row['photo'].strip()).as_posix()
            if name in scales:
                raise ValueError(f'{path}, line {reader.line_num}: {name} comes twice')
            try:
                number, std = (_value(row.get(column), semicolons) for column in ('mm_per_pixel', 'std'))
                if number is None:
                    raise ValueError(f'{name} has no mm_per_pixel')
                scales[name] = PhotoScale(number, std, f'{Path(path).name}')
            except ValueError as error:
                raise ValueError(f'{path}, line {reader.line_num}: {error}') from error
    return scales


def _value(text: str | None, decimal_comma: bool) -> float | None:
    text = (text or '').strip()
    return float(text.replace(',', '.') if decimal_comma else text) if text else None
