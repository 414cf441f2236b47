"""VGG against mmcv's, which returns pooled maps, and against what torchvision counts."""

import mmcv.cnn
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from csbsr_mm.models.backbones import VGG


@pytest.mark.parametrize(('depth', 'norm_cfg'), [(11, None), (16, None), (16, dict(type='BN')), (19, None)])
def test_equals_mmcv(depth, norm_cfg):
    ours = VGG(depth, norm_cfg=norm_cfg).double().eval()
    theirs = mmcv.cnn.VGG(depth, with_bn=norm_cfg is not None).double()
    theirs.load_state_dict(ours.state_dict())
    theirs.eval()
    image = torch.rand(1, 3, 32, 34, dtype=torch.float64)
    for mine, pooled in zip(ours(image), theirs(image), strict=True):
        torch.testing.assert_close(F.max_pool2d(mine, 2), pooled)


@pytest.mark.parametrize(('norm_cfg', 'total'), [(None, 14_714_688), (dict(type='BN'), 14_723_136)])
def test_number_of_parameters(norm_cfg, total):
    """Those of torchvision's vgg16 and vgg16_bn without their classifiers."""
    assert sum(p.numel() for p in VGG(16, norm_cfg=norm_cfg).parameters()) == total


def test_torchvision_numbers():
    numbers = [index for index, layer in enumerate(VGG(16).features) if isinstance(layer, nn.Conv2d)]
    assert numbers == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]


def test_leaving_out_a_pooling_keeps_names_and_resolution():
    network = VGG(16, base_channels=4, strides=(1, 2, 2, 2, 1), dilations=(1, 1, 1, 1, 2))
    assert network.state_dict().keys() == VGG(16, base_channels=4).state_dict().keys()
    features = network(torch.rand(1, 3, 48, 32))
    assert features[3].shape == features[4].shape == (1, 32, 6, 4)


def test_out_indices():
    image = torch.rand(1, 3, 32, 32)
    network = VGG(11, base_channels=4, out_indices=(1, 3)).eval()
    assert [feature.shape[1] for feature in network(image)] == [8, 32]
    assert max(layer.out_channels for layer in network.features if isinstance(layer, nn.Conv2d)) == 32


def test_unknown_depth():
    with pytest.raises(ValueError, match='got 12'):
        VGG(12)
