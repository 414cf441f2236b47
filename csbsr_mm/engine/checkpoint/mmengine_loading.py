"""Make MMEngine read every checkpoint through our reader: ``load_from``, ``--resume``, ``init_cfg``."""

from __future__ import annotations

import os
from typing import Any

from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint

from .download import WEB, downloaded
from .reader import CheckpointError, read_checkpoint

UNPICKLED_BY_MMENGINE = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://')
_originals: dict[str, Any] = {}


def use_reader(trust: bool = False) -> None:
    """Register :func:`read_checkpoint` as MMEngine's loader of files and of URLs, for this process.

    MMEngine unpickles any content of a file. The ``onedl`` release tries the safe way first and falls back to
    the unsafe one; upstream does not check downloads.

    Args:
        trust: See :func:`read_checkpoint`.
    """
    if not _originals:
        _originals.update({name: CheckpointLoader._schemes[name] for name in UNPICKLED_BY_MMENGINE})

    # MMEngine's log says what follows `load_from_`.
    def load_from_file(filename: str, map_location: Any = None) -> dict:
        return read_checkpoint(os.path.expanduser(filename), trust, map_location)

    def load_from_web(
        filename: str, map_location: Any = None, model_dir: str | None = None, **_: Any
    ) -> dict:
        return load_from_file(downloaded(filename, model_dir), map_location)

    def refuse(filename: str, *_args: Any, **_kwargs: Any) -> dict:
        raise CheckpointError(
            f'{filename} can be read only by unpickling whatever it holds; download the file and name it, or '
            f'add --trust-checkpoint if you trust whoever made it'
        )

    CheckpointLoader.register_scheme('', load_from_file, force=True)
    CheckpointLoader.register_scheme(WEB, load_from_web, force=True)
    # torchvision://, open-mmlab:// and mmcls:// look a URL up and call this.
    mmengine_checkpoint.load_from_http = load_from_web
    for name in UNPICKLED_BY_MMENGINE:
        CheckpointLoader.register_scheme(name, _originals[name] if trust else refuse, force=True)
