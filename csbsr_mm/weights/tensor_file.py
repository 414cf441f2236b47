"""The safetensors format: tensors and a few strings in a file that can hold no code.

A file is eight bytes with the length of the header (little endian), the header, JSON that gives each tensor's
type, shape and place, and the tensors' bytes one after the other. ``__metadata__`` holds strings.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from csbsr_mm.utils.atomic_file import write_atomically

SUFFIX = '.safetensors'
METADATA = '__metadata__'
DTYPES = {
    'F64': torch.float64,
    'F32': torch.float32,
    'F16': torch.float16,
    'BF16': torch.bfloat16,
    'I64': torch.int64,
    'I32': torch.int32,
    'I16': torch.int16,
    'I8': torch.int8,
    'U8': torch.uint8,
    'BOOL': torch.bool,
}
LARGEST_HEADER = 100_000_000
"""Bytes; the format allows no more."""


class TensorFileError(ValueError):
    """A file is no safetensors file, or a damaged one."""


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all.

    Args:
        path: File to write; its folder is made if need be.
        tensors: Tensors by name, of any shape and of a type in :data:`DTYPES`.
        metadata: Strings by name.

    Raises:
        TypeError: A tensor's type is not in the format.
    """
    names = {dtype: name for name, dtype in DTYPES.items()}
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    parts, position = [], 0
    for name, value in tensors.items():
        if value.dtype not in names:
            raise TypeError(f'{name} is {value.dtype}, which a {SUFFIX} file cannot hold')
        part = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        place = [position, position + len(part)]
        header[name] = dict(dtype=names[value.dtype], shape=list(value.shape), data_offsets=place)
        parts.append(part)
        position = place[1]
    head = json.dumps(header, separators=(',', ':'), ensure_ascii=False).encode()
    head += b' ' * (-len(head) % 8)
    write_atomically(path, b''.join([struct.pack('<Q', len(head)), head, *parts]))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Args:
        path: The file.

    Returns:
        Tensors by name, and the metadata.

    Raises:
        FileNotFoundError: There is no such file.
        TensorFileError: The file is damaged or no safetensors file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_tensors(f'{folder}/a.safetensors', dict(x=torch.ones(2)), dict(by='me'))
        ...     read_tensors(f'{folder}/a.safetensors')
        ({'x': tensor([1., 1.])}, {'by': 'me'})
    """
    header, data = _split(Path(path))
    metadata = header.pop(METADATA, {})
    try:
        _check_layout(header, len(data))
        tensors = {name: _tensor(entry, data) for name, entry in header.items()}
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TensorFileError(f'{path} is damaged: {error}; get it again') from error
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise TensorFileError(f'{path} is damaged: {METADATA} holds more than strings; get it again')
    return tensors, metadata


def read_metadata(path: str | Path) -> dict[str, str]:
    """The strings of a safetensors file, without its tensors; errors as of :func:`read_tensors`."""
    metadata = _split(Path(path), with_data=False)[0].get(METADATA, {})
    return {str(name): str(value) for name, value in metadata.items()}


def _split(path: Path, with_data: bool = True) -> tuple[dict[str, Any], bytearray]:
    """Header and data of a file."""
    with path.open('rb') as file:
        size = path.stat().st_size
        length = struct.unpack('<Q', file.read(8).ljust(8, b'\xff'))[0]
        if length > min(LARGEST_HEADER, size - 8):
            raise TensorFileError(f'{path} is no {SUFFIX} file, or is cut off; get it again')
        try:
            header = json.loads(file.read(length).decode())
            if not isinstance(header, dict):
                raise ValueError('its header is no JSON object')
        except (ValueError, RecursionError) as error:
            raise TensorFileError(f'{path} is no {SUFFIX} file: {error}') from error
        return header, bytearray(file.read()) if with_data else bytearray()


def _check_layout(header: dict[str, Any], size: int) -> None:
    """Tensors must fill the data without holes or overlaps, as the format demands."""
    end = 0
    for start, stop in sorted(tuple(entry['data_offsets']) for entry in header.values()):
        if start != end or stop < start:
            raise ValueError(f'tensors leave a hole or overlap at byte {end}')
        end = stop
    if end != size:
        raise ValueError(f'it holds {size} bytes of tensors instead of {end}')


def _tensor(entry: dict[str, Any], data: bytearray) -> Tensor:
    dtype, shape, (start, stop) = DTYPES[entry['dtype']], entry['shape'], entry['data_offsets']
    if math.prod(shape) * dtype.itemsize != stop - start or min(shape, default=0) < 0:
        raise ValueError(f'a tensor of shape {shape} has {stop - start} bytes')
    if start == stop:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(data[start:stop], dtype=dtype).reshape(shape)
