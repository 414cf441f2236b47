"""CrackFormerHead: the fused result and the supervision of every scale."""

import pytest
import torch
import torch.nn.functional as F
from helpers.base_models import ONE_LOGIT, TWO_LOGITS, samples, total_loss, without_gradient

from csbsr_mm.models.decode_heads import CrackFormerHead

SIZES = ((37, 50), (18, 25), (9, 12))


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 8, *size, generator=generator) for size in SIZES]


@pytest.mark.parametrize(('options', 'channels'), [(ONE_LOGIT, 1), (TWO_LOGITS, 2)])
def test_fusion_by_hand(features, options, channels):
    head = CrackFormerHead((8, 8, 8), **options)
    sides = [
        F.interpolate(F.conv2d(f, conv.weight, conv.bias, padding=1), SIZES[0], mode='bilinear')
        for f, conv in zip(features, head.side_convs, strict=True)
    ]
    weight = head.conv_seg.weight.view(channels, 3, channels)
    expected = head.conv_seg.bias.view(1, -1, 1, 1) + sum(
        torch.einsum('oc,bchw->bohw', weight[:, position], side)
        for position, side in enumerate(reversed(sides))
    )
    torch.testing.assert_close(head(features), expected)


def test_loss_is_that_of_the_result_and_of_every_scale(features):
    head = CrackFormerHead((8, 8, 8), side_loss_weight=0.25, **ONE_LOGIT)
    data = samples(SIZES[0])
    losses = head.loss(features, data, {})
    names = {name for name in losses if 'loss' in name}
    assert names == {'loss_ce', 'side_1.loss_ce', 'side_2.loss_ce', 'side_3.loss_ce'}

    label = torch.stack([sample.gt_sem_seg.data for sample in data]).float()
    cross_entropy = F.binary_cross_entropy_with_logits
    expected = cross_entropy(head(features), label)
    expected = expected + 0.25 * sum(cross_entropy(side, label) for side in head.side_logits(features))
    torch.testing.assert_close(total_loss(losses), expected)
    total_loss(losses).backward()
    assert not without_gradient(head)


def test_sides_can_go_unsupervised(features):
    head = CrackFormerHead((8, 8, 8), side_loss_weight=0, **ONE_LOGIT)
    assert [name for name in head.loss(features, samples(SIZES[0]), {}) if 'loss' in name] == ['loss_ce']
