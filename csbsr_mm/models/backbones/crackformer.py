"""CrackFormer's encoder-decoder: five scales of fused, gated features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .crackformer_blocks import TransformerBottleneck, conv_norm


class ScalingAttention(BaseModule):
    """Fuse one level's last encoder and decoder maps and gate them by its earlier maps.

    Args:
        gate_channels: Channels of the earlier maps, which are summed.
        fuse_channels: Channels of the last encoder and decoder map together.
        channels: Channels of the gate and of the output.
    """

    def __init__(self, gate_channels: int, fuse_channels: int, channels: int = 64) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            conv_norm(gate_channels, channels, 3, bias=True), conv_norm(channels, channels, 3, bias=True)
        )
        self.fuse = ConvModule(fuse_channels, channels, 3, padding=1)

    def forward(self, encoder_maps: list[Tensor], decoder_maps: list[Tensor]) -> Tensor:
        """Maps (B, C, h, w) of one level, in the order of computation -> (B, channels, h, w)."""
        *early_encoder, last_encoder = encoder_maps
        *early_decoder, last_decoder = decoder_maps
        gate = self.gate(F.gelu(sum(early_encoder + early_decoder))).sigmoid()
        return gate * self.fuse(torch.cat([last_encoder, last_decoder], dim=1))


@MODELS.register_module()
class CrackFormer(BaseModule):
    """SegNet with transformer bottlenecks for convolutions and gated fusion at every scale.

    The encoder pools with indices, the decoder un-pools with them. In the three deepest encoder levels
    the released model applies the second block twice, with the same weights, and so does this one.

    Args:
        in_channels: Channels of the image.
        widths: Channels of the five encoder levels, multiples of 64.
        fused_channels: Channels of each output, a multiple of 4.
        dropout: Dropout of the bottlenecks' MLPs.
        init_cfg: Initialisation.

    Reference:
        Liu et al., "CrackFormer: Transformer Network for Fine-Grained Crack Detection", ICCV 2021.

    Example:
        >>> import torch
        >>> features = CrackFormer(widths=(64,) * 5)(torch.rand(1, 3, 32, 48))
        >>> [tuple(x.shape) for x in features][:2]
        [(1, 64, 32, 48), (1, 64, 16, 24)]
    """

    # Per level: encoder blocks, how often the last of them is applied, decoder blocks.
    LEVELS = ((1, 1, 2), (2, 1, 2), (2, 2, 3), (2, 2, 3), (2, 2, 3))

    def __init__(
        self,
        in_channels: int = 3,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        fused_channels: int = 64,
        dropout: float = 0.3,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(widths) != len(self.LEVELS) or any(width % 64 for width in widths):
            raise ValueError(f'widths must be five multiples of 64, got {tuple(widths)}')
        self.stem = ConvModule(in_channels, widths[0], 3, padding=1)
        below = (widths[0], *widths[:-1])
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        self.scaling_attention = nn.ModuleList()
        for width, outer, (encoders, _, decoders) in zip(widths, below, self.LEVELS, strict=True):
            ins = [outer] + [width] * (encoders - 1)
            outs = [width] * (decoders - 1) + [outer]
            self.encoder.append(nn.ModuleList(TransformerBottleneck(i, width, dropout) for i in ins))
            self.decoder.append(nn.ModuleList(TransformerBottleneck(width, o, dropout) for o in outs))
            self.scaling_attention.append(ScalingAttention(width, width + outer, fused_channels))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Fused maps (B, fused_channels, H / 2^n, W / 2^n), n = 0..4, of an image (B, 3, H, W)."""
        encoder_maps, indices, x = self._encode(image)
        outputs = []
        for level in reversed(range(len(self.LEVELS))):
            size = encoder_maps[level][-1].shape[-2:]
            x = F.max_unpool2d(x, indices[level], 2, output_size=size)
            decoder_maps = []
            for block in self.decoder[level]:
                x = block(x)
                decoder_maps.append(x)
            outputs.append(self.scaling_attention[level](encoder_maps[level], decoder_maps))
        return tuple(reversed(outputs))

    def _encode(self, image: Tensor) -> tuple[list[list[Tensor]], list[Tensor], Tensor]:
        """Every map of every level, the pooling indices, and the last pooled map."""
        if min(image.shape[-2:]) < 2 ** len(self.LEVELS):
            raise ValueError(
                f'CrackFormer pools five times and needs images of at least 32x32 pixels, got '
                f'{image.shape[-2]}x{image.shape[-1]}'
            )
        x = self.stem(image)
        encoder_maps, indices = [], []
        for level, (blocks, (_, repeats, _)) in enumerate(zip(self.encoder, self.LEVELS, strict=True)):
            maps = [x] if level == 0 else []
            for block in (*blocks, *[blocks[-1]] * (repeats - 1)):
                x = block(x)
                maps.append(x)
            encoder_maps.append(maps)
            x, index = F.max_pool2d(x, 2, return_indices=True)
            indices.append(index)
        return encoder_maps, indices, x
