"""The schedule of β, the weight of the segmentation loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from csbsr_mm.utils.checks import check_share

from .scheduled_model import scheduled_model


@HOOKS.register_module()
class TaskWeightHook(Hook):
    """Set the task weight β of a joint model in every iteration.

    β follows from the iteration alone, so that a resumed run needs nothing else. It appears in the log
    as ``task_weight``. Where :class:`TrainingStageHook` also sets β, this hook has the last word.

    Args:
        task_weight: One number in [0, 1] for the whole training, or points ``(iteration, β)`` in
            increasing order; the first iteration is 1. β is constant before the first and after the
            last point.
        interpolate: Whether β changes linearly between points, or jumps at each.

    Raises:
        ValueError: A β outside [0, 1], or points out of order.

    Equation:
        L = (1 - β) L_S + β L_C (Eq. 2); "Increasing" of Table III is
        ``task_weight=[(30000, 0.0), (170000, 1.0)]``.

    Example:
        >>> hook = TaskWeightHook([(30000, 0.0), (170000, 1.0)])
        >>> hook.value_at(1), hook.value_at(100000), hook.value_at(180000)
        (0.0, 0.5, 1.0)
        >>> TaskWeightHook([(1, 0.0), (30001, 0.3)], interpolate=False).value_at(30000)
        0.0
    """

    # After TrainingStageHook.
    priority = 'NORMAL'

    def __init__(
        self, task_weight: float | Sequence[tuple[int, float]] = 0.5, interpolate: bool = True
    ) -> None:
        points: list[tuple[int, float]] = (
            [(1, task_weight)] if isinstance(task_weight, (int, float)) else list(task_weight)
        )
        if not points or any(len(point) != 2 for point in points):
            raise ValueError(f'task_weight must be a number or points (iteration, β), got {task_weight}')
        self.iterations = [iteration for iteration, _ in points]
        self.values = [value for _, value in points]
        if any(a >= b for a, b in zip(self.iterations, self.iterations[1:], strict=False)):
            raise ValueError(f'iterations of task_weight must increase, got {self.iterations}')
        for value in self.values:
            check_share('task_weight (β)', value)
        self.interpolate = interpolate

    def value_at(self, iteration: int) -> float:
        """β of an iteration; the first is 1."""
        if self.interpolate:
            return float(np.interp(iteration, self.iterations, self.values))
        place = int(np.searchsorted(self.iterations, iteration, side='right')) - 1
        return float(self.values[max(place, 0)])

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Set β of this iteration."""
        model = scheduled_model(runner, 'set_task_weight', self)
        model.set_task_weight(self.value_at(runner.iter + 1))
        runner.message_hub.update_scalar('train/task_weight', model.task_weight)
