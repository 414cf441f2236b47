"""The segmentors of configs/_base_/models, built without reading ImageNet weights."""

from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

import csbsr_mm  # noqa: F401

FOLDER = Path(__file__).parents[2] / 'configs' / '_base_' / 'models'
# Options of a head with one logit and a loss that is always there.
ONE_LOGIT = dict(
    num_classes=2,
    out_channels=1,
    threshold=0.5,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
)
TWO_LOGITS = dict(num_classes=2, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))


def base_config(name: str) -> dict:
    """The ``model`` of a base config, its backbone initialised at random."""
    model = Config.fromfile(FOLDER / f'{name}.py').model
    model.backbone.pop('init_cfg', None)
    return model


def build(config: dict) -> nn.Module:
    """Build in MMSegmentation's scope."""
    init_default_scope('mmseg')
    return MODELS.build(ConfigDict(config))


def samples(size: tuple[int, int], count: int = 2, seed: int = 0) -> list[SegDataSample]:
    """Data samples with a random mask, a fifth of it crack."""
    generator = torch.Generator().manual_seed(seed)
    masks = (torch.rand(count, 1, *size, generator=generator) > 0.8).long()
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
    return [SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=mask)) for mask in masks]


def total_loss(losses: dict) -> torch.Tensor:
    """What MMEngine would minimise."""
    return sum(value for name, value in losses.items() if 'loss' in name)


def without_gradient(model: nn.Module) -> list[str]:
    """Names of trainable parameters that the last backward pass did not move."""
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
