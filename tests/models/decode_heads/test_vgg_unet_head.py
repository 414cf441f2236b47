"""VGGUNetHead: three ways to enlarge, odd sizes."""

import pytest
import torch
import torch.nn.functional as F
from helpers.base_models import ONE_LOGIT, TWO_LOGITS, samples, total_loss, without_gradient

from csbsr_mm.models.backbones import VGG
from csbsr_mm.models.decode_heads import VGGUNetHead
from csbsr_mm.models.decode_heads.vgg_unet_head import UPSAMPLE, UpBlock

SMALL = dict(in_channels=(4, 8, 16, 32, 32), channels=4, up_channels=(16, 16, 8, 4))


def head_of(upsample='pixel_shuffle', options=ONE_LOGIT):
    return VGGUNetHead(**SMALL, upsample=upsample, **options)


@pytest.mark.parametrize('size', [(32, 48), (45, 70)])
@pytest.mark.parametrize('upsample', UPSAMPLE)
def test_size_of_the_image(upsample, size):
    backbone, head = VGG(11, base_channels=4), head_of(upsample)
    features = backbone(torch.rand(2, 3, *size))
    assert head(features).shape == (2, 1, *size)
    total_loss(head.loss(features, samples(size), {})).backward()
    assert not without_gradient(head)


def test_two_logits():
    features = VGG(11, base_channels=4)(torch.rand(1, 3, 32, 32))
    assert head_of(options=TWO_LOGITS)(features).shape == (1, 2, 32, 32)


def test_pixel_shuffle_as_published():
    """Convolution, ReLU, PixelShuffle, ReLU; the first ReLU changes nothing that the second does not."""
    block = UpBlock(6, 5, 'pixel_shuffle')
    x = torch.randn(2, 6, 7, 9)
    conv = block.layers[0].upsample_conv
    expected = F.relu(F.pixel_shuffle(F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1)), 2))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize('upsample', UPSAMPLE)
def test_blocks_double_the_size_and_end_in_relu(upsample):
    y = UpBlock(6, 5, upsample)(torch.randn(2, 6, 7, 9))
    assert y.shape == (2, 5, 14, 18)
    assert y.min() == 0 < y.max()


def test_joins_decoder_before_encoder():
    """Zeroing the weights of the first input channels of a step silences the decoder, not the encoder."""
    head = head_of().eval()
    with torch.no_grad():
        head.last_conv.conv.weight[:, :4] = 0
    features = list(VGG(11, base_channels=4)(torch.rand(1, 3, 32, 32)))
    other = [features[0]] + [torch.rand_like(feature) for feature in features[1:]]
    torch.testing.assert_close(head(features), head(other))


def test_unknown_upsample():
    with pytest.raises(ValueError, match="got 'nearest'"):
        head_of('nearest')
