"""Read checkpoints as data, never as code; no other module reads them."""

from __future__ import annotations

import contextlib
import pickle
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from csbsr_mm.weights import TensorFileError, open_weights
from csbsr_mm.weights.tensor_file import SUFFIX

from .allowed_globals import foreign_names
from .checksum import check_weights
from .download import WEB, downloaded
from .message_hub import restore_message_hub
from .stand_ins import STAND_INS, to_plain_data

CHUNK = 1 << 22
TRUST_HELP = 'also read checkpoints that could run code; only for files from people you trust'
_READING = threading.RLock()


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or needs trust."""


def read_checkpoint(path: str | Path, trust: bool = False, map_location: Any = 'cpu') -> dict:
    """Read a checkpoint file.

    Unless it is trusted, a file may hold tensors, numbers, strings, plain containers, and the log history
    and NumPy arrays of MMEngine; other names in it are refused before anything is unpickled. Every byte is
    checked against the archive's checksums, and the weights against the one in ``meta``, if there is one.

    Args:
        path: File that ``torch.save`` wrote, or its URL; or a model file (``.safetensors``), of which weights
            and classes are taken.
        trust: Unpickle arbitrary objects as well. Such a file can run any program while it is read; allow
            it only for files from people you trust.
        map_location: As in ``torch.load``.

    Returns:
        What the file holds, a dict; of a bare state dict, the state dict.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is damaged, needs trust, or is no checkpoint.
    """
    if str(path).startswith(WEB):
        path = downloaded(str(path))
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    if Path(path).suffix == SUFFIX:
        return _from_model_file(Path(path))
    with open(path, 'rb') as file:
        _check_bytes(file, path)
        if trust:
            content = _unpickle(file, path, map_location, weights_only=False)
        else:
            _check_names(file, path)
            with _only_stand_ins():
                content = _unpickle(file, path, map_location, weights_only=True)
    if not isinstance(content, dict):
        raise CheckpointError(f'{path} is no checkpoint: it holds a {type(content).__name__}, no state_dict')
    try:
        content = _disarm(content if trust else to_plain_data(content), Path(path))
        check_weights(content)
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f'checkpoint {path} is not read: {error}') from error
    return content


def read_weights(path: str | Path, trust: bool = False) -> dict[str, Tensor]:
    """Parameters and buffers of a checkpoint.

    Args:
        path: File or URL.
        trust: See :func:`read_checkpoint`.

    Returns:
        Tensors by name, without a leading ``module.``.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file cannot be read, or holds no weights.
    """
    return weights_of(read_checkpoint(path, trust), path)


def weights_of(content: dict, path: str | Path) -> dict[str, Tensor]:
    """Parameters and buffers of what was read from a file.

    Args:
        content: What :func:`read_checkpoint` returned.
        path: The file, for the message.

    Returns:
        Tensors by name, without a leading ``module.``.

    Raises:
        CheckpointError: There are no weights, or they are not tensors.
    """
    weights = content.get('state_dict', content)
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f'{path} is no checkpoint of a model: it holds no state_dict of tensors')
    return {str(name).removeprefix('module.'): value for name, value in weights.items()}


def check_file(path: str | Path) -> None:
    """Check that a checkpoint file is complete, without unpickling it.

    Args:
        path: File that ``torch.save`` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is truncated, damaged, or none.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    with open(path, 'rb') as file:
        _check_bytes(file, path)


def _from_model_file(path: Path) -> dict:
    try:
        file = open_weights(path)
        return dict(state_dict=file.read(), meta=dict(dataset_meta=file.dataset_meta))
    except TensorFileError as error:
        raise CheckpointError(f'checkpoint {path} is not read: {error}') from error


def _check_bytes(file: IO[bytes], path: str | Path) -> None:
    """Compare every part of the archive with its checksum. Files of torch before 1.6 have none."""
    try:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            if file.read(1) != pickle.PROTO:
                raise zipfile.BadZipFile('it is neither an archive nor a pickle')
            return
        with zipfile.ZipFile(file) as archive:
            if len(set(archive.namelist())) < len(archive.namelist()):
                raise zipfile.BadZipFile('it holds two parts of one name')
            for entry in archive.infolist():
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise zipfile.BadZipFile('it is compressed; torch writes plain archives')
                with archive.open(entry) as part:
                    while part.read(CHUNK):
                        pass
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise CheckpointError(f'checkpoint {path} is truncated, damaged, or none: {error}') from error
    finally:
        file.seek(0)


def _check_names(file: IO[bytes], path: str | Path) -> None:
    try:
        names = foreign_names(file)
    except Exception as error:
        raise CheckpointError(f'checkpoint {path} is truncated, damaged, or none: {error}') from error
    finally:
        file.seek(0)
    if names:
        more = ', ...' if len(names) > 3 else ''
        raise CheckpointError(
            f'{path} holds more than weights ({", ".join(names[:3])}{more}) and is not read, because that '
            f'could run code from the file. If you trust whoever made it: --trust-checkpoint (or trust=True)'
        )


def _unpickle(file: IO[bytes], path: str | Path, map_location: Any, weights_only: bool) -> Any:
    try:
        return torch.load(file, map_location=map_location, weights_only=weights_only)
    except Exception as error:  # What a damaged pickle raises can be anything.
        reason = str(error).split('WeightsUnpickler error: ')[-1].strip().split('\n')[0]
        raise CheckpointError(
            f'checkpoint {path} is truncated, damaged, or none ({type(error).__name__}: {reason})'
        ) from error


@contextlib.contextmanager
def _only_stand_ins() -> Iterator[None]:
    """Resolve the names that MMEngine pickles to stand-ins, and allow no other name in this context."""
    names = {f'{item.__module__}.{item.__qualname__}' for item in STAND_INS}
    serialization = torch.serialization
    with _READING:
        before = serialization.get_safe_globals()
        rivals = [item for item in before if _name_of(item) in names]
        _set_safe_globals([item for item in before if item not in rivals] + STAND_INS)
        try:
            yield
        finally:
            now = [item for item in serialization.get_safe_globals() if item not in STAND_INS]
            _set_safe_globals(now + rivals)


def _name_of(item: Any) -> str:
    return item[1] if isinstance(item, tuple) else f'{item.__module__}.{item.__qualname__}'


def _set_safe_globals(items: list) -> None:
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(items)


def _disarm(content: dict, path: Path) -> dict:
    """Take out what MMEngine would execute or delete when a run is resumed from the file."""
    meta = content.get('meta')
    if isinstance(meta, dict):
        meta.pop('config', None)  # Runner.resume runs it as a program.
    if 'message_hub' in content:
        content['message_hub'] = restore_message_hub(content['message_hub'], path.parent)
    return content
