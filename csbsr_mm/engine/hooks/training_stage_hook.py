"""Which parts of a model train when: the paper's Steps 2 and 3, warm-up included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from csbsr_mm.utils.checks import check_share

from ..rank_agreement import check_ranks_agree
from .scheduled_model import ScheduledModel, scheduled_model, unwrap
from .task_weight_hook import TaskWeightHook

STAGE_KEYS = {'end', 'trainable', 'frozen', 'use_gt_kernel', 'task_weight', 'kernel_only'}


@HOOKS.register_module()
class TrainingStageHook(Hook):
    """Freeze and thaw parts of a model, and move β, at given iterations.

    The stage follows from the iteration alone: a resumed run applies its stage before the first
    iteration. Frozen parts keep their batch-norm statistics too. Parts are frozen only after the
    distributed wrapper was built around a model that trains as a whole; after the first iteration of
    each stage all ranks are compared. Switches are logged, and ``stage`` (from 1) and ``task_weight``
    stand in every log line.

    Args:
        stages: Each a dict of
            ``end``: number of the stage's last iteration; the first iteration of the training is 1. None or
            absent in the last stage.
            ``trainable``: names of the parts that learn, the others being frozen; absent: all.
            ``frozen``: names of parts that do not learn. Names are those of the model's ``parts()``:
            'sr', 'sr.kernel_predictor', 'segmentor', 'blur_skip'.
            ``use_gt_kernel``: whether the true blur kernel replaces the predicted one; absent: no.
            ``task_weight``: β in [0, 1]; absent: the β that the model was configured with.
            ``kernel_only``: run and train nothing but the SR network's first kernel estimate; absent: no.

    Raises:
        ValueError: An unknown key, ends that do not increase, or β outside [0, 1].

    Reference:
        Kondo and Ukita, IEEE TIM 2024, Sec. III-E: L_S alone (Step 2), then all together (Step 3); Step 2
        has 30,000 iterations (Sec. IV-A). The warm-up inside it, 10,000 iterations with the true kernel and
        10,000 of the kernel predictors, is the released code's.

    Example:
        >>> hook = TrainingStageHook([
        ...     dict(end=10000, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
        ...     dict(end=20000, trainable=['sr.kernel_predictor'], task_weight=0.0),
        ...     dict(end=30000, task_weight=0.0),
        ...     dict(),
        ... ])
        >>> [hook.stage_at(iteration) for iteration in (1, 10000, 10001, 30001, 180000)]
        [0, 0, 1, 3, 3]
    """

    # Before TaskWeightHook, which may refine β within a stage.
    priority = 'ABOVE_NORMAL'

    def __init__(self, stages: Sequence[dict]) -> None:
        self.stages = [dict(stage) for stage in stages]
        self._check_stages()
        self._applied: int | None = None
        self._unchecked = False
        self._configured_weight: float | None = None

    def _check_stages(self) -> None:
        if not self.stages:
            raise ValueError('stages must hold at least one stage')
        for stage in self.stages:
            unknown = sorted(set(stage) - STAGE_KEYS)
            if unknown:
                raise ValueError(f'stage {stage} has unknown keys {unknown}; known: {sorted(STAGE_KEYS)}')
            if stage.get('task_weight') is not None:
                check_share('task_weight (β) of a stage', stage['task_weight'])
        ends: list[Any] = [stage.get('end') for stage in self.stages[:-1]]
        if None in ends or any(a >= b for a, b in zip([0, *ends], ends, strict=False)):
            raise ValueError(f'`end` of the stages must be iterations that increase, got {ends}')

    def stage_at(self, iteration: int) -> int:
        """Index of the stage of an iteration; the first iteration is 1."""
        for index, stage in enumerate(self.stages[:-1]):
            if iteration <= stage['end']:
                return index
        return len(self.stages) - 1

    def before_run(self, runner: Runner) -> None:
        """Note the configured β, before a checkpoint overwrites it."""
        model = scheduled_model(runner, 'set_trainable', self)
        if self._configured_weight is None:
            self._configured_weight = model.task_weight

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Apply the stage of this iteration if it has just begun."""
        model = scheduled_model(runner, 'set_trainable', self)
        index = self.stage_at(runner.iter + 1)
        if index != self._applied:
            self._apply(model, index, runner.iter + 1)
        runner.message_hub.update_scalar('train/stage', index + 1)
        if not any(isinstance(hook, TaskWeightHook) for hook in runner.hooks):
            runner.message_hub.update_scalar('train/task_weight', model.task_weight)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """After the first update of a stage, make sure that all ranks made the same one."""
        if self._unchecked:
            self._unchecked = False
            check_ranks_agree(unwrap(runner.model), f'after iteration {runner.iter + 1}')

    def _apply(self, model: ScheduledModel, index: int, iteration: int) -> None:
        stage = self.stages[index]
        trainable, frozen = stage.get('trainable'), stage.get('frozen') or ()
        model.set_trainable(trainable, frozen)
        for parameter in model.parameters():
            if not parameter.requires_grad:
                parameter.grad = None
        weight = self._configured_weight if stage.get('task_weight') is None else stage['task_weight']
        if weight is not None:
            model.set_task_weight(weight)
        model.set_use_gt_kernel(stage.get('use_gt_kernel', False))
        model.kernel_only = bool(stage.get('kernel_only', False))
        model.set_training_stage(index)
        self._applied, self._unchecked = index, True
        learns = sum(p.numel() for p in model.parameters() if p.requires_grad)
        total = sum(p.numel() for p in model.parameters())
        if learns == 0:
            raise ValueError(f'stage {index + 1} {stage} leaves nothing to train; thaw a part of the model')
        print_log(
            f'Stage {index + 1} of {len(self.stages)} from iteration {iteration}: '
            f'trainable {", ".join(trainable) if trainable else "all"}, '
            f'frozen {", ".join(frozen) or ("all others" if trainable else "none")} '
            f'({learns:,} of {total:,} parameters learn), '
            f'{"true" if model.use_gt_kernel else "predicted"} blur kernel, β = {model.task_weight:g}',
            logger='current',
        )
