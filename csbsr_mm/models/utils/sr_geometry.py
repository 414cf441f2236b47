"""Pixel bookkeeping between an LR input and outputs that are ``scale`` times as large."""

from __future__ import annotations

import torch
from mmseg.models.utils import resize
from torch import Tensor

SIZES = (
    'ori_shape',
    'img_shape',
    'pad_shape',
    'batch_input_shape',
    'padding_size',
    'img_padding_size',
)


def scale_meta(meta: dict, scale: int) -> dict:
    """A copy of an image's meta information, its sizes given in SR instead of LR pixels.

    Example:
        >>> scale_meta(dict(ori_shape=(10, 12), flip=False), 4)
        {'ori_shape': (40, 48), 'flip': False}
    """
    return {
        key: tuple(scale * side for side in value[:4]) if key in SIZES and value is not None else value
        for key, value in meta.items()
    }


def padding_of(meta: dict) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) padding, in the pixels that ``meta`` counts."""
    return tuple(meta.get('img_padding_size') or meta.get('padding_size') or (0, 0, 0, 0))


def valid_mask(metas: list[dict], input_size: tuple[int, int], scale: int) -> Tensor | None:
    """Mask (B, 1, H, W) of the SR pixels that are no padding; None if nothing is padded.

    Args:
        metas: Meta information of each image, in LR pixels.
        input_size: Padded LR height and width.
        scale: SR pixels per LR pixel.
    """
    paddings = [padding_of(meta) for meta in metas]
    if not any(any(padding) for padding in paddings):
        return None
    height, width = (scale * side for side in input_size)
    mask = torch.zeros(len(metas), 1, height, width, dtype=torch.bool)
    for index, padding in enumerate(paddings):
        left, right, top, bottom = (scale * p for p in padding)
        mask[index, :, top : height - bottom, left : width - right] = True
    return mask


def crop_and_unflip(x: Tensor, meta: dict, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Bring one network output (C, H, W) back to the frame of its input photo.

    Args:
        x: Output of the padded, perhaps flipped, input.
        meta: Meta information in the pixels of ``x``.
        size: Height and width to return.
        align_corners: How to resize, if ``size`` differs.

    Raises:
        ValueError: An unknown flip direction.
    """
    left, right, top, bottom = padding_of(meta)
    x = x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
    if meta.get('flip'):
        direction = meta.get('flip_direction')
        dims = {'horizontal': (2,), 'vertical': (1,), 'diagonal': (1, 2)}.get(direction)
        if dims is None:
            raise ValueError(f'flip_direction must be horizontal, vertical or diagonal, got {direction!r}')
        x = x.flip(dims)
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return resize(x[None], size, mode='bilinear', align_corners=align_corners)[0]
