"""SegNet: un-pooling puts maxima back where they were."""

import numpy as np
import pytest
import torch
from helpers.base_models import base_config, build, samples, total_loss, without_gradient
from torch import nn

from csbsr_mm.models.backbones import SegNet


def test_unpools_to_where_the_maxima_were():
    """With all convolutions taken out, what is the maximum of its 32x32 block stays, all else is 0."""
    network = SegNet(11, base_channels=1)
    poolings = [layer for layer in network.features if isinstance(layer, nn.MaxPool2d)]
    network.features = nn.Sequential(*poolings)
    network.decoder = nn.ModuleList(nn.Identity() for _ in network.decoder)
    image = torch.rand(1, 1, 64, 96)
    expected = np.zeros((64, 96), np.float32)
    for top in range(0, 64, 32):
        for left in range(0, 96, 32):
            block = image[0, 0, top : top + 32, left : left + 32].numpy()
            row, column = np.unravel_index(block.argmax(), block.shape)
            expected[top + row, left + column] = block.max()
    np.testing.assert_array_equal(network(image)[0][0, 0].numpy(), expected)


@pytest.mark.parametrize('size', [(32, 32), (45, 70)])
def test_size_of_the_input(size):
    assert SegNet(11, base_channels=2)(torch.rand(1, 3, *size))[0].shape == (1, 2, *size)


def test_decoder_mirrors_the_encoder():
    network = SegNet(16)
    encoder = [
        (layer.in_channels, layer.out_channels) for layer in network.features if isinstance(layer, nn.Conv2d)
    ]
    decoder = [(unit.in_channels, unit.out_channels) for block in network.decoder for unit in block]
    # The first encoder convolution reads the image; its mirror image is the head's.
    assert decoder == [(o, i) for i, o in reversed(encoder[1:])]


def test_initial_values_are_pytorch_s_own():
    """Uniform within 1 / sqrt(fan-in), in the decoder too, whose ConvModules MMCV draws otherwise."""
    torch.manual_seed(0)
    network = SegNet(16, base_channels=8)
    network.init_weights()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            bound = layer.weight[0].numel() ** -0.5
            assert 0.9 * bound < layer.weight.abs().max() <= bound
            assert layer.bias.abs().max() <= bound


def test_segmentor_trains():
    config = base_config('segnet')
    config.backbone.base_channels = config.decode_head.in_channels = 8
    model = build(config)
    total_loss(model.loss(torch.rand(2, 3, 32, 64), samples((32, 64)))).backward()
    # Batch norm takes out what a bias in front of it adds; ImageNet's VGG has them all the same.
    idle = [name for name in without_gradient(model) if not name.endswith('.bias')]
    assert not idle
