"""PSPNet's pyramid, followed by a progressive decoder up to the size of the image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.psp_head import PPM
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ProgressivePSPHead(BaseDecodeHead):
    """Pyramid pooling, then steps that double the resolution and narrow the features.

    MMSegmentation's ``PSPHead`` classifies at the backbone's resolution and enlarges the logits; here each
    step enlarges the features bilinearly and convolves them, so that behind a backbone of output stride 8
    three steps classify at full resolution. ``channels`` is the width of the last step.

    Args:
        in_channels: Channels of the backbone's feature.
        channels: Channels of the last step, which ``conv_seg`` classifies.
        pool_scales: Sides of the pooled maps.
        pyramid_channels: Channels of the feature made from the pyramid.
        up_channels: Channels of the steps before the last one.
        pyramid_dropout: Channel dropout after the pyramid; ``dropout_ratio`` is the one after each step.
        **kwargs: As in MMSegmentation's ``BaseDecodeHead``.

    Reference:
        Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017.

    Example:
        >>> import torch
        >>> head = ProgressivePSPHead(in_channels=8, channels=4, pyramid_channels=16, up_channels=(8, 4),
        ...                           num_classes=2, out_channels=1, threshold=0.5)
        >>> head((torch.rand(2, 8, 6, 9),)).shape
        torch.Size([2, 1, 48, 72])
    """

    def __init__(
        self,
        in_channels: int = 512,
        channels: int = 64,
        *,
        pool_scales: Sequence[int] = (1, 2, 3, 6),
        pyramid_channels: int = 1024,
        up_channels: Sequence[int] = (256, 64),
        pyramid_dropout: float = 0.3,
        dropout_ratio: float = 0.15,
        norm_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        norm_cfg = norm_cfg or dict(type='BN')
        super().__init__(in_channels, channels, dropout_ratio=dropout_ratio, norm_cfg=norm_cfg, **kwargs)
        self.pyramid = PPM(
            pool_scales,
            in_channels,
            in_channels,
            conv_cfg=self.conv_cfg,
            norm_cfg=None,
            act_cfg=None,
            align_corners=self.align_corners,
            bias=False,
        )
        self.bottleneck = ConvModule(
            in_channels * (len(pool_scales) + 1), pyramid_channels, 1, conv_cfg=self.conv_cfg
        )
        self.pyramid_dropout = nn.Dropout2d(pyramid_dropout)
        widths = (pyramid_channels, *up_channels, channels)
        self.up_steps = nn.ModuleList(
            ConvModule(
                below,
                above,
                3,
                padding=1,
                conv_cfg=self.conv_cfg,
                norm_cfg=norm_cfg,
                act_cfg=dict(type='PReLU'),
            )
            for below, above in pairwise(widths)
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, 8h, 8w) of backbone features, the chosen one being (B, C, h, w)."""
        feature = self._transform_inputs(inputs)
        # The published weights of the bottleneck expect the pooled maps first and the feature last.
        x = self.bottleneck(torch.cat([*self.pyramid(feature), feature], dim=1))
        x = self.pyramid_dropout(x)
        for index, step in enumerate(self.up_steps):
            # After the last step, cls_seg does it.
            if index > 0 and self.dropout is not None:
                x = self.dropout(x)
            size = [2 * side for side in x.shape[-2:]]
            x = step(F.interpolate(x, size, mode='bilinear', align_corners=self.align_corners))
        return self.cls_seg(x)
