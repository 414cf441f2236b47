"""MMEngine's local files, written atomically."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from csbsr_mm.utils.atomic_file import write_atomically


@register_backend('atomic', force=True)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend with atomic writing: ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file, all or nothing."""
        write_atomically(filepath, bytes(obj))
