"""Share work out among processes that see one folder: on one machine, or on many with a shared disk.

Each attempt at a piece of work is a file, ``NAME.0``, ``NAME.1``, ..., which only one process can create. Its
owner renews its time while it lives. A piece whose last owner is dead or silent is taken by creating the next
file, so that two processes never take over the same piece. ``NAME.done`` says that it is done.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

BEAT_SECONDS = 5.0
SILENT_SECONDS = 120.0
"""Longer than network file systems keep a file's time from before: up to a minute."""
DONE, OVER = 'done', 'over'


class Claim(NamedTuple):
    """A piece of work that this process has taken, and how many processes died over it before."""

    name: str
    deaths: int


class SharedWork:
    """Pieces of work, each done by one of the processes that share a folder.

    Args:
        folder: Made if need be; the same for all processes, and new for each run.

    Example:
        >>> import tempfile
        >>> work = SharedWork(Path(tempfile.mkdtemp()) / 'run')
        >>> work.take(['a', 'b']), work.take(['a', 'b']), work.take(['a', 'b'])
        (Claim(name='a', deaths=0), Claim(name='b', deaths=0), None)
        >>> work.finish('a')
        >>> sorted(work.done()), work.is_active()
        (['a'], True)
        >>> work.end()
        >>> work.is_over, work.is_active()
        (True, False)
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._token = uuid.uuid4().hex
        self._held: dict[str, Path] = {}
        self._beating: threading.Thread | None = None

    def take(self, names: Collection[str]) -> Claim | None:
        """Claim the first piece that is neither done nor in the hands of a living process.

        Args:
            names: Pieces, the most urgent first; file names without a leading dot are safe.

        Returns:
            The claim, or None if there is nothing to take now.
        """
        done, attempts = self._state()
        for name in names:
            last = attempts.get(name, -1)
            if name in done or name in self._held or (last >= 0 and self._lives(f'{name}.{last}')):
                continue
            path = self.folder / f'{name}.{last + 1}'
            if self._create(path):
                self._held[name] = path
                self._beat()
                return Claim(name, last + 1)
        return None

    def finish(self, name: str) -> None:
        """Say that a piece is done."""
        with suppress(FileNotFoundError):
            (self.folder / f'{name}.{DONE}').touch()
        self._held.pop(name, None)

    def done(self) -> set[str]:
        """Names of the pieces that are done."""
        return self._state()[0]

    def is_active(self) -> bool:
        """Whether a living process works on a piece."""
        done, attempts = self._state()
        return any(name not in done and self._lives(f'{name}.{last}') for name, last in attempts.items())

    @property
    def is_over(self) -> bool:
        """Whether the work was ended, or the folder is gone."""
        return not self.folder.is_dir() or (self.folder / OVER).exists()

    def end(self) -> None:
        """End the work for all processes, also those that start later; only the mark of this stays."""
        self._held.clear()
        (self.folder / OVER).touch()
        for path in self.folder.iterdir():
            if path.is_file() and path.name != OVER:
                path.unlink(missing_ok=True)

    def _state(self) -> tuple[set[str], dict[str, int]]:
        """What is done, and the number of the last attempt at each piece."""
        done: set[str] = set()
        attempts: dict[str, int] = {}
        with suppress(FileNotFoundError):
            for entry in os.scandir(self.folder):
                name, _, kind = entry.name.rpartition('.')
                if kind == DONE:
                    done.add(name)
                elif name and kind.isdecimal():
                    attempts[name] = max(int(kind), attempts.get(name, 0))
        return done, attempts

    def _create(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except (FileExistsError, FileNotFoundError):
            # Another process was faster, or the work is over.
            return False
        with os.fdopen(file, 'w', encoding='utf-8') as stream:
            json.dump(dict(machine=_machine(), process=os.getpid()), stream)
        return True

    def _lives(self, name: str) -> bool:
        """Whether the owner of an attempt is a process of this machine that runs, or was heard of lately."""
        path = self.folder / name
        try:
            with suppress(ValueError):
                owner = json.loads(path.read_text(encoding='utf-8'))
                if owner['machine'] == _machine() and not _runs(owner['process']):
                    return False
            return self._now() - path.stat().st_mtime < SILENT_SECONDS
        except FileNotFoundError:
            return False

    def _now(self) -> float:
        """The time of the disk, whose clock may differ from ours."""
        clock = self.folder / f'clock-{self._token}'
        clock.touch()
        return clock.stat().st_mtime

    def _beat(self) -> None:
        if self._beating is None:
            self._beating = threading.Thread(target=self._renew, daemon=True)
            self._beating.start()

    def _renew(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            for path in list(self._held.values()):
                with suppress(OSError):
                    os.utime(path)


def _machine() -> str:
    """What tells machines apart, and containers whose processes have the same numbers."""
    space = ''
    with suppress(OSError):
        space = os.readlink('/proc/self/ns/pid')
    return f'{platform.node()} {space}'.strip()


def _runs(process: int) -> bool:
    if os.name != 'posix':
        # Asking would end the process; its silence will tell.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
