"""The report of one visit, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from csbsr_mm.inspection.exports.crack_lines import CrackShape
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.inspection.report.remeasure import stored_shapes
from csbsr_mm.inspection.scale.scales import PhotoScale
from csbsr_mm.inspection.widths.errors import WidthErrors
from csbsr_mm.photos.reader import PhotoError, read_photo

from .crack_changes import WIDTH

NEEDED = ('probability', 'before')
"""Files of each photo that a comparison reads."""


@dataclass
class Visit:
    """A finished report.

    Attributes:
        folder: Where it is.
        summary: Its ``summary.json``.
        records: Records of the photos that were measured, by name.
        failed: Names of the photos that were not.
    """

    folder: OutputFolder
    summary: dict
    records: dict[str, Record]
    failed: list[str]

    @classmethod
    def read(cls, root: str | Path) -> Visit:
        """Read a report.

        Args:
            root: Output folder of ``csbsr predict``.

        Raises:
            FileNotFoundError: The folder, its summary, a record or a picture is missing; the message says
                which.
            ValueError: A file of the report is damaged, or no photo of it was measured.
        """
        root = Path(root)
        if not root.is_dir():
            raise FileNotFoundError(f'there is no folder {root}; name the --out-dir of csbsr predict')
        if not (root / 'summary.json').is_file():
            raise FileNotFoundError(f'{root} holds no summary.json; name the --out-dir of csbsr predict')
        folder = OutputFolder(root)
        summary = _read_json(root / 'summary.json')
        records, failed = {}, []
        for photo in summary.get('photos', ()):
            if photo['status'] != 'ok':
                failed.append(photo['name'])
                continue
            records[photo['name']] = _read_record(folder, photo['name'])
        if not records:
            raise ValueError(f'{root} is a report without a measured photo; there is nothing to compare')
        return cls(folder, summary, records, failed)

    def scale_of(self, name: str) -> PhotoScale | None:
        """Size of a pixel of a photo on the wall, if the report knows it."""
        scale = self._listed(name).get('scale_of_photo')
        return None if scale is None else PhotoScale.from_json(scale)

    def width_errors(self) -> WidthErrors | None:
        """The errors of the model's widths, if the report knows them."""
        known = self.summary.get('width_errors')
        errors = None if known is None else WidthErrors.from_dict(known)
        return errors if errors is not None and WIDTH in errors.curves else None

    def note(self, name: str) -> str:
        """What the report says about the sharpness of a photo."""
        return self._listed(name).get('note', '')

    def picture(self, name: str, side: int) -> NDArray[np.uint8]:
        """A photo, reduced to at most ``side`` pixels; where it is gone, the report's preview of it.

        Args:
            name: The photo.
            side: Largest side.

        Returns:
            RGB (h, w, 3).
        """
        record = self.records[name]
        try:
            photo = read_photo(record['source'])
            same = (photo.height, photo.width) == (record['height'], record['width'])
            pixels = photo.pixels.read(photo.pixels.box) if same else None
            photo.close()
        except PhotoError:
            pixels = None
        if pixels is None:
            with Image.open(self.folder.path(record['files']['before'])) as image:
                pixels = np.asarray(image.convert('RGB'))
        factor = min(side / max(pixels.shape[:2]), 1.0)
        size = (max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1))
        reduced = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return reduced if reduced.dtype == np.uint8 else np.rint(reduced / 257).astype(np.uint8)

    def cracks(self, name: str) -> list[CrackShape]:
        """The cracks that the report lists for a photo, traced in its mask."""
        return stored_shapes(self.folder, self.records[name])

    def probability(self, name: str) -> NDArray[np.uint16]:
        """Crack probability (H, W) of a photo as the report stores it: 65535 is 1."""
        path = self.folder.path(self.records[name]['files']['probability'])
        if path.suffix == '.tif':
            return tifffile.imread(path)
        with Image.open(path) as image:
            return np.asarray(image).astype(np.uint16)

    def _listed(self, name: str) -> dict:
        return next(photo for photo in self.summary['photos'] if photo['name'] == name)


def _read_record(folder: OutputFolder, name: str) -> Record:
    path = folder.root / 'records' / f'{name}.json'
    if not path.is_file():
        raise FileNotFoundError(f'{path} is missing: the report in {folder.root} is not complete')
    record = _read_json(path)
    for kind in NEEDED:
        file = record.get('files', {}).get(kind)
        if file is None or not folder.path(file).is_file():
            raise FileNotFoundError(
                f'{folder.root} lacks the {kind} of photo {name} ({file}); '
                f'run csbsr predict again with --resume'
            )
    return record


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is damaged: {error}') from error
    if not isinstance(content, dict):
        raise ValueError(f'{path} is no part of a report')
    return content
