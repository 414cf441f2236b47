"""U-Net decoder for VGG's five blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, build_upsample_layer
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice

UPSAMPLE = ('pixel_shuffle', 'deconv', 'bilinear')


class UpBlock(BaseModule):
    """Double the resolution of a map, in one of three ways.

    - ``pixel_shuffle``: a 3x3 convolution to four times ``out_channels``, rearranged.
    - ``deconv``: a 3x3 convolution to twice ``out_channels``, ReLU, a 4x4 transposed convolution.
    - ``bilinear``: interpolation, a 3x3 convolution to twice ``out_channels``, ReLU, a 3x3 convolution.

    Each ends with a ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, upsample: str) -> None:
        super().__init__()
        middle = 2 * out_channels
        if upsample == 'pixel_shuffle':
            layers = [
                build_upsample_layer(
                    dict(type='pixel_shuffle', scale_factor=2, upsample_kernel=3),
                    in_channels=in_channels,
                    out_channels=out_channels,
                )
            ]
        elif upsample == 'deconv':
            layers = [
                ConvModule(in_channels, middle, 3, padding=1),
                build_upsample_layer(
                    dict(type='deconv', kernel_size=4, stride=2, padding=1),
                    in_channels=middle,
                    out_channels=out_channels,
                ),
            ]
        else:
            layers = [
                build_upsample_layer(dict(type='bilinear', scale_factor=2, align_corners=False)),
                ConvModule(in_channels, middle, 3, padding=1),
                nn.Conv2d(middle, out_channels, 3, padding=1),
            ]
        self.layers = nn.Sequential(*layers, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, h, w) -> (B, out_channels, 2h, 2w)."""
        return self.layers(x)


@MODELS.register_module()
class VGGUNetHead(BaseDecodeHead):
    """U-Net decoder that joins the five outputs of :class:`VGG`, deepest first, and classifies at full size.

    The deepest map is enlarged as it is; every later step concatenates the enlarged map with the encoder
    map of its resolution, in this order. Where an odd size was halved, the enlarged map is resized to
    its encoder map.

    Args:
        in_channels: Channels of the encoder maps, highest resolution first.
        channels: Channels of the last convolution, which ``conv_seg`` classifies.
        up_channels: Channels of the enlarging steps, deepest first, one fewer than encoder maps.
        upsample: 'pixel_shuffle' as released, 'deconv' or 'bilinear'.
        in_index: Which of the backbone's outputs to use.
        dropout_ratio: Channel dropout before ``conv_seg``; the released model has none.
        **kwargs: As in MMSegmentation's ``BaseDecodeHead``.

    Raises:
        ValueError: An unknown ``upsample``.

    Reference:
        Ronneberger et al., "U-Net", MICCAI 2015; Iglovikov and Shvets, "TernausNet", 2018.

    Example:
        >>> import torch
        >>> head = VGGUNetHead(in_channels=(4, 4, 8, 8, 8), channels=4, up_channels=(8, 8, 4, 4),
        ...                    num_classes=2, out_channels=1, threshold=0.5)
        >>> sizes = ((50, 37), (25, 18), (12, 9), (6, 4), (3, 2))
        >>> head([torch.rand(1, c, *s) for c, s in zip((4, 4, 8, 8, 8), sizes)]).shape
        torch.Size([1, 1, 50, 37])
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 128, 256, 512, 512),
        channels: int = 32,
        *,
        up_channels: Sequence[int] = (256, 256, 128, 64),
        upsample: str = 'pixel_shuffle',
        in_index: Sequence[int] = (0, 1, 2, 3, 4),
        dropout_ratio: float = 0.0,
        **kwargs,
    ) -> None:
        check_choice('upsample', upsample, UPSAMPLE)
        super().__init__(
            in_channels,
            channels,
            in_index=in_index,
            input_transform='multiple_select',
            dropout_ratio=dropout_ratio,
            **kwargs,
        )
        deepest, *skips = reversed(in_channels)
        joined = [deepest] + [up + skip for up, skip in zip(up_channels, skips, strict=True)]
        self.up_blocks = nn.ModuleList(
            UpBlock(i, o, upsample) for i, o in zip(joined, up_channels, strict=False)
        )
        self.last_conv = ConvModule(joined[-1], channels, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, out_channels, H, W), as large as the first of the encoder maps."""
        *skips, x = self._transform_inputs(inputs)
        for block, skip in zip((*self.up_blocks, self.last_conv), (*reversed(skips), None), strict=True):
            x = block(x)
            if skip is not None:
                x = torch.cat([self._match(x, skip), skip], dim=1)
        return self.cls_seg(x)

    def _match(self, x: Tensor, skip: Tensor) -> Tensor:
        if x.shape[-2:] == skip.shape[-2:]:
            return x
        return resize(x, skip.shape[-2:], mode='bilinear', align_corners=self.align_corners, warning=False)
