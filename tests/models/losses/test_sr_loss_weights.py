"""Weights on the SR loss: their equations, through the registry, for every form of logits."""

import pytest
import torch
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import MODELS
from torch import nn

import csbsr_mm  # noqa: F401
from csbsr_mm.functional.weights import crack_oriented_weight, fail_oriented_weight
from csbsr_mm.models.losses import BoundaryComboLoss


@pytest.fixture
def target():
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(2, (2, 8, 9), generator=generator)
    target[:, 2] = 255
    return target


@pytest.fixture
def logits():
    return torch.randn(2, 1, 8, 9, generator=torch.Generator().manual_seed(1), requires_grad=True)


def test_crack_oriented_needs_no_logits(target):
    weight = MODELS.build(dict(type='CrackOrientedWeight', m=0.5))
    assert not weight.needs_logits
    expected = crack_oriented_weight(target, 0.5)[:, None]
    assert torch.equal(weight(target, None, None), expected)
    assert MODELS.build(dict(type='CrackOrientedWeight')).m == 8


@pytest.mark.parametrize('outputs', [1, 2])
def test_fail_oriented_follows_its_equation(target, logits, outputs):
    weight = MODELS.build(dict(type='FailOrientedWeight', m=2.0))
    assert weight.needs_logits
    given = logits if outputs == 1 else torch.cat([logits.detach() * 0 + 3, logits + 3], 1)
    actual = weight(target, given, None)
    expected = fail_oriented_weight(logits.detach().sigmoid()[:, 0], target, 2.0)[:, None]
    torch.testing.assert_close(actual, expected)
    assert not actual.requires_grad
    assert (actual[:, 0][target == 255] == 1).all()
    assert MODELS.build(dict(type='FailOrientedWeight')).m == 1


def test_fail_oriented_of_many_classes():
    target = torch.tensor([[[0, 2, 255]]])
    logits = torch.randn(1, 3, 1, 3)
    prob = logits.softmax(1)
    expected = torch.stack([1 - prob[0, 0, 0, 0], 1 - prob[0, 2, 0, 1], torch.tensor(0.0)]).exp()
    weight = MODELS.build(dict(type='FailOrientedWeight'))
    torch.testing.assert_close(weight(target, logits, None).flatten(), expected)


def test_seg_loss_weight_is_the_pixel_loss(target, logits):
    weight = MODELS.build(dict(type='SegLossWeight'))
    loss = BoundaryComboLoss(alpha=0.3)
    actual = weight(target, logits, loss)
    assert torch.equal(actual, loss.pixel_loss(logits, target))
    assert not actual.requires_grad
    torch.testing.assert_close(weight(target, logits, nn.ModuleList([loss, loss])), 2 * actual)


def test_seg_loss_weight_of_a_loss_without_pixels(target, logits):
    with pytest.raises(TypeError, match=r'pixel_loss\(\), CrossEntropyLoss has none'):
        MODELS.build(dict(type='SegLossWeight'))(target, logits, CrossEntropyLoss())


@pytest.mark.parametrize('name', ['CrackOrientedWeight', 'FailOrientedWeight'])
def test_bad_rate(name):
    with pytest.raises(ValueError, match='m must be a number >= 0, got -1'):
        MODELS.build(dict(type=name, m=-1))
