"""Wide maps that are cheap to compute are computed again in the backward pass instead of being kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch.utils.checkpoint import checkpoint

Result = TypeVar('Result')


def checkpointed(part: Callable[..., Result], *args: Any, enabled: bool = True) -> Result:
    """``part(*args)``, of which autograd keeps the arguments alone.

    For parts without random numbers and without batch norm, whose inner maps are much larger than their
    arguments, or kept a second time only for an activation's gradient.

    Args:
        part: Function or module.
        args: Its arguments.
        enabled: False keeps everything, as usual.

    Example:
        >>> x = torch.tensor([2.0], requires_grad=True)
        >>> checkpointed(lambda x: (x**2).exp().log(), x).backward()
        >>> x.grad
        tensor([4.])
    """
    if enabled and torch.is_grad_enabled():
        return checkpoint(part, *args, use_reentrant=False, preserve_rng_state=False)
    return part(*args)
