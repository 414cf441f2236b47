"""Reductions of one loss per image."""

from __future__ import annotations

from torch import Tensor

from csbsr_mm.utils.checks import check_choice

REDUCTIONS = ('none', 'image', 'mean', 'sum')


def check_reduction(reduction: str) -> None:
    """Refuse an unknown reduction.

    Raises:
        ValueError: It is none of :data:`REDUCTIONS`.
    """
    check_choice('reduction', reduction, REDUCTIONS)


def reduced(per_image: Tensor, reduction: str, avg_factor: float | None = None) -> Tensor:
    """Reduce losses (B,).

    Args:
        per_image: (B,).
        reduction: ``'mean'``, ``'sum'``, or ``'image'`` for one each.
        avg_factor: With ``'mean'``, divide the sum by this instead of by B.

    Returns:
        Scalar, 0 of an empty batch; or (B,).

    Raises:
        ValueError: ``reduction`` is none of these, or a sum is asked for with an ``avg_factor``.

    Example:
        >>> import torch
        >>> reduced(torch.tensor([1.0, 2.0]), 'mean'), reduced(torch.zeros(0), 'mean')
        (tensor(1.5000), tensor(0.))
    """
    check_reduction(reduction)
    if reduction == 'none':
        raise ValueError("losses of images can not be reduced to pixels by 'none'; call spread")
    if avg_factor is not None and reduction == 'sum':
        raise ValueError("avg_factor can not be used with reduction='sum'; use 'mean'")
    if reduction == 'image':
        return per_image
    if reduction == 'mean' and avg_factor is not None:
        return per_image.sum() / avg_factor
    return per_image.mean() if reduction == 'mean' and len(per_image) else per_image.sum()


def spread(per_image: Tensor, label: Tensor, ignore_index: int | None) -> Tensor:
    """Give every known pixel the loss of its image: reduction ``'none'`` of a loss that has no pixels.

    Args:
        per_image: (B,).
        label: (B, H, W) or (B, 1, H, W) class of each pixel.
        ignore_index: Label of pixels that get 0, or None.

    Returns:
        (B, H, W). The mean over the known pixels of an image is the image's loss.

    Example:
        >>> import torch
        >>> spread(torch.tensor([2.0]), torch.tensor([[[0, 1, 255]]]), 255)
        tensor([[[2., 2., 0.]]])
    """
    label = label[:, 0] if label.dim() == 4 else label
    pixels = per_image[:, None, None].expand(label.shape)
    return pixels if ignore_index is None else pixels * (label != ignore_index)
