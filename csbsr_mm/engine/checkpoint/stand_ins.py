"""Inert classes that take the place of MMEngine's and NumPy's while a checkpoint is read.

MMEngine pickles its log history: NumPy arrays in ``HistoryBuffer`` objects, with their methods. To rebuild
those, an unpickler needs ``getattr`` and a class that takes any state, which together run any program. Here
the names stand for classes and functions that only store their arguments. :func:`to_plain_data` then checks
every value and rebuilds arrays and histories.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

DTYPES = frozenset('?bhilqBHILQefd') | {f'{kind}{size}' for kind in 'biuf' for size in (1, 2, 4, 8)}
DEPTH = 60


class _StandIn:
    """Keeps arguments and state, and does nothing with them."""

    __slots__ = ('arguments', 'state')
    arguments: tuple[Any, ...]
    state: Any

    def __new__(cls, *arguments: Any) -> _StandIn:
        self = super().__new__(cls)
        self.arguments, self.state = arguments, None
        return self

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _History(_StandIn):
    __slots__ = ()


class _Array(_StandIn):
    __slots__ = ()


class _DType(_StandIn):
    __slots__ = ()


class _Method(_StandIn):
    """What ``getattr`` would have looked up: methods of HistoryBuffer, which the class has anyway."""

    __slots__ = ()


def _named(name: str, kind: type[_StandIn]) -> Callable:
    """A class or function that torch's unpickler takes for ``name``."""
    made = type(kind.__name__, (kind,), dict(__slots__=()))
    made.__module__, _, made.__qualname__ = name.rpartition('.')
    made.__name__ = made.__qualname__
    return made


_KINDS = {
    'mmengine.logging.history_buffer.HistoryBuffer': _History,
    'builtins.getattr': _Method,
    'numpy.ndarray': _StandIn,
    'numpy.dtype': _DType,
    **{
        f'numpy.{core}.multiarray.{function}': _Array
        for core in ('core', '_core')
        for function in ('_reconstruct', 'scalar')
    },
}
STAND_INS = [_named(name, kind) for name, kind in _KINDS.items()]
STAND_IN_NAMES = frozenset(_KINDS)


def to_plain_data(value: Any, _done: dict[int, Any] | None = None, _depth: int = 0) -> Any:
    """Rebuild what was read, from scratch, out of tensors, numbers, strings and plain containers.

    Args:
        value: What torch's unpickler made of a file.

    Returns:
        The same content. Stand-ins have become NumPy arrays and ``HistoryBuffer`` objects; tensors carry
        no hooks, containers no attributes but ``_metadata`` of a state dict.

    Raises:
        ValueError: Something else is in it, or it is nested too deeply.
    """
    done = {} if _done is None else _done
    if id(value) in done:
        return done[id(value)][0]
    if _depth > DEPTH:
        raise ValueError(f'containers are nested more than {DEPTH} deep')
    plain = _convert(value, lambda item: to_plain_data(item, done, _depth + 1))
    done[id(value)] = (plain, value)  # The value too, so that its id stays its own.
    return plain


def _convert(value: Any, convert: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if value is None or kind in (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        torch.dtype,
        torch.device,
        torch.Size,
    ):
        return value
    if kind in (Tensor, torch.nn.Parameter):
        return value.detach()
    if kind in (list, tuple, set):
        return kind(convert(item) for item in value)
    if kind in (dict, OrderedDict, Counter):
        plain: Any = kind({convert(key): convert(item) for key, item in dict.items(value)})
        if kind is not dict and vars(value):
            if vars(value).keys() != {'_metadata'}:
                raise ValueError(
                    f'a {kind.__name__} has attributes of its own: {", ".join(map(str, vars(value)))}'
                )
            plain._metadata = convert(vars(value)['_metadata'])
        return plain
    if isinstance(value, _History):
        return _history(convert(value.state))
    if isinstance(value, _Array):
        return _array(value)
    if isinstance(value, _Method):
        return None
    raise ValueError(f'there is a {kind.__module__}.{kind.__qualname__} in it')


def _history(state: Any) -> HistoryBuffer:
    if not isinstance(state, dict):
        raise ValueError('a log history has no state')
    return make_history(state.get('_log_history'), state.get('_count_history'), state.get('max_length'))


def make_history(values: Any, counts: Any, max_length: Any) -> HistoryBuffer:
    """A log history from plain data.

    Args:
        values: Logged numbers, (N,).
        counts: How many each stands for, (N,).
        max_length: How many are kept at most.

    Raises:
        ValueError: These are no numbers, or not equally many.
    """
    try:
        values, counts = np.asarray(values), np.asarray(counts)
        fits = values.shape == counts.shape and values.ndim == 1 and int(max_length) == max_length > 0
        fits &= all(array.dtype.kind in 'biuf' for array in (values, counts))
    except (TypeError, ValueError, RuntimeError):
        fits = False
    if not fits:
        raise ValueError('a log history does not hold equally many values and counts')
    return HistoryBuffer(values, counts, max_length)


def _array(value: _Array) -> Any:
    """A NumPy array, or a scalar, from its stand-in; numbers only."""
    try:
        if value.state is None:
            dtype, content = value.arguments
            return np.frombuffer(content, _dtype(dtype))[0].item()
        _, shape, dtype, fortran, content = value.state
        if isinstance(content, str):
            content = content.encode('latin1')
        return np.frombuffer(content, _dtype(dtype)).reshape(shape, order='F' if fortran else 'C').copy()
    except (TypeError, ValueError, IndexError, UnicodeError) as error:
        raise ValueError(f'a NumPy array in it cannot be rebuilt ({error})') from error


def _dtype(value: Any) -> np.dtype:
    code = value.arguments[0] if isinstance(value, _DType) and value.arguments else None
    if not isinstance(code, str) or code not in DTYPES:
        raise ValueError(f'its dtype {code!r} is not one of plain numbers')
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else None
    plain = np.dtype(code)
    if order == '<':
        return plain.newbyteorder('<')
    return plain.newbyteorder('>') if order == '>' else plain
