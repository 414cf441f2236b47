"""Files that are either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

PARTIAL = '.partial'


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that a kill or a power cut leaves either the old or the new content.

    The content goes to ``PATH.partial``, is flushed to the disk, and takes the file's name in one step.

    Args:
        path: file to write; its folder must exist.
        content: what to write.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(f'{folder}/note', b'done')
        ...     os.listdir(folder)
        ['note']
    """
    partial = f'{path}{PARTIAL}'
    with open(partial, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    # The rename itself lives in the folder. Windows opens no folders, and writes the rename by itself.
    try:
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@register_backend('atomic', force=True)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend with atomic writing: ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, all or nothing."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(filepath, bytes(obj))
