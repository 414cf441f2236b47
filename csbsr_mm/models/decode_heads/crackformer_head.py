"""Side outputs at several scales and their fusion, all of them supervised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn


@MODELS.register_module()
class CrackFormerHead(BaseDecodeHead):
    """Classify every scale, enlarge the logits to the finest one and fuse them by a 1x1 convolution.

    The fused logits are the result. In training each scale's logits are supervised as well, with the
    same ``loss_decode``, as entries ``side_1.*`` (finest) to ``side_5.*`` of the losses.

    Args:
        in_channels: Channels of each scale, finest first.
        side_loss_weight: Weight of each side output's loss beside that of the fused result.
        in_index: Which of the backbone's outputs to use; default all of ``in_channels``.
        dropout_ratio: Channel dropout before ``conv_seg``; the released model has none.
        **kwargs: As in MMSegmentation's ``BaseDecodeHead``; ``channels``, what ``conv_seg`` classifies,
            follows from the number of scales.

    Reference:
        Liu et al., "CrackFormer: Transformer Network for Fine-Grained Crack Detection", ICCV 2021; Xie and
        Tu, "Holistically-Nested Edge Detection", ICCV 2015.

    Example:
        >>> import torch
        >>> head = CrackFormerHead((8, 8), num_classes=2, out_channels=1, threshold=0.5)
        >>> head((torch.rand(1, 8, 12, 10), torch.rand(1, 8, 6, 5))).shape
        torch.Size([1, 1, 12, 10])
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 64, 64, 64, 64),
        *,
        num_classes: int,
        out_channels: int | None = None,
        side_loss_weight: float = 0.4,
        in_index: Sequence[int] | None = None,
        dropout_ratio: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(
            in_channels,
            len(in_channels) * (out_channels or num_classes),
            num_classes=num_classes,
            out_channels=out_channels,
            in_index=tuple(range(len(in_channels)) if in_index is None else in_index),
            input_transform='multiple_select',
            dropout_ratio=dropout_ratio,
            **kwargs,
        )
        self.side_loss_weight = side_loss_weight
        self.side_convs = nn.ModuleList(
            nn.Conv2d(channels, self.out_channels, 3, padding=1) for channels in in_channels
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Fused logits (B, out_channels, H, W) at the finest scale."""
        return self._fuse(self.side_logits(inputs))

    def side_logits(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Logits (B, out_channels, H, W) of each scale at the finest scale's size, finest first."""
        features = self._transform_inputs(inputs)
        sides = [conv(feature) for conv, feature in zip(self.side_convs, features, strict=True)]
        size = sides[0].shape[-2:]
        return [
            resize(side, size, mode='bilinear', align_corners=self.align_corners, warning=False)
            for side in sides
        ]

    def _fuse(self, sides: list[Tensor]) -> Tensor:
        # The published weights of the fusion expect the deepest scale first.
        return self.cls_seg(torch.cat(sides[::-1], dim=1))

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: list[SegDataSample], train_cfg: dict
    ) -> dict[str, Tensor]:
        """Losses of the fused logits and, weighted by ``side_loss_weight``, of every scale's."""
        sides = self.side_logits(inputs)
        losses = self.loss_by_feat(self._fuse(sides), batch_data_samples)
        for number, side in enumerate(sides, start=1) if self.side_loss_weight else ():
            side_losses = self.loss_by_feat(side, batch_data_samples)
            weighted = {
                name: self.side_loss_weight * value for name, value in side_losses.items() if 'loss' in name
            }
            losses.update(add_prefix(weighted, f'side_{number}'))
        return losses
