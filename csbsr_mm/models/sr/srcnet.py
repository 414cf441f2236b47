"""SrcNet's super-resolution half: gated blocks at LR size, then one transposed convolution."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .input_checks import check_lr, check_scale

# Kernel size, stride and padding of the transposed convolution: its output is exactly `scale` times as large.
UPSCALING = {2: (6, 2, 2), 4: (8, 4, 2), 8: (12, 8, 2)}


@MODELS.register_module()
class SrcNet(BaseModule):
    """S of SrcNet (Table II b), as the authors of CSBSR released it; not blind.

    Ten groups of twenty gated blocks, each group and all groups together with a skip connection.
    A block has none: the signal through it is a product, and with the initial weights (PyTorch's own)
    a group starts as nearly the identity plus a constant. 17.07 M parameters at scale 4.

    Args:
        scale: Enlargement, 2, 4 or 8.
        num_groups: Groups in series, at least 1.
        num_blocks: Blocks of a group, at least 1.
        channels: Channels of the features, even.
        init_cfg: Initialisation; None keeps PyTorch's own, as released.

    Raises:
        ValueError: An argument is outside its range.

    Reference:
        Bae, Jang and An, "Deep super resolution crack network (SrcNet) for improving computer
        vision-based automated crack detectability in in situ bridges", Structural Health Monitoring
        2021; the layers are those of the code of Kondo and Ukita, IEEE TIM 2024.

    Example:
        >>> import torch
        >>> network = SrcNet(num_groups=1, num_blocks=2, channels=8)
        >>> sr_image, blur_kernel = network(torch.rand(1, 3, 5, 7))
        >>> sr_image.shape, blur_kernel
        (torch.Size([1, 3, 20, 28]), None)
    """

    kernel_size = None

    def __init__(
        self,
        scale: int = 4,
        num_groups: int = 10,
        num_blocks: int = 20,
        channels: int = 64,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_scale('SrcNet', scale)
        if min(num_groups, num_blocks) < 1:
            raise ValueError(
                f'SrcNet: num_groups and num_blocks must be at least 1, got {num_groups} and {num_blocks}; '
                f'the released network has 10 and 20'
            )
        if channels < 2 or channels % 2:
            raise ValueError(f'SrcNet: channels must be even and positive, got {channels}; released: 64')
        self.scale = scale
        self.head = _conv(3, channels)
        groups = (ResidualGroup(channels, num_blocks) for _ in range(num_groups))
        self.body = nn.Sequential(*groups, _conv(channels, channels))
        kernel, stride, padding = UPSCALING[scale]
        self.upscale = nn.ConvTranspose2d(channels, 4 * channels, kernel, stride, padding)
        self.tail = _conv(4 * channels, 3)

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, None]:
        """Super-resolve ``lr`` (B, 3, h, w), RGB in [0, 1]; ``blur_kernel`` is not used.

        Returns:
            SR images (B, 3, s*h, s*w), not clipped, and None: there is no kernel.
        """
        check_lr('SrcNet', lr)
        features = self.head(lr)
        return self.tail(self.upscale(features + self.body(features))), None


class ResidualGroup(nn.Module):
    """``x + conv(blocks(x))``."""

    def __init__(self, channels: int, num_blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(GatedBlock(channels) for _ in range(num_blocks)))
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the group to (B, C, h, w)."""
        return x + self.conv(self.blocks(x))


class GatedBlock(nn.Module):
    """``gate(m) * m`` with ``m = conv(ReLU(conv(x)))``; no skip connection.

    The gate is one factor >= 0 for each channel, from the channel means. It has the sigmoid inside and
    ReLU outside, the other way round than squeeze-and-excitation: it is not bounded by 1, and a channel
    whose factor is 0 is dead for that image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(channels, channels), nn.ReLU(inplace=True), _conv(channels, channels)
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 2, 1),
            nn.Sigmoid(),
            nn.Conv2d(channels // 2, channels, 1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (B, C, h, w)."""
        features = self.layers(x)
        return self.gate(features) * features


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)
