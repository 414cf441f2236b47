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

    Use it with :class:`~csbsr_mm.models.decode_heads.SegNetHead`, the last convolution of the mirror image.
    Every convolution has a bias in front of its batch norm, as in the code that the authors of CSBSR
    released for SrcNet (Table II b).

    Args:
        depth: Depth of the VGG encoder.
        base_channels: Channels of the first block, and of the output.
        norm_cfg: Normalisation after each convolution.
        init_cfg: Initialisation, e.g. ``dict(type='Pretrained', checkpoint='imagenet://vgg16_bn')`` for
            the encoder; None gives PyTorch's own, as released.
        **kwargs: Further arguments of :class:`VGG`, but neither ``strides`` nor ``out_indices``.

    Reference:
        Badrinarayanan et al., "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
        Segmentation", TPAMI 2017.

    Example:
        >>> import torch
        >>> tuple(SegNet(base_channels=8)(torch.rand(2, 3, 50, 37))[0].shape)
        (2, 8, 50, 37)
    """

    def __init__(
        self,
        depth: int = 16,
        base_channels: int = 64,
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        **kwargs,
    ) -> None:
        norm_cfg = norm_cfg or dict(type='BN')
        super().__init__(depth, base_channels=base_channels, norm_cfg=norm_cfg, init_cfg=init_cfg, **kwargs)
        self.init_cfg = init_cfg  # not VGG's default
        self.last_pool = nn.MaxPool2d(2)
        self.decoder = nn.ModuleList()
        widths = [base_channels, *self.out_channels]
        for stage in reversed(range(len(self.stage_blocks))):
            channels = widths[stage + 1]
            # The last unit of the last block is the head's.
            units = self.stage_blocks[stage] - (stage == 0)
            outs = [channels] * (units - 1) + [widths[stage]]
            ins = [channels, *outs[:-1]]
            self.decoder.append(
                nn.Sequential(
                    *(
                        ConvModule(i, o, 3, padding=1, bias=True, norm_cfg=norm_cfg)
                        for i, o in zip(ins, outs, strict=True)
                    )
                )
                if units
                else nn.Identity()
            )

    def init_weights(self) -> None:
        """Give every layer PyTorch's own initial values, then do what ``init_cfg`` says."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.modules.batchnorm._BatchNorm)):
                module.reset_parameters()
        super().init_weights()

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
