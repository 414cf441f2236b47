"""The photos that the page knows, and the queue before the model."""

from __future__ import annotations

import queue
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from csbsr_mm.apis import CrackInferencer

from .limits import Limits, Refused
from .served_photo import FAILED, ServedPhoto, Stopped

CHUNK = 1 << 16
LONGEST_TITLE = 120


class Session:
    """Photos in order, and one thread that runs the model on one after the other.

    Args:
        root: Folder for everything; the caller removes it.
        load: Loads the model, in the thread, when the first photo comes.
        limits: What is accepted.
    """

    def __init__(self, root: Path, load: Callable[[], CrackInferencer], limits: Limits | None = None) -> None:
        self.root, self.limits = root, limits or Limits()
        self._load = load
        self._photos: dict[int, ServedPhoto] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._queue: queue.Queue[ServedPhoto | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name='model', daemon=True)
        self._thread.start()

    def add(self, stream: BinaryIO, length: str | None, title: str) -> ServedPhoto:
        """Take an uploaded photo and queue it.

        Args:
            stream: The file.
            length: Its announced length in bytes.
            title: What the user calls it.

        Raises:
            Refused: It breaks a limit.
        """
        count = self.limits.check_length(length)
        with self._lock:
            if len(self._photos) >= self.limits.photos:
                raise Refused(429, f'there are {len(self._photos)} photos already; remove some')
            self._count += 1
            photo = ServedPhoto(self._count, shown_title(title), self.root / f'{self._count:06d}')
            self._photos[photo.number] = photo
        try:
            _store(stream, count, photo.upload)
            self.limits.check_photo(photo.upload)
        except BaseException:
            self.remove(photo.number)
            raise
        self._queue.put(photo)
        return photo

    def photo(self, number: int) -> ServedPhoto:
        """A photo by its number.

        Raises:
            Refused: There is none (404).
        """
        with self._lock:
            if number not in self._photos:
                raise Refused(404, f'there is no photo {number}')
            return self._photos[number]

    def photos(self) -> list[ServedPhoto]:
        """All photos in the order in which they came."""
        with self._lock:
            return list(self._photos.values())

    def remove(self, number: int) -> None:
        """Forget a photo and delete its files.

        Raises:
            Refused: There is none (404).
        """
        photo = self.photo(number)
        with self._lock:
            self._photos.pop(number, None)
        photo.remove()

    def close(self, patience: float = 30.0) -> None:
        """Stop the model at its next tile and wait for that, at most so many seconds."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(patience)

    def _work(self) -> None:
        inferencer = None
        while (photo := self._queue.get()) is not None and not self._stopping.is_set():
            if photo.removed:
                continue
            try:
                inferencer = inferencer or self._load()
                photo.predict(inferencer, self._stopping.is_set)
            except Stopped:
                shutil.rmtree(photo.folder.root, ignore_errors=True)
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                photo.state, photo.error = (
                    FAILED,
                    f'the model failed: {type(error).__name__}; see the terminal',
                )


def shown_title(title: str) -> str:
    """A photo's name as it is shown: without folders and control characters, not too long.

    Example:
        >>> shown_title('C:\\\\photos/wall 3.jpg'), shown_title('\\x00\\n')
        ('wall 3.jpg', 'photo')
    """
    last = re.split(r'[/\\]', title)[-1]
    return ''.join(letter for letter in last if letter.isprintable())[-LONGEST_TITLE:].strip() or 'photo'


def _store(stream: BinaryIO, count: int, path: Path) -> None:
    """Write exactly so many bytes.

    Raises:
        Refused: There are fewer (400).
    """
    with path.open('xb') as file:
        while count > 0:
            block = stream.read(min(count, CHUNK))
            if not block:
                raise Refused(400, 'the upload broke off')
            file.write(block)
            count -= len(block)
