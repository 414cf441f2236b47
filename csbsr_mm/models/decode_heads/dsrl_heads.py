"""The two branches of dual super-resolution learning: DeepLabV3+ decoders that end above the input's size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.sep_aspp_head import DepthwiseSeparableASPPHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn


def upsampling_steps(channels: Sequence[int], norm_cfg: dict | None) -> nn.Sequential:
    """Transposed convolutions, each doubling the resolution, from ``channels[0]`` on."""
    return nn.Sequential(
        *(
            ConvModule(i, o, 4, stride=2, padding=1, conv_cfg=dict(type='deconv'), norm_cfg=norm_cfg)
            for i, o in pairwise(channels)
        )
    )


@MODELS.register_module()
class DSRLHead(DepthwiseSeparableASPPHead):
    """Segmentation branch of DSRL: DeepLabV3+'s head with an upsampling module in front of its classifier.

    :meth:`encode` gives the features that both branches share, :meth:`decode` this branch's own.

    Args:
        up_channels: channels after each doubling of the resolution, counted from the resolution of the
            backbone's first output (a quarter of the image): four doublings end at 4 times the image.
        **kwargs: as in MMSegmentation's ``DepthwiseSeparableASPPHead``.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020; Chen et al.,
        "Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation", ECCV 2018.
    """

    def __init__(self, up_channels: Sequence[int] = (128, 64, 64, 64), **kwargs) -> None:
        super().__init__(**kwargs)
        self.upsample = upsampling_steps([self.channels, *up_channels], self.norm_cfg)
        self.conv_seg = nn.Conv2d(up_channels[-1], self.out_channels, 1)

    def encode(self, inputs: Sequence[Tensor]) -> Tensor:
        """Features shared with the super-resolution branch, at the resolution of the deepest input."""
        return self._forward_feature(inputs)

    def decode(self, shared: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Features (B, up_channels[-1], H, W) to classify."""
        low_level = self.c1_bottleneck(inputs[0])
        shared = resize(
            shared, low_level.shape[-2:], mode='bilinear', align_corners=self.align_corners, warning=False
        )
        return self.upsample(self.sep_bottleneck(torch.cat([shared, low_level], dim=1)))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, H, W)."""
        return self.cls_seg(self.decode(self.encode(inputs), inputs))


@MODELS.register_module()
class DSRLReconstructionHead(BaseModule):
    """Super-resolution branch of DSRL: the same decoder, ending in an image.

    Args:
        in_channels: channels of the shared features.
        c1_in_channels: channels of the backbone's first output.
        c1_channels: channels that it is reduced to.
        channels: channels of the decoder before upsampling.
        up_channels: as in :class:`DSRLHead`.
        norm_cfg: normalisation.
        align_corners: how the shared features are resized.
        init_cfg: initialisation.
    """

    def __init__(
        self,
        in_channels: int = 256,
        c1_in_channels: int = 256,
        c1_channels: int = 48,
        channels: int = 256,
        up_channels: Sequence[int] = (128, 64, 64, 64),
        norm_cfg: dict | None = None,
        align_corners: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type='BN')
        self.align_corners = align_corners
        self.c1_bottleneck = ConvModule(c1_in_channels, c1_channels, 1, norm_cfg=norm_cfg)
        joined = in_channels + c1_channels
        self.sep_bottleneck = nn.Sequential(
            DepthwiseSeparableConvModule(joined, channels, 3, padding=1, norm_cfg=norm_cfg),
            DepthwiseSeparableConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg),
        )
        self.upsample = upsampling_steps([channels, *up_channels], norm_cfg)
        self.reconstruct = nn.Conv2d(up_channels[-1], 3, 3, padding=1)

    def forward(self, shared: Tensor, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Image (B, 3, H, W) and the features (B, up_channels[-1], H, W) that it is made from."""
        low_level = self.c1_bottleneck(inputs[0])
        shared = resize(
            shared, low_level.shape[-2:], mode='bilinear', align_corners=self.align_corners, warning=False
        )
        feature = self.upsample(self.sep_bottleneck(torch.cat([shared, low_level], dim=1)))
        return self.reconstruct(feature), feature
