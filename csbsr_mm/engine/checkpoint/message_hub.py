"""MMEngine's log history and notes as plain data, which torch reads by default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from .stand_ins import make_history

PARTS = ('log_scalars', 'runtime_info', 'resumed_keys')


def plain_message_hub(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a ``MessageHub`` without objects of MMEngine or NumPy.

    Args:
        state: What ``MessageHub.state_dict()`` returned.

    Returns:
        A dict with the same parts; :func:`restore_message_hub` is the way back.
    """
    return dict(
        log_scalars={name: _plain_history(history) for name, history in state['log_scalars'].items()},
        runtime_info={name: plain_value(value) for name, value in state['runtime_info'].items()},
        resumed_keys=dict(state['resumed_keys']),
    )


def _plain_history(history: HistoryBuffer) -> dict[str, Any]:
    values, counts = (torch.from_numpy(np.array(array)) for array in history.data)
    return dict(values=values, counts=counts, max_length=history.max_length)


def plain_value(value: Any) -> Any:
    """A value without NumPy's types: arrays become tensors, its numbers become Python's.

    Args:
        value: Numbers, strings, tensors, arrays, or containers of them.

    Example:
        >>> plain_value({'best': np.float64(0.5), 'ids': (1, 2)})
        {'best': 0.5, 'ids': (1, 2)}
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy()) if value.dtype.kind in 'biuf' else plain_value(value.tolist())
    if isinstance(value, Mapping):
        return {plain_value(key): plain_value(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain_value(item) for item in value)
    return value


def restore_message_hub(state: Any, folder: Path) -> dict[str, Any]:
    """What ``MessageHub.load_state_dict`` takes, from plain data or from MMEngine's own format.

    MMEngine deletes the files that the notes call outdated, wherever they are. So names of the best
    checkpoints are taken to lie beside the checkpoint, and the numbers of those to keep must be numbers.

    Args:
        state: The part ``message_hub`` of a checkpoint.
        folder: Where the checkpoint lies.

    Raises:
        ValueError: The state is not of that kind.
    """
    if not isinstance(state, dict) or not all(isinstance(state.get(part), dict) for part in PARTS):
        raise ValueError(f'its message_hub has not the parts {", ".join(PARTS)}')
    info = dict(state['runtime_info'])
    kept = info.get('keep_ckpt_ids')
    if kept is not None and not (isinstance(kept, list) and all(type(step) is int for step in kept)):
        raise ValueError('its keep_ckpt_ids are no iterations')
    for name, value in info.items():
        if name.startswith('best_ckpt'):
            if not isinstance(value, str) or not Path(value).name.startswith('best_'):
                raise ValueError(f'its {name} is no checkpoint of a run')
            info[name] = str(folder / Path(value).name)
    scalars = {name: _history(value) for name, value in state['log_scalars'].items()}
    return dict(log_scalars=scalars, runtime_info=info, resumed_keys=dict(state['resumed_keys']))


def _history(value: Any) -> HistoryBuffer:
    if isinstance(value, HistoryBuffer):
        return value
    if not isinstance(value, dict):
        raise ValueError('a log history in it is of an unknown kind')
    return make_history(value.get('values'), value.get('counts'), value.get('max_length'))
