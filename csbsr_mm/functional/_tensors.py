"""Telling tensors from arrays without importing torch: whoever passes a tensor has imported it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import TypeIs

ArrayOrTensor = TypeVar('ArrayOrTensor', NDArray, 'Tensor')


def is_tensor(value: object) -> TypeIs[Tensor]:
    """Whether a value is a torch tensor.

    Example:
        >>> import numpy as np
        >>> is_tensor(np.zeros(2))
        False
    """
    torch = sys.modules.get('torch')
    return torch is not None and isinstance(value, torch.Tensor)


def is_on_device(value: Tensor) -> bool:
    """Whether a tensor lives on an accelerator."""
    return value.device.type != 'cpu'


def is_compiling() -> bool:
    """Whether ``torch.compile`` or ``torch.export`` is reading the calling function.

    Tensors have no values then. False below PyTorch 2.4, whose compiled code cannot call custom operators.

    Example:
        >>> is_compiling()
        False
    """
    torch = sys.modules.get('torch')
    return torch is not None and hasattr(torch.library, 'custom_op') and torch.compiler.is_compiling()
