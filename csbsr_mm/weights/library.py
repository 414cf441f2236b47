"""Model files: weights with the model's own config inside, found by name, path or URL."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .tensor_file import SUFFIX, TensorFileError, read_metadata, read_tensors

FOLDER = Path(__file__).parent
DEFAULT = 'rendered'
FORMAT = 'csbsr_mm model 1'
WEB = ('http://', 'https://')
MARK = '#sha256='
"""What stands between a URL and the checksum that its file must have."""


@dataclass(frozen=True)
class ModelFile:
    """A file with weights and the config of their model.

    Attributes:
        path: The file.
        metadata: Its strings, see :func:`~csbsr_mm.weights.export.export_weights`.
    """

    path: Path
    metadata: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.metadata['name']

    @cached_property
    def model(self) -> dict[str, Any]:
        """Config of the model."""
        return json.loads(self.metadata['model'])

    @cached_property
    def dataset_meta(self) -> dict[str, Any]:
        """Names and colours of the classes."""
        return json.loads(self.metadata.get('dataset_meta', '{}'))

    @cached_property
    def card(self) -> dict[str, Any]:
        """What is known about the weights: data, recipe, licence, figures."""
        return json.loads(self.metadata.get('card', '{}'))

    def read(self) -> dict[str, Tensor]:
        """The weights, in the precision of the file.

        Raises:
            TensorFileError: The file is damaged.
        """
        weights, _ = read_tensors(self.path)
        if checksum(weights) != self.metadata.get('sha256'):
            raise TensorFileError(f'the weights in {self.path} are not as written; get the file again')
        return weights


def list_weights() -> dict[str, ModelFile]:
    """The weights on board, by name."""
    return {path.stem: _described(path) for path in sorted(FOLDER.glob(f'*{SUFFIX}'))}


def open_weights(source: str | Path = DEFAULT) -> ModelFile:
    """Find a model file.

    Args:
        source: A name of :func:`list_weights`; the path of a file; or a URL, ``#sha256=`` and the checksum of
            its file (64 hexadecimal digits), which is downloaded once.

    Returns:
        The file, of which only the metadata was read.

    Raises:
        FileNotFoundError: There is no such name and no such file.
        TensorFileError: The file is no model file, or not the one that the checksum belongs to.
        ValueError: A URL comes without a checksum.
    """
    text = str(source)
    if text.startswith(WEB):
        return _described(_downloaded(text))
    if Path(text).is_file():
        return _described(Path(text))
    path = FOLDER / f'{text}{SUFFIX}'
    if Path(text).name != text or not path.is_file():
        known = ', '.join(list_weights()) or 'none'
        raise FileNotFoundError(f'there are no weights {text}; on board: {known}; or give the path of a file')
    return _described(path)


def checksum(weights: dict[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values of weights, in the order of their names.

    Example:
        >>> a, b = dict(x=torch.ones(2), y=torch.zeros(1)), dict(y=torch.zeros(1), x=torch.ones(2))
        >>> checksum(a) == checksum(b) != checksum(dict(x=torch.ones(2)))
        True
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _described(path: Path) -> ModelFile:
    metadata = read_metadata(path)
    if metadata.get('format') != FORMAT:
        raise TensorFileError(
            f'{path} holds no model of csbsr_mm (format {metadata.get("format")!r}, expected {FORMAT!r}); '
            'write one with `csbsr weights export`'
        )
    return ModelFile(path, metadata)


def _downloaded(source: str) -> Path:
    from csbsr_mm.engine.checkpoint.download import downloaded

    url, _, expected = source.partition(MARK)
    if len(expected) != 64:
        raise ValueError(f'{url} needs the checksum of its file: {url}{MARK}...')
    path = Path(downloaded(url))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.lower():
        raise TensorFileError(f'{path} from {url} has the checksum {found}, expected {expected}; remove it')
    return path
