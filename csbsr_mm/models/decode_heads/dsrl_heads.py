"""The two branches of dual super-resolution learning: DeepLabV3+ decoders on one ASPP."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import interpolate


@MODELS.register_module()
class DSRLHead(BaseDecodeHead):
    """Segmentation branch of DSRL, and the atrous spatial pyramid pooling that both branches share.

    Logits have the resolution of the backbone's first output, a quarter of the image.
    :class:`~csbsr_mm.models.segmentors.DSRL` brings their probabilities to the size of its output.

    Args:
        in_channels: Channels of the backbone's deepest output.
        low_channels: Channels of its first output.
        channels: Channels of the pyramid and of the decoder.
        reduced_channels: Channels that the first output is reduced to.
        dilations: Dilation of each branch of the pyramid; the first is a 1x1 convolution.
        init_cfg: Initialisation; None is Kaiming normal (fan-in) for every convolution, as released.
        **kwargs: As in MMSegmentation's ``BaseDecodeHead``, but no ``dropout_ratio``.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020; the layers are
        those of the code of Kondo and Ukita, IEEE TIM 2024.
    """

    def __init__(
        self,
        in_channels: int = 2048,
        low_channels: int = 256,
        channels: int = 256,
        reduced_channels: int = 48,
        dilations: Sequence[int] = (1, 6, 12, 18),
        init_cfg: dict | list[dict] | None = None,
        **kwargs,
    ) -> None:
        # MMSegmentation's dropout drops whole channels; the decoder has its own, element by element.
        super().__init__(in_channels, channels, dropout_ratio=0.0, init_cfg=init_cfg, **kwargs)
        self.aspp = ASPP(in_channels, channels, dilations, self.norm_cfg)
        self.decoder = Decoder(channels, low_channels, reduced_channels, channels, channels, self.norm_cfg)
        _kaiming_normal(self)

    def encode(self, inputs: Sequence[Tensor]) -> Tensor:
        """Features that both branches share, at the resolution of the deepest input."""
        return self.aspp(self._transform_inputs(inputs))

    def decode(self, shared: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, h/4, w/4)."""
        return self.cls_seg(self.decoder(shared, inputs[0]))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, h/4, w/4) of a backbone's outputs."""
        return self.decode(self.encode(inputs), inputs)


@MODELS.register_module()
class DSRLReconstructionHead(BaseModule):
    """Super-resolution branch of DSRL: the same decoder, then steps that each double the resolution.

    Args:
        in_channels: Channels of the shared features.
        low_channels: Channels of the backbone's first output.
        channels: Channels of the decoder's first convolution.
        reduced_channels: Channels that the first output is reduced to.
        up_channels: Channels before the first step and after each. The steps start at a quarter of the
            image: three end at twice its size, four at four times.
        norm_cfg: Normalisation of the decoder; the steps have none.
        init_cfg: Initialisation; None is Kaiming normal (fan-in) for the decoder and PyTorch's own for
            the steps, as released.
    """

    def __init__(
        self,
        in_channels: int = 256,
        low_channels: int = 256,
        channels: int = 256,
        reduced_channels: int = 48,
        up_channels: Sequence[int] = (64, 64, 32, 16),
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type='BN')
        halved = channels // 2
        self.decoder = Decoder(in_channels, low_channels, reduced_channels, channels, halved, norm_cfg)
        self.project = nn.Conv2d(halved, up_channels[0], 1)
        _kaiming_normal(self)
        self.steps = nn.Sequential(*(DoublingStep(i, o) for i, o in pairwise(up_channels)))
        self.reconstruct = nn.Conv2d(up_channels[-1], 3, 1)

    @property
    def scale(self) -> int:
        """Size of the image over that of the network's input."""
        return 2 ** len(self.steps) // 4

    def forward(self, shared: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Image (B, 3, H, W), not clipped."""
        return self.reconstruct(self.steps(self.project(self.decoder(shared, inputs[0]))))


class ASPP(nn.Module):
    """Dilated convolutions beside one another and the global mean, concatenated in that order.

    Args:
        in_channels: Channels of the input.
        channels: Channels of each branch and of the output.
        dilations: Dilation of each branch; 1 is a 1x1 convolution.
        norm_cfg: Normalisation.
    """

    def __init__(self, in_channels: int, channels: int, dilations: Sequence[int], norm_cfg: dict) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg)
            if dilation == 1
            else ConvModule(in_channels, channels, 3, padding=dilation, dilation=dilation, norm_cfg=norm_cfg)
            for dilation in dilations
        )
        self.pooled = ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg)
        self.project = ConvModule((len(dilations) + 1) * channels, channels, 1, norm_cfg=norm_cfg)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, channels, h, w) of a map of that size."""
        mean = self.pooled(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[-2:])
        return self.dropout(self.project(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))


class Decoder(nn.Module):
    """DeepLabV3+'s decoder up to its last convolution, at the resolution of the low-level features.

    Args:
        in_channels: Channels of the shared features.
        low_channels: Channels of the low-level features.
        reduced_channels: Channels that these are reduced to.
        channels: Channels after the first convolution.
        out_channels: Channels after the second.
        norm_cfg: Normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        low_channels: int,
        reduced_channels: int,
        channels: int,
        out_channels: int,
        norm_cfg: dict,
    ) -> None:
        super().__init__()
        self.reduce = ConvModule(low_channels, reduced_channels, 1, norm_cfg=norm_cfg)
        self.fuse = nn.Sequential(
            ConvModule(in_channels + reduced_channels, channels, 3, padding=1, norm_cfg=norm_cfg),
            nn.Dropout(0.5),
            ConvModule(channels, out_channels, 3, padding=1, norm_cfg=norm_cfg),
            nn.Dropout(0.1),
        )

    def forward(self, shared: Tensor, low: Tensor) -> Tensor:
        """Features (B, out_channels, h/4, w/4)."""
        low = self.reduce(low)
        shared = interpolate(shared, low.shape[-2:], mode='bilinear', align_corners=True)
        return self.fuse(torch.cat([shared, low], 1))


class DoublingStep(nn.Module):
    """A transposed convolution that doubles the resolution, then two convolutions beside a 1x1 one."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.layers = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(out_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, out_channels, 2h, 2w)."""
        x = self.enlarge(x)
        return self.layers(x) + self.shortcut(x)


def _kaiming_normal(module: nn.Module) -> None:
    """Draw the convolutions that a module has so far."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
