"""The cracks of a report, or of masks, in formats that other tools load.

Each format is a module with ``write(data, target)``, which returns the number of cracks; none is imported
before it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from csbsr_mm._extras import need

if TYPE_CHECKING:
    from .data import CrackData


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        file: Name of its file, or of its folder where there is one file for each photo.
        module: Module of this package that writes it.
        packages: Import names of what that needs beside the base installation.
    """

    file: str
    module: str
    packages: tuple[str, ...] = ()


FORMATS = {
    'geojson': Format('cracks.geojson', 'geojson'),
    'geojson-pixels': Format('cracks_pixels.geojson', 'geojson_pixels'),
    'gpkg': Format('cracks.gpkg', 'geopackage'),
    'dxf': Format('dxf', 'dxf', ('ezdxf',)),
    'svg': Format('svg', 'svg'),
    'xlsx': Format('cracks.xlsx', 'xlsx', ('openpyxl',)),
    'coco': Format('coco.json', 'coco'),
    'label-studio': Format('label_studio.json', 'label_studio'),
    'cvat': Format('cvat.xml', 'cvat'),
}
FOLDER = 'export'
"""Where ``--export`` writes to, below the folder of the report."""


def chosen_formats(text: str | None) -> list[str]:
    """The formats that ``--export`` names.

    Args:
        text: Names with commas between them; None or nothing names none.

    Raises:
        ImportError: A format needs a package that is not installed.
        ValueError: There is no such format.

    Example:
        >>> chosen_formats('coco, geojson')
        ['coco', 'geojson']
    """
    names = [name.strip() for name in (text or '').split(',') if name.strip()]
    for name in names:
        _format(name)
    return names


def write_export(data: CrackData, name: str, target: str | Path) -> int:
    """Write one format.

    Args:
        data: The cracks.
        name: Format, a key of :data:`FORMATS`.
        target: File to write; a folder where the format has one file for each photo.

    Returns:
        Number of cracks written.

    Raises:
        ImportError: The format needs a package that is not installed.
        ValueError: There is no such format.
    """
    module = import_module(f'.{_format(name).module}', __name__)
    return module.write(data, Path(target))


def write_exports(data: CrackData, names: Sequence[str], folder: str | Path) -> list[Path]:
    """Write several formats under their usual names into a folder; returns what was written."""
    targets = [Path(folder, FORMATS[name].file) for name in names]
    for name, target in zip(names, targets, strict=True):
        write_export(data, name, target)
    return targets


def existing_exports(folder: str | Path) -> list[str]:
    """The formats that were written into a folder before."""
    return [name for name, kind in FORMATS.items() if Path(folder, kind.file).exists()]


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(f'no format {name!r}; there are {", ".join(FORMATS)}')
    need(f'The format {name}', *FORMATS[name].packages)
    return FORMATS[name]
