"""AlignedHRNet against MMSegmentation's HRNet, whose upsampling layers are told to align corners."""

import pytest
import torch
from mmseg.models import HRNet
from mmseg.models.utils import Upsample

from csbsr_mm.models.backbones import AlignedHRNet


def extra(blocks=1, modules=1):
    stage = dict(num_modules=modules, block='BASIC')
    return dict(
        stage1=dict(
            num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(blocks,), num_channels=(4,)
        ),
        stage2=dict(num_branches=2, num_blocks=(blocks,) * 2, num_channels=(4, 8), **stage),
        stage3=dict(num_branches=3, num_blocks=(blocks,) * 3, num_channels=(4, 8, 16), **stage),
        stage4=dict(num_branches=4, num_blocks=(blocks,) * 4, num_channels=(4, 8, 16, 32), **stage),
    )


@pytest.fixture
def pair():
    """Ours and MMSegmentation's, with the same weights, in evaluation mode."""
    torch.manual_seed(0)
    ours = AlignedHRNet(extra(modules=2)).double()
    for module in ours.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    theirs = HRNet(extra(modules=2)).double()
    theirs.load_state_dict(ours.state_dict())
    ours.eval()
    theirs.eval()
    return ours, theirs


@pytest.mark.parametrize('aligned', [True, False])
def test_differs_from_hrnet_in_the_corners_only(pair, aligned):
    """At multiples of 32 HRNet's second resizing, which cannot be told to align, does nothing."""
    ours, theirs = pair
    for module in theirs.modules():
        if isinstance(module, Upsample):
            module.align_corners = aligned
    image = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    errors = [(a - b).abs().max() for a, b in zip(ours(image), theirs(image), strict=True)]
    assert max(errors) < 1e-12 if aligned else min(errors) > 1e-3


def test_other_sizes(pair):
    features = pair[0](torch.rand(1, 3, 50, 37, dtype=torch.float64))
    assert [tuple(x.shape[-2:]) for x in features] == [(13, 10), (7, 5), (4, 3), (2, 2)]


def test_single_output():
    network = AlignedHRNet(extra(), multiscale_output=False)
    network.eval()
    assert len(network(torch.rand(1, 3, 32, 32))) == 1
