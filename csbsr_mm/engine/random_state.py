"""State of a process's random generators, for checkpoints."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def get_random_state() -> dict[str, Any]:
    """State of Python's, NumPy's and PyTorch's generators (this process's GPU included).

    Only numbers, lists and tensors, so that ``torch.load(weights_only=True)`` reads it.
    """
    # The global generator, because that is what other libraries' transforms draw from.
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    numbers = np.asarray(keys).tolist()
    state = dict(python=random.getstate(), numpy=[name, numbers, *rest], torch=torch.get_rng_state())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what :func:`get_random_state` returned.

    Example:
        >>> state = get_random_state()
        >>> first = (random.random(), np.random.rand(), torch.rand(1).item())
        >>> set_random_state(state)
        >>> first == (random.random(), np.random.rand(), torch.rand(1).item())
        True
    """
    version, keys, gauss = state['python']
    random.setstate((version, tuple(keys), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, np.array(keys, np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
