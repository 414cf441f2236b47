"""Reach the model that a schedule steers, through whatever wraps it."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside a distributed wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def scheduled_model(runner, needs: str, hook: object) -> nn.Module:
    """The runner's model, which must have the method ``needs``.

    Raises:
        TypeError: the model has no such method.
    """
    model = unwrap(runner.model)
    if not hasattr(model, needs):
        raise TypeError(
            f'{type(hook).__name__} steers models with `{needs}`, such as BlindSRSegmentor; '
            f'{type(model).__name__} has none: take the hook out of the config'
        )
    return model
