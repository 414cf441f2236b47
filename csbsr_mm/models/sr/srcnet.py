"""SrcNet's super-resolution half: residual blocks at LR size, then sub-pixel convolutions."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .input_checks import check_lr, check_scale


@MODELS.register_module()
class SrcNet(BaseModule):
    """S of SrcNet (Table II b), which is trained alone before its SegNet learns on its SR images.

    SrcNet is a residual SR network followed by a crack detector; neither code nor weights were
    published. Where its description leaves the layers open, this is the baseline of EDSR, the residual
    network without batch norm of the same years: 16 blocks of 64 channels, 1.52 M parameters at scale 4.

    Args:
        scale: enlargement, 2, 4 or 8, by sub-pixel convolutions that double the size each.
        num_blocks: residual blocks, at least 1.
        channels: channels of the features.
        residual_scale: factor on what a block adds; below 1 for wide networks (EDSR uses 0.1 at 256).
        init_cfg: initialisation.

    Raises:
        ValueError: an argument is outside its range.

    Reference:
        Bae, Jang and An, "Deep super resolution crack network (SrcNet) for improving computer
        vision-based automated crack detectability in in situ bridges", Structural Health Monitoring
        2021; Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPRW 2017.

    Example:
        >>> import torch
        >>> sr_image, blur_kernel = SrcNet(num_blocks=2, channels=8)(torch.rand(1, 3, 5, 7))
        >>> sr_image.shape, blur_kernel
        (torch.Size([1, 3, 20, 28]), None)
    """

    kernel_size = None

    def __init__(
        self,
        scale: int = 4,
        num_blocks: int = 16,
        channels: int = 64,
        residual_scale: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_scale('SrcNet', scale)
        if num_blocks < 1:
            raise ValueError(f'SrcNet: num_blocks must be at least 1, got {num_blocks}; EDSR baseline has 16')
        self.scale = scale
        self.head = _conv(3, channels)
        self.blocks = nn.Sequential(
            *(ResidualBlock(channels, residual_scale) for _ in range(num_blocks)), _conv(channels, channels)
        )
        doublings = scale.bit_length() - 1
        self.upsample = nn.Sequential(
            *(nn.Sequential(_conv(channels, 4 * channels), nn.PixelShuffle(2)) for _ in range(doublings))
        )
        self.tail = _conv(channels, 3)

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, None]:
        """Super-resolve ``lr`` (B, 3, h, w), RGB in [0, 1]; ``blur_kernel`` is not used.

        Returns:
            SR images (B, 3, s*h, s*w), not clipped, and None: there is no kernel.
        """
        check_lr('SrcNet', lr)
        features = self.head(lr)
        features = features + self.blocks(features)
        return self.tail(self.upsample(features)), None


class ResidualBlock(nn.Module):
    """``x + residual_scale * conv(ReLU(conv(x)))``, without batch norm."""

    def __init__(self, channels: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.layers = nn.Sequential(
            _conv(channels, channels), nn.ReLU(inplace=True), _conv(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (B, C, h, w)."""
        return x + self.residual_scale * self.layers(x)


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)
