"""DBPN, the deep back-projection network: super-resolution that estimates no blur."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .border_map import convolve
from .input_checks import check_lr, check_scale
from .layers import RELEASED_INIT, BackProjection, ConvPReLU


@MODELS.register_module()
class DBPN(BaseModule):
    """Dense deep back-projection network, the non-blind S of CSSR.

    Up and down units alternate; each reads the features of all units of the other kind before it.

    Args:
        scale: Enlargement, 2, 4 or 8.
        num_stages: Up units, 2 to 10 (published: 2, 4, 6, 7, 8, 10).
        channels: Channels of the units.
        stem_channels: Channels of the first convolution.
        fold: See :func:`~csbsr_mm.models.sr.border_map.convolve`.
        init_cfg: Initialisation; None is the released one (Kaiming normal, zero biases).

    Raises:
        ValueError: An argument is outside its range.

    Reference:
        Haris et al., "Deep Back-Projection Networks for Super-Resolution", CVPR 2018.

    Example:
        >>> import torch
        >>> sr_image, blur_kernel = DBPN(num_stages=2, channels=8)(torch.rand(1, 3, 5, 7))
        >>> sr_image.shape, blur_kernel
        (torch.Size([1, 3, 20, 28]), None)
    """

    kernel_size = None

    def __init__(
        self,
        scale: int = 4,
        num_stages: int = 4,
        channels: int = 64,
        stem_channels: int = 256,
        fold: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or RELEASED_INIT)
        check_scale('DBPN', scale)
        if not 2 <= num_stages <= 10:
            raise ValueError(
                f'DBPN: num_stages must be 2 to 10, got {num_stages}; the released network has 4'
            )
        self.scale, self.fold = scale, fold
        self.features = nn.Sequential(
            ConvPReLU(3, stem_channels, 3, bias=True),
            ConvPReLU(stem_channels, channels, 1, bias=True),
        )

        def unit(up: bool, inputs: int) -> BackProjection:
            in_channels = channels * inputs if inputs > 1 else None
            return BackProjection(up, channels, scale, in_channels, bias=True, fold=fold)

        self.up = nn.ModuleList(unit(True, max(i, 1)) for i in range(num_stages))
        self.down = nn.ModuleList(unit(False, i + 1) for i in range(num_stages - 1))
        self.reconstruct = nn.Conv2d(channels * num_stages, 3, 3, padding=1)

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, None]:
        """Super-resolve ``lr`` (B, 3, h, w), RGB in [0, 1]; ``blur_kernel`` is not used.

        Returns:
            SR images (B, 3, s*h, s*w), not clipped, and None: there is no kernel.
        """
        check_lr('DBPN', lr)
        features = self.features(lr)
        low_maps: list[Tensor] = []
        high_maps: list[Tensor] = []
        for i, up in enumerate(self.up):
            high_maps.insert(0, up(*(low_maps or [features])))
            if i < len(self.down):
                low_maps.insert(0, self.down[i](*high_maps))
        return convolve(self.reconstruct, high_maps, self.fold), None
