"""SegNet's encoder-decoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .vgg import VGG


@MODELS.register_module()
class SegNet(VGG):
    """VGG encoder and its mirror image, which un-pools with the encoder's max-pool indices.

    Put ``dict(type='FCNHead', num_convs=0, in_channels=64, channels=64, concat_input=False)`` behind it:
    SegNet classifies each pixel of the last map on its own.

    Args:
        depth: depth of the VGG encoder.
        base_channels: channels of the first block, and of the output.
        norm_cfg: normalisation after each convolution.
        **kwargs: further arguments of :class:`VGG`, but neither ``strides`` nor ``out_indices``.

    Reference:
        Badrinarayanan et al., "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
        Segmentation", TPAMI 2017.

    Example:
        >>> import torch
        >>> tuple(SegNet(base_channels=8)(torch.rand(2, 3, 50, 37))[0].shape)
        (2, 8, 50, 37)
    """

    def __init__(
        self, depth: int = 16, base_channels: int = 64, norm_cfg: dict | None = None, **kwargs
    ) -> None:
        norm_cfg = norm_cfg or dict(type='BN')
        super().__init__(depth, base_channels=base_channels, norm_cfg=norm_cfg, **kwargs)
        self.last_pool = nn.MaxPool2d(2)
        self.decoder = nn.ModuleList()
        widths = [base_channels, *self.out_channels]
        for stage in reversed(range(len(self.stage_blocks))):
            channels = widths[stage + 1]
            outs = [channels] * (self.stage_blocks[stage] - 1) + [widths[stage]]
            ins = [channels, *outs[:-1]]
            self.decoder.append(
                nn.Sequential(
                    *(
                        ConvModule(i, o, 3, padding=1, norm_cfg=norm_cfg)
                        for i, o in zip(ins, outs, strict=True)
                    )
                )
            )

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """The last decoder map (B, base_channels, H, W), in a tuple as heads expect it."""
        x = image
        pooled: list[tuple[Tensor, torch.Size]] = []
        for layer in (*self.features, self.last_pool):
            if isinstance(layer, nn.MaxPool2d):
                size = x.shape[-2:]
                x, indices = F.max_pool2d(x, 2, return_indices=True)
                pooled.append((indices, size))
            else:
                x = layer(x)
        for block, (indices, size) in zip(self.decoder, reversed(pooled), strict=True):
            x = block(F.max_unpool2d(x, indices, 2, output_size=size))
        return (x,)
