"""Carry centre lines of labels past the decode heads, which show their losses only labels."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn

from .scheduled_model import unwrap

# Field of the data sample: (its setter in a loss, how it was made).
FIELDS = {
    'gt_skeleton_tube': ('set_tubes', 'skeleton_tube_radius'),
    'gt_soft_skeleton': ('set_skeletons', 'soft_skeleton_iterations'),
}


@HOOKS.register_module()
class LabelSkeletonHook(Hook):
    """Hand the maps of ``SkeletonTubeTransform`` and ``SoftSkeletonTransform`` to every loss that takes them.

    As ``BoundaryMapHook`` does with distance maps, it listens to the model's data preprocessor, through which
    every batch passes right before the model. If any sample of a batch has no such map, the losses compute
    that batch's themselves.

    Example:
        A training pipeline that ends with ``dict(type='PackSegInputs'),
        dict(type='SkeletonTubeTransform')`` and ``custom_hooks = [dict(type='LabelSkeletonHook')]``.
    """

    def __init__(self) -> None:
        self._losses: list[nn.Module] = []
        self._handle: torch.utils.hooks.RemovableHandle | None = None

    def before_train(self, runner: Runner) -> None:
        """Start to listen.

        Raises:
            TypeError: No loss of the model takes such maps.
        """
        model = unwrap(runner.model)
        setters = [setter for setter, _ in FIELDS.values()]
        self._losses = [m for m in model.modules() if any(hasattr(m, setter) for setter in setters)]
        if not self._losses:
            raise TypeError(
                f'{type(model).__name__} has no loss of centre lines; give a head '
                "loss_decode=dict(type='SkeletonRecallLoss'), or take LabelSkeletonHook out of the config"
            )
        self._handle = model.get_submodule('data_preprocessor').register_forward_hook(self._on_batch)

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        if self._handle is not None:
            self._handle.remove()
        for field in FIELDS:
            self._set(field, [])

    @torch.compiler.disable
    def _on_batch(self, module: nn.Module, inputs: tuple, batch: Any) -> None:
        """Set the maps of a batch that leaves the preprocessor."""
        samples = (batch.get('data_samples') if isinstance(batch, dict) else None) or []
        for field in FIELDS:
            self._set(field, samples if all(field in sample for sample in samples) else [])

    def _set(self, field: str, samples: list) -> None:
        """Hand over a field of all samples; none if there are no samples."""
        setter, how = FIELDS[field]
        made = {sample.metainfo[how] for sample in samples}
        if len(made) > 1:
            raise ValueError(f'a batch mixes samples of {how} {sorted(made)}; use one')
        maps = [getattr(sample, field).data for sample in samples] or None
        for loss in self._losses:
            if hasattr(loss, setter):
                getattr(loss, setter)(maps, *made)
