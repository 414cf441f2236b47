"""Variants of all rows of a table, which deviate from the paper's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config

# The released config's task weight, for the baseline that the released code trains jointly.
RELEASED_TASK_WEIGHT = 0.3


def apply(config: Config, variants: Sequence[str]) -> None:
    """Change a config to variants of it.

    Args:
        config: Config of a run, changed in place.
        variants: Names in :data:`VARIANTS`.
    """
    for name in variants:
        VARIANTS[name](config)


def as_released(config: Config) -> None:
    """Settings of the authors' code where it differs from their paper.

    - The kernel's term of L_S has weight 0, by a slip of the default config.
    - Crops of 224x224, flipped left-right only; the mini scale keeps its own crops.
    - LR test images are stored as 8-bit files.
    - w^C is 2 exp(-m D).
    - SrcNet and its SegNet train together after Step 2.

    The released Hausdorff distance, at 50 %, is measured in every test; :mod:`~csbsr_mm.tables.command`
    sets it beside the paper's. What is left as it is: docs/reproduce.md.
    """
    model = config.model
    if (model.get('sr_loss') or {}).get('type') == 'BlindSRLoss':
        model.sr_loss.kernel_weight = 0.0
    for weight in model.get('sr_loss_weights') or ():
        if weight['type'] == 'CrackOrientedWeight':
            weight['factor'] = 2.0
    if model.get('sr', {}).get('type') == 'SrcNet':
        model.task_weight = RELEASED_TASK_WEIGHT
        config.default_hooks.training_stage.stages[-1] = dict()
    pipeline = config.train_dataloader.dataset.pipeline
    for step in pipeline:
        if step['type'] == 'KeyedRandomFlip':
            step['vertical'] = 0.0
    if not any(step['type'] == 'KeyedRandomCrop' for step in pipeline):
        flip = next(index for index, step in enumerate(pipeline) if step['type'] == 'KeyedRandomFlip')
        pipeline.insert(flip, dict(type='KeyedRandomCrop', crop_size=224))
    for loader in ('val_dataloader', 'test_dataloader'):
        for step in config[loader].dataset.pipeline:
            if step['type'] == 'BlindDegradation':
                step['quantize'] = True


def inverse_frequency(config: Config) -> None:
    """Eq. 8's class weights, 1 / frequency, in every boundary combo loss; the released ones are equal."""
    for loss in _boundary_combo_losses(config.model.to_dict()):
        node = config.model
        for key in loss:
            node = node[key]
        node.class_weight = 'inverse_frequency'


def _boundary_combo_losses(node: Any, path: tuple = ()) -> Iterator[tuple]:
    """Keys that lead to each boundary combo loss of a config."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get('type') == 'BoundaryComboLoss':
        yield path
    for key, child in children:
        yield from _boundary_combo_losses(child, (*path, key))


VARIANTS = {'as_released': as_released, 'inverse_frequency': inverse_frequency}
