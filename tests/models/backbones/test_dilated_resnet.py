"""DilatedResNet: where it dilates, and that nothing else changed against ResNet."""

import pytest
import torch
from mmseg.models import ResNet

from csbsr_mm.models.backbones import DilatedResNet


def dilations(stage):
    return [(block.conv1.dilation[0], block.conv2.dilation[0]) for block in stage]


def test_dilates_both_convolutions_of_all_blocks_but_the_first():
    network = DilatedResNet(34)
    assert dilations(network.layer2) == [(1, 1)] * 4
    assert dilations(network.layer3) == [(1, 1)] + [(2, 2)] * 5
    assert dilations(network.layer4) == [(1, 1)] + [(4, 4)] * 2


def test_number_of_parameters():
    """ResNet-34 has 21,797,672 parameters, 513,000 of them in its classifier."""
    assert sum(p.numel() for p in DilatedResNet(34).parameters()) == 21_797_672 - 513_000


def test_imagenet_names():
    shapes = {name: value.shape for name, value in ResNet(34).state_dict().items()}
    assert {name: value.shape for name, value in DilatedResNet(34).state_dict().items()} == shapes


def test_undilated_is_resnet():
    options = dict(base_channels=4, stem_channels=4)
    ours = DilatedResNet(18, strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1), **options)
    theirs = ResNet(18, **options)
    theirs.load_state_dict(ours.state_dict())
    ours.eval()
    theirs.eval()
    image = torch.rand(1, 3, 45, 38)
    for mine, reference in zip(ours(image), theirs(image), strict=True):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize('size', [(64, 64), (50, 37)])
def test_output_stride(size):
    features = DilatedResNet(18, base_channels=4, stem_channels=4)(torch.rand(1, 3, *size))
    expected = [-(-side // 8) for side in size]
    assert list(features[1].shape[-2:]) == list(features[3].shape[-2:]) == expected


def test_bottleneck_depths_are_refused():
    with pytest.raises(KeyError, match='50'):
        DilatedResNet(50)
