"""ProgressivePSPHead: sizes, class counts and where it drops channels."""

import pytest
import torch
import torch.nn.functional as F
from helpers.base_models import (
    ONE_LOGIT,
    TWO_LOGITS,
    base_config,
    build,
    samples,
    total_loss,
    without_gradient,
)
from torch import nn

from csbsr_mm.models.decode_heads import ProgressivePSPHead

SMALL = dict(in_channels=8, channels=4, pyramid_channels=12, up_channels=(8, 6), in_index=0)


@pytest.mark.parametrize(('options', 'channels'), [(ONE_LOGIT, 1), (TWO_LOGITS, 2)])
def test_logits_and_loss(options, channels):
    head = ProgressivePSPHead(**SMALL, **options)
    feature = torch.rand(2, 8, 5, 7)
    assert head((feature,)).shape == (2, channels, 40, 56)
    # Labels of an image whose sides are no multiples of 8.
    losses = head.loss((feature,), samples((37, 50)), {})
    total_loss(losses).backward()
    assert not without_gradient(head)


def test_constant_features_by_hand():
    """On a constant feature pooling and resizing do nothing: what is left is a chain of convolutions."""
    torch.manual_seed(0)
    head = ProgressivePSPHead(**SMALL, **ONE_LOGIT).double().eval()
    for step in head.up_steps:
        step.conv.weight.data[:] = step.conv.weight.data * torch.tensor([0.0, 1.0, 0.0]).view(1, 1, 3, 1)
        step.conv.weight.data[:] = step.conv.weight.data * torch.tensor([0.0, 1.0, 0.0]).view(1, 1, 1, 3)
    vector = torch.rand(1, 8, 1, 1, dtype=torch.float64)
    pooled = [F.conv2d(vector, stage[1].conv.weight) for stage in head.pyramid]
    x = F.relu(
        F.conv2d(torch.cat([*pooled, vector], dim=1), head.bottleneck.conv.weight, head.bottleneck.conv.bias)
    )
    for step in head.up_steps:
        x = F.conv2d(x, step.conv.weight[:, :, 1:2, 1:2]) / (1 + step.bn.eps) ** 0.5
        x = F.prelu(x, step.activate.weight)
    expected = F.conv2d(x, head.conv_seg.weight, head.conv_seg.bias).expand(1, 1, 32, 40)
    torch.testing.assert_close(head((vector.expand(1, 8, 4, 5),)), expected)


def test_published_dropout():
    """0.3 after the pyramid, 0.15 after each of the three steps."""
    head = ProgressivePSPHead(**SMALL, **ONE_LOGIT).train()
    drops = []
    for module in head.modules():
        if isinstance(module, nn.Dropout2d):
            module.register_forward_hook(lambda module, *_: drops.append(module.p))
    head((torch.rand(1, 8, 4, 4).expand(2, -1, -1, -1),))
    assert drops == [0.3, 0.15, 0.15, 0.15]


def test_without_dropout():
    head = ProgressivePSPHead(**SMALL, **ONE_LOGIT, dropout_ratio=0, pyramid_dropout=0).train()
    feature = (torch.rand(2, 8, 4, 4),)
    torch.testing.assert_close(head(feature), head(feature))


def test_on_vgg16():
    """The paper's text has PSPNet on VGG-16: output stride 8 from there, too."""
    config = base_config('psp_vgg16')
    assert config.decode_head.in_index == 4
    assert config.auxiliary_head.in_channels == 512
    config.backbone.base_channels = 8
    config.decode_head.in_channels = config.auxiliary_head.in_channels = 64
    model = build(config)
    image = torch.rand(2, 3, 48, 64)
    assert model(image, mode='tensor').shape == (2, 1, 48, 64)
    total_loss(model.loss(image, samples((48, 64)))).backward()
    assert not without_gradient(model)
