"""Weighting of loss terms, with the unweighted values kept for the log."""

from __future__ import annotations

from torch import Tensor


def weighted(losses: dict[str, Tensor | list[Tensor]], weight: float) -> dict[str, Tensor | list[Tensor]]:
    """Scale every loss by ``weight`` and keep its unweighted value under a name that is not summed.

    MMEngine adds up what has "loss" in its name; other entries are only logged.

    Args:
        losses: Terms by name, each a tensor or a list of tensors.
        weight: Factor.

    Returns:
        The terms, and beside each ``raw_*``.

    Example:
        >>> import torch
        >>> weighted({'sr.loss_kernel': torch.tensor(2.0)}, 0.5)
        {'sr.loss_kernel': tensor(1.), 'raw_sr.kernel': tensor(2.)}
    """
    result = {}
    for name, value in losses.items():
        if 'loss' not in name:
            result[name] = value
            continue
        values = value if isinstance(value, list) else [value]
        result[name] = [weight * item for item in values] if isinstance(value, list) else weight * value
        result['raw_' + name.replace('loss_', '').replace('loss', 'term')] = sum(
            item.detach().mean() for item in values
        )
    return result
