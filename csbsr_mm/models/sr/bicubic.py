"""Bicubic enlargement in the place of a super-resolution network."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from .input_checks import check_lr


@MODELS.register_module()
class BicubicUpsampler(BaseModule):
    """Enlarge bicubically: no learned super-resolution, no parameters.

    Args:
        scale: Enlargement, a positive integer.
        init_cfg: Unused; there is nothing to initialise.

    Raises:
        ValueError: ``scale`` is no positive integer.

    Example:
        >>> import torch
        >>> sr_image, blur_kernel = BicubicUpsampler(scale=4)(torch.rand(1, 3, 5, 7))
        >>> sr_image.shape, blur_kernel
        (torch.Size([1, 3, 20, 28]), None)
    """

    kernel_size = None

    def __init__(self, scale: int = 4, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if scale < 1 or scale != int(scale):
            raise ValueError(
                f'BicubicUpsampler: scale must be a positive integer, got {scale}; the paper has 4'
            )
        self.scale = int(scale)

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, None]:
        """Enlarge ``lr`` (B, 3, h, w) to (B, 3, s*h, s*w), unclipped; ``blur_kernel`` is not used."""
        check_lr('BicubicUpsampler', lr)
        return enlarge_bicubic(lr, self.scale), None


def enlarge_bicubic(image: Tensor, scale: int) -> Tensor:
    """Enlarge (B, C, h, w) to (B, C, s*h, s*w), pixel centres at half-integers."""
    size = (image.shape[-2] * scale, image.shape[-1] * scale)
    return F.interpolate(image, size=size, mode='bicubic', align_corners=False)
