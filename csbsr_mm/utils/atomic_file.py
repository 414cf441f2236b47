"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = '.partial'


def write_atomically(path: str | Path, content: bytes, durable: bool = True) -> None:
    """Write a file so that a kill leaves either the old or the new content.

    The content goes to ``PATH.partial``, which takes the file's name in one step.

    Args:
        path: File to write; its folder is made if need be.
        content: What to write.
        durable: Whether content and name are flushed to the disk, so that the file survives a power cut too.
            A flush can take tens of milliseconds; a file that can be made again does not need it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(f'{folder}/note', b'done')
        ...     os.listdir(folder)
        ['note']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    with open(partial, 'wb') as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    os.replace(partial, path)
    if durable:
        _flush_folder(path)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path, whose file takes the place of ``path`` only if the block ends well.

    This serves writers that want a file name and choose the format by its suffix. Two processes that write
    one file do not disturb each other; the last one's stays. Nothing is flushed to the disk. The temporary
    file is deleted if the block raises.

    Args:
        path: File to write; its folder is made if need be.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(f'{folder}/photo.png') as temporary:
        ...         print(temporary.suffix, temporary.write_bytes(b'done'))
        ...     os.listdir(folder)
        .png 4
        ['photo.png']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.stem}{PARTIAL}-{os.getpid()}{path.suffix}')
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush_folder(path: Path) -> None:
    """Flush a file's name, which lives in its folder."""
    try:
        folder = os.open(path.absolute().parent, os.O_RDONLY)
    except PermissionError:
        return  # Windows cannot open folders, and flushes names itself.
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
