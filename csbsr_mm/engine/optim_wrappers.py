"""Mixed precision where there is no GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Train in bfloat16 on the CPU; takes the place of ``AmpOptimWrapper``, which needs a GPU.

    bfloat16 has the exponent range of float32, so that gradients need no loss scaling. ``--amp`` and a
    config's ``AmpOptimWrapper`` become this wrapper where no GPU is found, see
    :func:`csbsr_mm.engine.runtime.prepare_runtime`.

    Args:
        **kwargs: As for MMEngine's ``OptimWrapper``.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(2, 2)
        >>> wrapper = CPUAmpOptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
        >>> with wrapper.optim_context(layer):
        ...     print(layer(torch.ones(1, 2)).dtype)
        torch.bfloat16
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast the forward pass, and hold back gradient synchronisation while accumulating."""
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield
