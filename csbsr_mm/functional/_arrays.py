"""NumPy in, NumPy out, for functions written on tensors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
import torch

Params = ParamSpec('Params')
Result = TypeVar('Result')


def array_or_tensor(function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Let a function of tensors take arrays as well; its result is of its first argument's kind.

    An array that lies contiguously in memory is not copied.

    Example:
        >>> @array_or_tensor
        ... def double(x: torch.Tensor) -> torch.Tensor:
        ...     return 2 * x
        >>> double(np.array([1.0, 2.0]))
        array([2., 4.])
    """

    @wraps(function)
    def wrapper(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        of_tensors = cast(Callable[..., Any], function)
        result = of_tensors(*map(_as_tensor, args), **{k: _as_tensor(v) for k, v in kwargs.items()})
        first = next(iter((*args, *kwargs.values())))
        return cast(Result, result.numpy() if isinstance(first, np.ndarray) else result)

    return wrapper


def _as_tensor(value: object) -> object:
    return torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
