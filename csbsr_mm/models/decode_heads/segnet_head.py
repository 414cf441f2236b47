"""SegNet's last convolution as a decode head."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SegNetHead(BaseDecodeHead):
    """Classify the pixels of :class:`~csbsr_mm.models.backbones.SegNet`'s last map by a 3x3 convolution.

    Args:
        in_channels: Channels of that map.
        init_cfg: Initialisation; None keeps PyTorch's own, as released.
        **kwargs: As in MMSegmentation's ``BaseDecodeHead``, but neither ``channels`` nor ``dropout_ratio``.

    Example:
        >>> import torch
        >>> head = SegNetHead(in_channels=8, in_index=0, num_classes=2, out_channels=1, threshold=0.5)
        >>> tuple(head((torch.rand(2, 8, 5, 7),)).shape)
        (2, 1, 5, 7)
    """

    def __init__(self, in_channels: int, init_cfg: dict | list[dict] | None = None, **kwargs) -> None:
        super().__init__(
            in_channels=in_channels, channels=in_channels, dropout_ratio=0.0, init_cfg=init_cfg, **kwargs
        )
        self.conv_seg = nn.Conv2d(in_channels, self.out_channels, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, H, W) of a backbone's maps."""
        return self.cls_seg(self._transform_inputs(inputs))
