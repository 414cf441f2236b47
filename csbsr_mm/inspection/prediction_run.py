"""From a list of photos to a folder of results: resumable, and not stopped by a photo that fails."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from csbsr_mm.apis.inferencer import CrackInferencer
from csbsr_mm.apis.result import CrackResult
from csbsr_mm.photos.input_files import SourcePhoto
from csbsr_mm.photos.raster import Box
from csbsr_mm.photos.reader import PhotoError, read_photo

from .measurement import kernel_spread, measure_cracks
from .photo_output import OutputFolder, PhotoWriter
from .selection import SelectionRules

FULL = (errno.ENOSPC, errno.EDQUOT)
Record = dict
"""All that is known about one photo, as stored in ``records/NAME.json``; lengths in photo pixels."""

TileProgress = Callable[[SourcePhoto, int, int], None]


class PredictionRun:
    """Predicts photos one after the other and stores images and a record for each.

    The record is written last and names everything the result depends on: the settings, and size and
    time of the photo's file. With ``resume`` a photo whose record says the same is not done again.

    Args:
        inferencer: finds the cracks.
        folder: where results go.
        with_sr: whether to store SR images.
        rules: what counts as a crack.
        resume: keep what is done.
        settings: whatever else results depend on, as JSON values: config, checkpoint, ...
    """

    def __init__(
        self,
        inferencer: CrackInferencer,
        folder: OutputFolder,
        with_sr: bool = True,
        rules: SelectionRules | None = None,
        resume: bool = False,
        settings: dict | None = None,
    ) -> None:
        self.inferencer, self.folder = inferencer, folder
        self.writer = PhotoWriter(folder, with_sr)
        self.rules, self.resume = rules or SelectionRules(), resume
        self.settings = {
            **(settings or {}),
            'tile': inferencer.tile,
            'overlap': inferencer.overlap,
            'threshold': inferencer.threshold,
            'per_tile': inferencer.per_tile,
            **asdict(self.rules),
            'with_sr': with_sr,
        }

    def run(self, photos: Iterable[SourcePhoto], progress: TileProgress | None = None) -> Iterator[Record]:
        """Yield the record of each photo as soon as it is stored.

        A photo that cannot be read or predicted gets a record with status 'failed' and the reason.

        Args:
            photos: photos with the names of their results; they may come one by one.
            progress: called with a photo, the steps done and the steps in all.
        """
        for source in photos:
            fingerprint = self._fingerprint(source)
            record = self._stored(source, fingerprint) if self.resume else None
            if record is None:
                self._remove_stale(source.name)
                record = self._predict(source, fingerprint, progress)
                self.folder.write_json(record, 'records', f'{source.name}.json')
            yield record

    def give_up(self, source: SourcePhoto, reason: str) -> None:
        """Store that a photo failed, without trying."""
        base = dict(name=source.name, source=str(source.path), fingerprint=self._fingerprint(source))
        record = self._failed(base, source, RuntimeError(reason))
        self.folder.write_json(record, 'records', f'{source.name}.json')

    def _predict(self, source: SourcePhoto, fingerprint: str, progress: TileProgress | None) -> Record:
        base = dict(name=source.name, source=str(source.path), fingerprint=fingerprint)
        start = time.perf_counter()
        steps = None if progress is None else lambda done, total: progress(source, done, total)
        try:
            photo = read_photo(source.path, self.inferencer.scratch_dir)
            result = self.inferencer.predict(photo, steps)
            try:
                details = self._store(result, source.name)
            finally:
                result.close()
        except OSError as error:
            if error.errno in FULL:
                raise RuntimeError(
                    f'no space left in {self.folder.root} for the results of {source.path}; '
                    f'free some and go on with --resume'
                ) from error
            return self._failed(base, source, error)
        except (PhotoError, RuntimeError, ValueError, ArithmeticError, MemoryError) as error:
            return self._failed(base, source, error)
        return {**base, 'status': 'ok', **details, 'seconds': round(time.perf_counter() - start, 2)}

    @staticmethod
    def _failed(base: dict, source: SourcePhoto, error: Exception) -> Record:
        reason = _reason(error)
        if str(source.path) not in reason:
            reason = f'{source.path}: {reason}'
        print_log(reason, logger='current', level=30)
        return {**base, 'status': 'failed', 'error': reason}

    def _remove_stale(self, name: str) -> None:
        """Delete what an earlier run left of a photo, so that its results never stand beside new ones."""
        with suppress(OSError, ValueError, KeyError, AttributeError):
            path = self.folder.path('records', f'{name}.json')
            record = json.loads(path.read_text(encoding='utf-8'))
            path.unlink()
            for file in record['files'].values():
                self.folder.path(file).unlink(missing_ok=True)

    def _store(self, result: CrackResult, name: str) -> Record:
        files = self.writer.write(result, name)
        photo, kernel = result.photo, result.blur_kernel
        spread = None if kernel is None else kernel_spread(kernel)
        return dict(
            height=photo.height,
            width=photo.width,
            scale=result.scale,
            taken=photo.taken,
            latitude=photo.latitude,
            longitude=photo.longitude,
            altitude=photo.altitude,
            camera=asdict(photo.camera),
            **measure_result(result, self.rules),
            blur_spread=spread if spread is not None and math.isfinite(spread) else None,
            seam_rms=result.seam_rms,
            reading=photo.note,
            skipped=photo.skipped,
            without_data=0.0 if result.nodata is None else round(result.nodata.part, 4),
            tiles=result.tiles,
            files=files,
        )

    def _fingerprint(self, source: SourcePhoto) -> str:
        state = None
        with suppress(OSError):
            stat = source.path.stat()
            state = [stat.st_size, stat.st_mtime_ns]
        content = json.dumps([self.settings, str(source.path), state], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()

    def _stored(self, source: SourcePhoto, fingerprint: str) -> Record | None:
        """The record of a photo that is done under the same settings and whose files are all there."""
        with suppress(OSError, ValueError, KeyError, AttributeError):
            path = self.folder.path('records', f'{source.name}.json')
            record = json.loads(path.read_text(encoding='utf-8'))
            complete = all(self.folder.path(file).is_file() for file in record['files'].values())
            if record['status'] == 'ok' and record['fingerprint'] == fingerprint and complete:
                return record
        return None


def measure_result(result: CrackResult, rules: SelectionRules) -> dict:
    """What a record says about the cracks of a photo.

    Args:
        result: What the model says.
        rules: What counts as a crack.

    Returns:
        The fields of :class:`.PhotoMeasures`, ``threshold`` and ``rules``.
    """

    def as_stored(box: Box) -> NDArray[np.float32]:
        # Measuring again from the files must give the same.
        return np.rint(65535 * result.read_probability(box).clip(0, 1)) / np.float32(65535)

    measures = measure_cracks(
        result.read_mask, result.box.size, result.scale, rules=rules, probability=as_stored
    )
    return {**asdict(measures), 'threshold': result.threshold, 'rules': asdict(rules)}


def describe_checkpoint(path: str | Path | None) -> list | None:
    """What identifies a checkpoint in a run's settings: name, size and time; of a folder, of each file."""
    if path is None:
        return None
    if Path(path).is_dir():
        return [str(path), *(describe_checkpoint(file) for file in sorted(Path(path).iterdir()))]
    stat = Path(path).stat()
    return [str(path), stat.st_size, stat.st_mtime_ns]


def _reason(error: Exception) -> str:
    if isinstance(error, PhotoError):
        return str(error)
    if 'out of memory' in str(error).lower() or isinstance(error, MemoryError):
        return f'out of memory; use a smaller tile or batch size ({error})'
    return f'{type(error).__name__}: {error}'
