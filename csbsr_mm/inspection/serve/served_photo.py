"""One uploaded photo on its way: a folder of its own with constant names, a state, and what was found."""

from __future__ import annotations

import argparse
import json
import shutil
import threading
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.exports.command import write_annotations
from csbsr_mm.inspection.measurement.selection import SelectionRules, rules_from
from csbsr_mm.inspection.prediction.photo_output import PREVIEW_SIDE, OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun, Record
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.inspection.report.remeasure import remeasure, stored_result
from csbsr_mm.photos.input_files import SourcePhoto

from .limits import Refused

WAITING, RUNNING, DONE, FAILED = 'waiting', 'running', 'done', 'failed'
# The only names on disk, whatever the photo is called.
UPLOAD, NAME = 'upload', 'photo'
IMAGES = {
    'before': 'image/webp',
    'levels': 'image/png',
    'mask': 'image/png',
    'overlay': 'image/jpeg',
    'probability': 'image/png',
    'sr': 'image/png',
}
TIFF = 'image/tiff'
EXPORTS = {
    'cracks.csv': 'text/csv; charset=utf-8',
    'summary.csv': 'text/csv; charset=utf-8',
    'report.html': 'text/html; charset=utf-8',
    'cracks.geojson': 'application/geo+json',
    'coco.json': 'application/json',
    'results.zip': 'application/zip',
}
ANNOTATIONS = {'cracks.geojson': 'geojson', 'coco.json': 'coco'}
PAGE = 'index.html'
LISTED = 200
NOTHING_ASKED = dict.fromkeys(['threshold', *(field.name for field in fields(SelectionRules))])


class Stopped(Exception):
    """The photo was removed, or the server stops, while the model worked on it."""


