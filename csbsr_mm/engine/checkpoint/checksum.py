"""Checksums of the weights, stored in the checkpoint."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

KEY = 'weights_crc32'
PARTS = ('state_dict', 'ema_state_dict')


def add_checksums(checkpoint: dict) -> None:
    """Note the checksums of a checkpoint's weights in its ``meta``, before it is written.

    Args:
        checkpoint: What will be saved; changed in place.
    """
    checkpoint.setdefault('meta', {})[KEY] = {
        part: {name: crc32(value) for name, value in checkpoint[part].items() if isinstance(value, Tensor)}
        for part in PARTS
        if isinstance(checkpoint.get(part), Mapping)
    }


def check_weights(checkpoint: Mapping[str, Any]) -> None:
    """Compare a checkpoint's weights with the checksums in its ``meta``.

    Args:
        checkpoint: What was read. Without checksums there is nothing to compare.

    Raises:
        ValueError: Weights differ from what was written; names the first of them.
    """
    meta = checkpoint.get('meta')
    noted = meta.get(KEY) if isinstance(meta, dict) else None
    for part, sums in noted.items() if isinstance(noted, dict) else ():
        weights = checkpoint.get(part)
        if not isinstance(weights, Mapping) or not isinstance(sums, dict):
            continue
        wrong = [name for name, value in sums.items() if name in weights and crc32(weights[name]) != value]
        if wrong:
            raise ValueError(
                f'{len(wrong)} of {len(sums)} weights in {part} are not as written, first {wrong[0]}'
            )


def crc32(value: Tensor) -> int:
    """CRC-32 of a tensor's bytes, wherever it lies.

    Args:
        value: Tensor of any shape, dtype and device.

    Example:
        >>> crc32(torch.zeros(2)) == zlib.crc32(bytes(8))
        True
    """
    content = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return zlib.crc32(content.numpy().data)
