"""No super-resolution: images that already have the size of their labels."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from .input_checks import check_lr


@MODELS.register_module()
class IdentitySR(BaseModule):
    """Hand the image through: segmentation of HR images, the upper bound of Table II (a).

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 8, 8)
        >>> IdentitySR()(image)[0] is image
        True
    """

    scale = 1
    kernel_size = None

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, None]:
        """Return ``lr`` (B, 3, h, w) as it is, and no kernel; ``blur_kernel`` is not used."""
        check_lr('IdentitySR', lr)
        return lr, None
