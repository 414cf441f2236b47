"""The CPU's distance kernels as operators of PyTorch, so that compiled code calls them without a graph break.

``torch.compile`` cannot trace NumPy, SciPy or Numba. It calls a custom operator without tracing it, and needs
only shape and type of its result. Eager code calls the kernels directly.
"""

import torch
from torch import Tensor

from . import maps


@torch.library.custom_op('csbsr_mm::distance_to', mutates_args=(), device_types='cpu')
def distance_to(mask: Tensor) -> Tensor:
    """See :func:`csbsr_mm.functional.distance.distance_to`."""
    return maps.distance_to(mask)


@torch.library.custom_op('csbsr_mm::signed_distance', mutates_args=(), device_types='cpu')
def signed_distance(mask: Tensor, normalize: bool, ignore: Tensor | None) -> Tensor:
    """See :func:`csbsr_mm.functional.distance.signed_distance`."""
    return maps.signed_distance(mask, normalize, ignore)


@distance_to.register_fake
def _(mask: Tensor) -> Tensor:
    return mask.new_empty(mask.shape, dtype=torch.float32)


@signed_distance.register_fake
def _(mask: Tensor, normalize: bool, ignore: Tensor | None) -> Tensor:  # noqa: ARG001  the operator's signature
    return mask.new_empty(mask.shape, dtype=torch.float32)
