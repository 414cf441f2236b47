"""DSRL's branches against MMSegmentation's DeepLabV3+ head, whose decoder both share."""

import pytest
import torch
from helpers.base_models import ONE_LOGIT
from mmseg.models import DepthwiseSeparableASPPHead
from torch import nn

from csbsr_mm.models.decode_heads import DSRLHead, DSRLReconstructionHead

OPTIONS = dict(
    in_channels=16,
    in_index=1,
    channels=8,
    dilations=(1, 2),
    c1_in_channels=4,
    c1_channels=3,
    norm_cfg=dict(type='BN'),
    dropout_ratio=0.0,
    **ONE_LOGIT,
)


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 4, 12, 10, generator=generator), torch.rand(2, 16, 6, 5, generator=generator)]


@pytest.fixture
def heads():
    """Ours and MMSegmentation's with the same weights below the upsampling module."""
    torch.manual_seed(0)
    ours, theirs = DSRLHead(up_channels=(6, 8), **OPTIONS), DepthwiseSeparableASPPHead(**OPTIONS)
    missing, unexpected = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert not missing
    assert all(name.startswith('upsample.') for name in unexpected)
    return ours.eval(), theirs.eval()


def test_without_upsampling_it_is_deeplab(heads, features):
    ours, theirs = heads
    ours.upsample = nn.Identity()
    torch.testing.assert_close(ours(features), theirs(features))


def test_each_step_doubles(heads, features):
    ours, _ = heads
    shared = ours.encode(features)
    assert shared.shape == (2, 8, 6, 5)
    assert ours.decode(shared, features).shape == (2, 8, 48, 40)
    assert ours(features).shape == (2, 1, 48, 40)


def test_super_resolution_branch_is_the_same_decoder(heads, features):
    ours, _ = heads
    branch = DSRLReconstructionHead(
        in_channels=8, c1_in_channels=4, c1_channels=3, channels=8, up_channels=(6, 8)
    )
    own = branch.state_dict()
    branch.load_state_dict({name: ours.state_dict().get(name, own[name]) for name in own})
    shared = ours.encode(features)
    image, feature = branch.eval()(shared, features)
    torch.testing.assert_close(feature, ours.decode(shared, features))
    torch.testing.assert_close(image, branch.reconstruct(feature))
