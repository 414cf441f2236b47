"""Find the model that a schedule controls, inside its wrapper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn


class ScheduledModel(Protocol):
    """Interface of a joint model, as hooks use it; ``TrainingStateMixin`` implements it."""

    kernel_only: bool
    parameters: Callable[[], Iterator[nn.Parameter]]

    @property
    def task_weight(self) -> float:
        """β."""

    @property
    def use_gt_kernel(self) -> bool:
        """Whether the SR network gets the true blur kernel."""

    def set_task_weight(self, value: float) -> None:
        """Set β."""

    def set_use_gt_kernel(self, value: bool) -> None:
        """Choose the true or the predicted blur kernel."""

    def set_training_stage(self, index: int) -> None:
        """Note the stage."""

    def set_trainable(self, trainable: Sequence[str] | None, frozen: Sequence[str]) -> None:
        """Choose the parts that learn."""


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside a distributed wrapper, or the model itself."""
    return model.get_submodule('module') if is_model_wrapper(model) else model


def scheduled_model(runner: Runner, needs: str, hook: object) -> ScheduledModel:
    """The runner's model, which must have the method ``needs``.

    Raises:
        TypeError: The model has no such method.
    """
    model: Any = unwrap(runner.model)
    if not hasattr(model, needs):
        raise TypeError(
            f'{type(hook).__name__} steers models with `{needs}`, such as BlindSRSegmentor; '
            f'{type(model).__name__} has none: take the hook out of the config'
        )
    return model
