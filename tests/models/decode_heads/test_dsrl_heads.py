"""DSRL's branches: their formulas, sizes and initial values; tests/models/segmentors has released figures."""

import pytest
import torch
import torch.nn.functional as F
from helpers.base_models import ONE_LOGIT
from torch import nn

from csbsr_mm.models.decode_heads import DSRLHead, DSRLReconstructionHead
from csbsr_mm.models.decode_heads.dsrl_heads import DoublingStep


def head(**changes):
    options = dict(
        in_channels=16,
        in_index=1,
        low_channels=4,
        channels=32,
        reduced_channels=3,
        dilations=(1, 2),
        norm_cfg=dict(type='BN'),
        **ONE_LOGIT,
    )
    return DSRLHead(**{**options, **changes})


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 4, 12, 10, generator=generator), torch.rand(2, 16, 6, 5, generator=generator)]


def test_pyramid_and_decoder(features):
    """With all but the global mean taken out, every pixel of the pyramid is alike."""
    model = head().eval()
    for branch in model.aspp.branches:
        nn.init.zeros_(branch.conv.weight)
    shared = model.encode(features)
    assert shared.shape == (2, 32, 6, 5)
    torch.testing.assert_close(shared, shared[..., :1, :1].expand_as(shared))
    assert model(features).shape == (2, 1, 12, 10)


def test_shared_features_come_first(features):
    """A decoder that reads the first 32 channels alone does not see the low-level features."""
    model = head().eval()
    with torch.no_grad():
        model.decoder.fuse[0].conv.weight[:, 32:] = 0
    shared = model.encode(features)
    changed = [torch.zeros_like(features[0]), features[1]]
    torch.testing.assert_close(model.decode(shared, features), model.decode(shared, changed))


@pytest.mark.parametrize(('up_channels', 'scale'), [((8, 6, 6, 4), 2), ((8, 8, 6, 6, 4), 4)])
def test_each_step_doubles(features, up_channels, scale):
    branch = DSRLReconstructionHead(32, 4, 8, 3, up_channels).eval()
    assert branch.scale == scale
    shared = torch.rand(2, 32, 6, 5)
    assert branch(shared, features).shape == (2, 3, 12 * 4 * scale, 10 * 4 * scale)


def test_formula_of_a_step():
    step, x = DoublingStep(3, 2).double(), torch.rand(1, 3, 4, 5, dtype=torch.float64)
    p = dict(step.named_parameters())
    large = F.conv_transpose2d(x, p['enlarge.weight'], p['enlarge.bias'], stride=2)
    inner = F.relu(F.conv2d(large, p['layers.0.weight'], p['layers.0.bias'], padding=1))
    expected = F.conv2d(inner, p['layers.2.weight'], p['layers.2.bias'], padding=1)
    expected = expected + F.conv2d(large, p['shortcut.weight'])
    torch.testing.assert_close(step(x), expected)


def test_initial_values_are_kaiming_normal():
    """Standard deviation sqrt(2 / fan-in); MMCV would take the fan-out and MMSegmentation 0.01."""
    torch.manual_seed(0)
    model = head(channels=64)
    model.init_weights()
    for conv in (model.aspp.branches[1].conv, model.aspp.project.conv, model.decoder.fuse[0].conv):
        expected = (2 / conv.weight[0].numel()) ** 0.5
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.05)
