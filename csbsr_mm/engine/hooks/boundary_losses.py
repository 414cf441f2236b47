"""Find the boundary losses in all parts of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor, nn


class BoundaryLoss(Protocol):
    """Interface of a loss with a boundary term, as hooks use it."""

    fixed_alpha: float | None

    def set_alpha(self, alpha: float) -> None:
        """Set the weight of the boundary term."""

    def set_boundary_maps(self, maps: Sequence[Tensor] | None, normalized: bool = True) -> None:
        """Give the distance maps of the batch that follows."""


def boundary_losses(model: nn.Module) -> dict[str, BoundaryLoss]:
    """Losses of a model that have a boundary term, by their names in it; auxiliary heads' included.

    Raises:
        TypeError: There is none.
    """
    found: dict[str, Any] = {
        name: module
        for name, module in model.named_modules()
        if callable(getattr(module, 'set_alpha', None)) and hasattr(module, 'set_boundary_maps')
    }
    if not found:
        raise TypeError(
            f'{type(model).__name__} has no boundary loss; give a head '
            f"loss_decode=dict(type='BoundaryComboLoss'), or take the boundary hooks out of the config"
        )
    return found
