"""Refuse to test a model on a checkpoint that holds only a part of it."""

from __future__ import annotations

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from csbsr_mm.models.utils.checkpoint_check import expected_weights

REMEDY = 'use the config that the checkpoint was trained with'


def check_for_testing(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Check that a checkpoint fits the whole model.

    MMEngine loads what fits and warns about the rest: numbers measured then are those of random weights.
    Training may start from a part (a pretrained SR network); a test may not.

    Args:
        model: The model, in whatever wrapper.
        weights: What the checkpoint holds.

    Raises:
        RuntimeError: Weights are missing, unknown to the model, or of another shape.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    expected = expected_weights(model)
    known = model.state_dict()
    problems = dict(
        missing=[name for name in expected if name not in weights],
        unknown=[name for name in weights if name not in known and not _is_schedule_state(weights[name])],
        reshaped=[n for n, shape in expected.items() if n in weights and tuple(weights[n].shape) != shape],
    )
    if any(problems.values()):
        raise RuntimeError(
            f'the checkpoint does not fit {type(model).__name__}: {_summary(problems)}; {REMEDY}'
        )


def _is_schedule_state(value: Tensor) -> bool:
    """Scalars (α, β, stage, batch counters) steer training; a test does not need them."""
    return value.ndim == 0


def _summary(problems: dict[str, list[str]]) -> str:
    return ', '.join(
        f'{len(names)} weights {what} ({", ".join(names[:3])}{", ..." if len(names) > 3 else ""})'
        for what, names in problems.items()
        if names
    )