class ServedPhoto:
    """A photo that was uploaded.

    Args:
        number: What the page calls it by.
        title: What the user calls it; shown, and never part of a path.
        root: A folder of its own.
    """

    def __init__(self, number: int, title: str, root: Path) -> None:
        self.number, self.title = number, title
        self.folder = OutputFolder(root)
        self.upload = root / UPLOAD
        self.state, self.progress, self.error = WAITING, 0.0, ''
        self.record: Record | None = None
        self.settings: dict = {}
        self.removed = False
        self._lock = threading.Lock()

    def predict(self, inferencer: CrackInferencer, stopped: Callable[[], bool]) -> None:
        """Run the model and measure; errors become the photo's state.

        Args:
            inferencer: The model.
            stopped: Asked at each tile whether to give up.
        """
        self.state = RUNNING

        def on_tile(source: SourcePhoto, done: int, total: int) -> None:
            del source
            self.progress = done / total
            if self.removed or stopped():
                raise Stopped

        rules = rules_from(argparse.Namespace(**NOTHING_ASKED))
        run = PredictionRun(inferencer, self.folder, rules=rules)
        record = next(run.run([SourcePhoto(self.upload, NAME)], on_tile))
        if record['status'] != 'ok':
            self.state, self.error = FAILED, record['error'].replace(str(self.upload), self.title)
            return
        self._draw_levels(record)
        self.settings = {'Threshold': inferencer.threshold, **rules.described()}
        self.record, self.state = record, DONE

    def measure(self, **asked: float | None) -> None:
        """Measure again from the stored probability.

        Args:
            **asked: Any of threshold, min_area, min_length, min_elongation and peak.

        Raises:
            Refused: The photo is not done (409), or a value is out of range (400).
        """
        with self._lock:
            record = self._done()
            try:
                record = remeasure(self.folder, record, argparse.Namespace(**{**NOTHING_ASKED, **asked}))
            except ValueError as error:
                raise Refused(400, str(error)) from error
            self.folder.write_json(record, 'records', f'{NAME}.json')
            self.settings['Threshold'] = record['threshold']
            self.record = record

    def described(self) -> dict:
        """What the page shows, as JSON values; lengths in pixels of the photo."""
        shown = dict(
            number=self.number, title=self.title, state=self.state, progress=self.progress, error=self.error
        )
        record = self.record
        if record is None:
            return shown
        names = (
            'height',
            'width',
            'scale',
            'threshold',
            'total',
            'ignored',
            'blobs',
            'blur_spread',
            'reading',
        )
        shown |= {name: record.get(name) for name in names}
        shown['min_length'] = record['rules']['min_length']
        shown |= dict(cracks=record['cracks'][:LISTED], crack_count=len(record['cracks']))
        shown['images'] = [kind for kind in IMAGES if kind in self._files()]
        return shown

    def image(self, kind: str) -> tuple[BinaryIO, str]:
        """A picture, an open file, and its type.

        Args:
            kind: One of :data:`IMAGES`.

        Raises:
            Refused: There is no such picture (404).
        """
        file = self._files().get(kind) if kind in IMAGES else None
        if file is None:
            raise Refused(404, f'there is no picture {kind!r} of this photo')
        path = self.folder.path(file)
        return path.open('rb'), TIFF if path.suffix == '.tif' else IMAGES[kind]

    def export(self, name: str, mm_per_pixel: float | None) -> tuple[BinaryIO, str]:
        """A file to download, open, and its type.

        Args:
            name: One of :data:`EXPORTS`.
            mm_per_pixel: Size of a pixel of the photo on the wall; None leaves pixels.

        Raises:
            Refused: There is no such file (404), the photo is not done (409), or a value is out of range
                (400).
        """
        if name not in EXPORTS:
            raise Refused(404, f'there is no export {name!r}; there are {", ".join(EXPORTS)}')
        with self._lock:
            record = self._done()
            if name in ANNOTATIONS:
                self._write_report(record, mm_per_pixel)
                target = self.folder.path(name)
                write_annotations(self.folder.root, ANNOTATIONS[name], target)
                content = json.loads(target.read_text(encoding='utf-8'))
                self.folder.write_json(_renamed(content, UPLOAD, self.title), name)
                return target.open('rb'), EXPORTS[name]
            self._write_report({**record, 'name': self.title, 'source': self.title}, mm_per_pixel)
            if name == 'results.zip':
                self._zip(name)
            return self.folder.path(PAGE if name == 'report.html' else name).open('rb'), EXPORTS[name]

    def remove(self) -> None:
        """Delete everything; the model stops at its next tile."""
        self.removed = True
        if self.state != RUNNING:
            with self._lock:
                shutil.rmtree(self.folder.root, ignore_errors=True)

    def _done(self) -> Record:
        if self.record is None:
            raise Refused(409, 'the photo is not done yet')
        return self.record

    def _files(self) -> dict[str, str]:
        return {} if self.record is None else {**self.record['files'], 'levels': f'preview/{NAME}_levels.png'}

    def _write_report(self, record: Record, mm_per_pixel: float | None) -> None:
        try:
            report = Report(
                self.folder, [record], mm_per_pixel, settings=dict(self.settings), title=self.title
            )
        except ValueError as error:
            raise Refused(400, str(error)) from error
        report.write()

    def _zip(self, name: str) -> None:
        listed = [PAGE, 'cracks.csv', 'summary.csv', 'summary.json', *self._files().values()]
        with self.folder.replacing(name) as path, zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
            for file in listed:
                archive.write(self.folder.path(file), file)

    def _draw_levels(self, record: Record) -> None:
        """The probability at the preview's size: with it the page shows another threshold at once."""
        result = stored_result(self.folder, record, record['threshold'])
        levels = np.rint(255 * largest_of_squares(result.probability)).astype(np.uint8)
        result.close()
        with self.folder.replacing('preview', f'{NAME}_levels.png') as path:
            Image.fromarray(levels).save(path)


def largest_of_squares(values: NDArray[np.float32], side: int = PREVIEW_SIDE) -> NDArray[np.float32]:
    """The largest value of each square of pixels, so that at most ``side`` squares are in a row or column.

    Args:
        values: (H, W).
        side: How many at most.

    Returns:
        (h, w), of the same size as :func:`~csbsr_mm.inspection.prediction.photo_output.previews`.

    Example:
        >>> largest_of_squares(np.arange(12.0).reshape(3, 4), side=2).tolist()
        [[5.0, 7.0], [9.0, 11.0]]
    """
    factor = max(-(-max(values.shape) // side), 1)
    values = np.pad(values, [(0, -length % factor) for length in values.shape])
    height, width = (length // factor for length in values.shape)
    return values.reshape(height, factor, width, factor).max((1, 3))


def _renamed(content: object, old: str, new: str) -> object:
    """JSON values with one text replaced by another."""
    if isinstance(content, dict):
        return {key: _renamed(value, old, new) for key, value in content.items()}
    if isinstance(content, list):
        return [_renamed(value, old, new) for value in content]
    return new if content == old else content
