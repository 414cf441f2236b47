"""From a list of photos to a folder of results: resumable, and not stopped by a photo that fails."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from csbsr_mm.apis.inferencer import CrackInferencer
from csbsr_mm.apis.result import CrackResult
from csbsr_mm.inspection.measurement.cracks import kernel_spread, measure_cracks
from csbsr_mm.inspection.measurement.selection import SelectionRules
from csbsr_mm.photos.input_files import SourcePhoto
from csbsr_mm.photos.raster import Box
from csbsr_mm.photos.reader import Photo, PhotoError, read_photo
from csbsr_mm.utils.conveyor import OneAhead, OneBehind

from .photo_output import OutputFolder, PhotoWriter
from .timing import RunTimer

FULL = (errno.ENOSPC, errno.EDQUOT)
Record = dict
"""All that is known about one photo, as stored in ``records/NAME.json``; lengths in photo pixels."""

TileProgress = Callable[[SourcePhoto, int, int], None]


@dataclass
class _Job:
    """A photo on its way through a run; :attr:`record` is set when nothing is left to do."""

    source: SourcePhoto
    fingerprint: str
    photo: Photo | None = None
    result: CrackResult | None = None
    record: Record | None = None
    is_new: bool = True
    seconds: float = 0.0

    def close(self) -> None:
        """Free the images."""
        for images in (self.result, self.photo):
            if images is not None:
                images.close()


class PredictionRun:
    """Predicts photos one after the other and stores images and a record for each.

    The record is written last and names everything the result depends on: the settings, and size and
    time of the photo's file. With ``resume`` a photo whose record says the same is not done again.

    Attributes:
        timing: Where the time goes.
        stopping: Set when no further photo is wanted.

    Args:
        inferencer: Finds the cracks.
        folder: Where results go.
        with_sr: Whether to store SR images.
        rules: What counts as a crack.
        resume: Keep what is done.
        settings: Whatever else results depend on, as JSON values: config, checkpoint, ...
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
        self.times = inferencer.times
        self.timing, self.stopping = RunTimer(self.times), threading.Event()
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

    def run(
        self,
        photos: Iterable[SourcePhoto],
        progress: TileProgress | None = None,
        stored: Callable[[Record], object] | None = None,
    ) -> Iterator[Record]:
        """Yield the record of each photo soon after it is stored, in the order of the photos.

        While the model works on a photo one thread reads the next one and another stores and measures the
        last one; so up to three photos are in memory. A photo that cannot be read or predicted gets a record
        with status 'failed' and the reason. When the user interrupts, what is predicted is still stored.

        Args:
            photos: Photos with the names of their results; they may come one by one.
            progress: Called with a photo, the steps done and the steps in all.
            stored: Called in another thread as soon as a record is stored, which may be long before it is
                yielded: that happens when the next photo is predicted.

        Raises:
            RuntimeError: There is no space left for results.
        """
        self.timing.start()

        def finish(job: _Job) -> Record:
            record = self._finish(job)
            if stored is not None:
                stored(record)
            return record

        with OneBehind(finish) as storing, OneAhead(self._open, photos, _Job.close) as opened:
            try:
                for job in self.timing.waiting_for_photos(opened):
                    self._compute(job, progress)
                    with self.times.of('wait_for_storing'):
                        finished = storing.put(job)
                    yield from finished
            except KeyboardInterrupt:
                yield from storing.rest()
                raise
            finally:
                self.stopping.set()
            yield from storing.rest()
        self.timing.stop()

    def give_up(self, source: SourcePhoto, reason: str) -> None:
        """Store that a photo failed, without trying."""
        record = self._failed(_Job(source, self._fingerprint(source)), RuntimeError(reason))
        self.folder.write_json(record, 'records', f'{source.name}.json')

    def _open(self, source: SourcePhoto) -> _Job:
        """Find the record of a photo that is done, or read the photo."""
        job = _Job(source, self._fingerprint(source))
        job.record = self._stored(source, job.fingerprint) if self.resume else None
        job.is_new = job.record is None
        if job.is_new:
            self._remove_stale(source.name)
            with self._step(job, 'read'):
                job.photo = read_photo(source.path, self.inferencer.scratch_dir)
        return job

    def _compute(self, job: _Job, progress: TileProgress | None) -> None:
        if job.photo is None:
            return
        steps = None if progress is None else lambda done, total: progress(job.source, done, total)
        with self._step(job, 'predict'):
            job.result = self.inferencer.predict(job.photo, steps)

    def _finish(self, job: _Job) -> Record:
        """Store and measure what was found in a photo."""
        details: Record = {}
        if job.result is not None:
            with self._step(job, 'write'):
                details['files'] = self.writer.write(job.result, job.source.name)
        if details:
            with self._step(job, 'measure'):
                details |= self._describe(job.result)
        job.close()
        if job.record is None:
            self.timing.count(details['height'] * details['width'])
            job.record = {**self._base(job), 'status': 'ok', **details, 'seconds': round(job.seconds, 2)}
        if job.is_new:
            self.folder.write_json(job.record, 'records', f'{job.source.name}.json')
        return job.record

    @contextmanager
    def _step(self, job: _Job, stage: str) -> Iterator[None]:
        """Time a step; one that fails makes the photo's record, a full disk ends the run."""
        start = time.perf_counter()
        try:
            with self.times.of(stage):
                yield
        except OSError as error:
            if error.errno in FULL:
                raise RuntimeError(
                    f'no space left in {self.folder.root} for the results of {job.source.path}; '
                    f'free some and go on with --resume'
                ) from error
            job.record = self._failed(job, error)
        except (PhotoError, RuntimeError, ValueError, ArithmeticError, MemoryError) as error:
            job.record = self._failed(job, error)
        finally:
            job.seconds += time.perf_counter() - start

    @staticmethod
    def _base(job: _Job) -> Record:
        return dict(name=job.source.name, source=str(job.source.path), fingerprint=job.fingerprint)

    def _failed(self, job: _Job, error: Exception) -> Record:
        reason = _reason(error)
        if str(job.source.path) not in reason:
            reason = f'{job.source.path}: {reason}'
        print_log(reason, logger='current', level=30)
        return {**self._base(job), 'status': 'failed', 'error': reason}

    def _remove_stale(self, name: str) -> None:
        """Delete what an earlier run left of a photo, so that its results never stand beside new ones."""
        with suppress(OSError, ValueError, KeyError, AttributeError):
            path = self.folder.path('records', f'{name}.json')
            record = json.loads(path.read_text(encoding='utf-8'))
            path.unlink()
            for file in record['files'].values():
                self.folder.path(file).unlink(missing_ok=True)

    def _describe(self, result: CrackResult) -> Record:
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
