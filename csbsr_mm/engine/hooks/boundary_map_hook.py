"""Hand precomputed distance maps to the losses, to which decode heads pass only labels."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn

from .boundary_losses import BoundaryLoss, boundary_losses
from .scheduled_model import unwrap


@HOOKS.register_module()
class BoundaryMapHook(Hook):
    """Hand the maps of ``SignedDistanceTransform`` to every ``BoundaryComboLoss`` of the model.

    A decode head of MMSegmentation calls its loss with logits and labels only. This hook observes the model's
    data preprocessor, which every batch passes right before the model in every loop (gradient accumulation
    included), and sets the batch's maps on the losses. If any sample of a batch has none, the losses compute
    that batch's themselves.

    Example:
        A training pipeline that ends with ``dict(type='PackSegInputs'),
        dict(type='SignedDistanceTransform')`` and
        ``custom_hooks = [dict(type='BoundaryRebalanceHook'), dict(type='BoundaryMapHook')]``.
    """

    def __init__(self) -> None:
        self._losses: list[BoundaryLoss] = []
        self._handle: torch.utils.hooks.RemovableHandle | None = None

    def before_train(self, runner: Runner) -> None:
        """Start to listen."""
        model = unwrap(runner.model)
        self._losses = list(boundary_losses(model).values())
        self._handle = model.get_submodule('data_preprocessor').register_forward_hook(self._on_batch)

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        if self._handle is not None:
            self._handle.remove()
        self._set(None)

    @torch.compiler.disable
    def _on_batch(self, module: nn.Module, inputs: tuple, batch: Any) -> None:
        """Set the maps of a batch that leaves the preprocessor."""
        samples = batch.get('data_samples') if isinstance(batch, dict) else None
        if not samples or not all('gt_signed_distance' in sample for sample in samples):
            self._set(None)
            return
        normalized = {sample.metainfo['signed_distance_normalized'] for sample in samples}
        if len(normalized) > 1:
            raise ValueError('a batch mixes normalised distance maps and maps in pixels; use one kind')
        self._set([sample.gt_signed_distance.data for sample in samples], normalized.pop())

    def _set(self, maps: list[torch.Tensor] | None, normalized: bool = True) -> None:
        for loss in self._losses:
            loss.set_boundary_maps(maps, normalized)
