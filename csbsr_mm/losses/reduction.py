"""From one loss per image to what a training loop asks for."""

from __future__ import annotations

from torch import Tensor

REDUCTIONS = ('none', 'mean', 'sum')


def check_reduction(reduction: str) -> None:
    """Refuse what is no reduction.

    Raises:
        ValueError: It is none of :data:`REDUCTIONS`.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction must be one of {", ".join(map(repr, REDUCTIONS))}, got {reduction!r}')


def reduced(per_image: Tensor, reduction: str, avg_factor: float | None = None) -> Tensor:
    """Reduce losses (B,).

    Args:
        per_image: (B,).
        reduction: ``'mean'``, ``'sum'``, or ``'none'`` for no reduction.
        avg_factor: With ``'mean'``, divide the sum by this instead of by B.

    Raises:
        ValueError: ``reduction`` is none of these, or a sum is asked for with an ``avg_factor``.
    """
    check_reduction(reduction)
    if avg_factor is not None and reduction == 'sum':
        raise ValueError("avg_factor can not be used with reduction='sum'; use 'mean'")
    if reduction == 'none':
        return per_image
    if avg_factor is not None:
        return per_image.sum() / avg_factor
    return per_image.mean() if reduction == 'mean' else per_image.sum()
