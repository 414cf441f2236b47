"""Python names that a checkpoint may mention; they are checked before anything is unpickled."""

from __future__ import annotations

import pickletools
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from typing import IO

import torch

from .stand_ins import STAND_IN_NAMES

# Tensors and plain containers need no more. Left out of torch's own list: whatever takes a function as an
# argument, allocates memory by a number in the file, or belongs to tensors that no checkpoint here holds.
PLAIN_NAMES = frozenset(
    {
        '_codecs.encode',
        'builtins.complex',
        'builtins.set',
        'collections.Counter',
        'collections.OrderedDict',
        'torch.Size',
        'torch._utils._rebuild_parameter',
        'torch._utils._rebuild_tensor',
        'torch._utils._rebuild_tensor_v2',
        'torch.device',
        'torch.nn.parameter.Parameter',
    }
)
# A file of torch before 1.6 is a row of pickles: magic number, protocol, system, content, storage keys.
LEGACY_PICKLES = 5


def foreign_names(file: IO[bytes]) -> list[str]:
    """Names in a checkpoint that lead beyond tensors and plain data.

    Args:
        file: Checkpoint, open for reading; the position is moved.

    Returns:
        Full names such as ``os.system``, sorted; empty if there are none.

    Raises:
        ValueError: The file is no pickle.
        zipfile.BadZipFile: The archive is damaged.
    """
    return sorted({name for name in _names(file) if not _is_allowed(name)})


def _is_allowed(name: str) -> bool:
    module, _, attribute = name.rpartition('.')
    if module == 'torch' and (
        attribute.endswith('Storage') or isinstance(getattr(torch, attribute, None), torch.dtype)
    ):
        return True
    return name in PLAIN_NAMES or name in STAND_IN_NAMES


def _names(file: IO[bytes]) -> Iterator[str]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for entry in archive.namelist():
                if entry.endswith('.pkl'):
                    with archive.open(entry) as pickled:
                        yield from _names_in_pickle(pickled)
        return
    file.seek(0)
    for _ in range(LEGACY_PICKLES):
        yield from _names_in_pickle(file)


def _names_in_pickle(file: IO[bytes]) -> Iterator[str]:
    """Names that the next pickle of a file imports. Ways to import that torch never writes are foreign."""
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == 'GLOBAL':
            module, name = str(argument).split(' ', 1)
            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[module, name]
            yield f'{IMPORT_MAPPING.get(module, module)}.{name}'
        elif opcode.name in ('STACK_GLOBAL', 'INST', 'OBJ', 'EXT1', 'EXT2', 'EXT4'):
            yield f'<{opcode.name} {argument or ""}>'
