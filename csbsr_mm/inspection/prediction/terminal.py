"""What ``csbsr predict`` says on the terminal: progress, a line for each photo, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from csbsr_mm.inspection.prediction.log_progress import LogProgress
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.photos.input_files import SourcePhoto
from csbsr_mm.photos.reader import photo_size

FAILED_PHOTOS, INTERRUPTED = 1, 130


class PhotoProgress:
    """A bar that counts pixels, so that the time left is that of the work; or lines of a log.

    Args:
        photos: All photos.
        console: Where to.
        on_record: Called with each record, too.
    """

    def __init__(
        self,
        photos: Sequence[SourcePhoto],
        console: Console,
        on_record: Callable[[Record], None] | None = None,
    ) -> None:
        self.console, self._on_record = console, on_record
        self._pixels = {photo.name: count_pixels(photo) for photo in photos}
        self._total, self._finished, self._done = sum(self._pixels.values()), 0, 0
        self._parts: dict[str, float] = {}
        self._log = LogProgress(self.say)
        self._bar = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            TextColumn('{task.fields[done]} of {task.fields[photos]} photos,'),
            TimeRemainingColumn(),
            TextColumn('left'),
            console=console,
            speed_estimate_period=600,
        )
        self._task = self._bar.add_task('', total=self._total, done=0, photos=len(photos))

    def __enter__(self) -> PhotoProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_tile(self, photo: SourcePhoto, done: int, steps: int) -> None:
        """Count a part of a photo."""
        self._parts[photo.name] = self._pixels[photo.name] * done / steps
        self._show(description=photo.name)
        if not self.console.is_terminal:
            self._log.on_tile(photo.name, done, steps)

    def on_photo(self, record: Record, worked_on: bool | None = None) -> None:
        """Count a photo that is done.

        Args:
            record: Its record.
            worked_on: Whether it took time; by default, whether :meth:`on_tile` was called for it.
        """
        self._done += 1
        if self._on_record is not None:
            self._on_record(record)
        pixels = self._pixels[record['name']]
        if record['name'] in self._parts if worked_on is None else worked_on:
            self._finished += pixels
        else:
            # Done before, or unreadable: it says nothing about speed.
            self._total -= pixels
        self._parts.pop(record['name'], None)
        self._show(total=self._total, done=self._done)
        if not self.console.is_terminal:
            self.say(_line(record))

    def _show(self, **changes: Any) -> None:
        # A photo's tiles are done before its results are stored, and by then the next one's have begun.
        self._bar.update(self._task, completed=self._finished + sum(self._parts.values()), **changes)

    def say(self, text: str) -> None:
        """Print a line beside the bar."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def count_pixels(photo: SourcePhoto) -> int:
    """Pixels of a photo by its header; 1 where that cannot be read."""
    size = photo_size(photo.path)
    return size[0] * size[1] if size else 1


def _line(record: Record) -> str:
    if record['status'] != 'ok':
        return f'{record["name"]}: failed'
    total = record['total']
    return f'{record["name"]}: {len(record["cracks"])} cracks, widest {total["max_width"]:.2f} px'


def conclude(
    records: list[Record], count: int, interrupted: bool, folder: OutputFolder, console: Console
) -> int:
    """Say how it ended, and return the exit status."""
    failed = [record for record in records if record['status'] != 'ok']
    for record in failed:
        console.print(f'failed: {record["error"]}', style='yellow', markup=False, soft_wrap=True)
    for record in records:
        if record.get('skipped'):
            console.print(
                f'{record["source"]}: {record["skipped"]}', style='yellow', markup=False, soft_wrap=True
            )
    done = len(records) - len(failed)
    text = f'{done} of {count} photos done, {len(failed)} failed; open {folder.root / "index.html"}'
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if interrupted:
        console.print('interrupted; the same command with --resume goes on from here')
        return INTERRUPTED
    return FAILED_PHOTOS if failed else 0
