"""Maps of labels that data workers made, brought to the shape of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_of_maps(maps: Sequence[Tensor], label: Tensor, kind: str, transform: str) -> Tensor:
    """Stack the maps of a batch's images, padded with zeros where the labels are padded.

    Args:
        maps: One (K, H', W') map an image.
        label: (B, H, W) labels of the batch; H >= H', W >= W'.
        kind: What the maps are, for the error.
        transform: What makes them, for the error.

    Returns:
        (B, K, H, W) on the device of ``label``.

    Raises:
        ValueError: Number or sizes do not belong to the labels.

    Example:
        >>> batch_of_maps([torch.ones(1, 1, 2)], torch.zeros(1, 1, 3), 'distance maps', 'T').tolist()
        [[[[1.0, 1.0, 0.0]]]]
    """
    height, width = label.shape[1:]
    if len(maps) != len(label) or any(m.shape[1] > height or m.shape[2] > width for m in maps):
        raise ValueError(
            f'precomputed {kind} of sizes {[tuple(m.shape) for m in maps]} do not belong to labels '
            f'{tuple(label.shape)}; nothing after {transform} may crop, resize or mix samples'
        )
    moved = [m.to(label.device, non_blocking=True) for m in maps]
    pads = [(0, width - m.shape[2], 0, height - m.shape[1]) for m in moved]
    return torch.stack([F.pad(m, pad) if any(pad) else m for m, pad in zip(moved, pads, strict=True)])
