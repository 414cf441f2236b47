"""Find the boundary losses of a model, wherever in it they are."""

from __future__ import annotations

from torch import nn


def boundary_losses(model: nn.Module) -> dict[str, nn.Module]:
    """Losses of a model that have a boundary term, by their names in it; auxiliary heads' included.

    Raises:
        TypeError: There is none.
    """
    found = {
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
