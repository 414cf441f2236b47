"""Blur skip: the estimated blur kernel conditions the last features of a segmentation network."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice

from ..sr.input_checks import check_blur_kernel, check_kernel_size
from ..sr.layers import SpatialFeatureTransform


@MODELS.register_module()
class BlurSkipNeck(BaseModule):
    """Condition features on the blur kernel by spatial feature transforms (SFT) and add the result.

    ``features + block_2(sft_2(block_1(sft_1(features))))``, where a block is convolution, batch norm,
    ReLU. Two ways to use it: as ``blur_skip`` of ``BlindSRSegmentor``, which conditions the features in
    front of the segmentation network's classifier; or as an ordinary ``neck`` between backbone and head,
    where :meth:`set_blur_kernel` must be called before.

    Args:
        in_channels: Channels of the features.
        kernel_size: Side K of the blur kernel, odd.
        num_blocks: Pairs of transform and block.
        sft: ``'modified'``: scale and shift are computed from features and kernel; ``'original'``: from
            the kernel alone.
        in_index: Which map of a backbone's tuple is conditioned when used as a neck; the others pass.
        norm_cfg: Normalisation of the blocks.
        fold: See :func:`~csbsr_mm.models.sr.border_map.convolve`.
        kernel_code: Length of the code that stands for the kernel, computed by a learned linear map; None
            conditions the features on all K*K values, as published. A transform's inner maps have as many
            channels as features and condition together; a short code makes them that much narrower.
        init_cfg: Initialisation.

    Raises:
        ValueError: An argument is outside its range.

    Reference:
        Kondo and Ukita, IEEE TIM 2024, Sec. III-D, Table VI; Wang et al., "Recovering Realistic Texture
        in Image Super-Resolution by Deep Spatial Feature Transform", CVPR 2018 (the original SFT).

    Example:
        >>> import torch
        >>> blur_skip = BlurSkipNeck(in_channels=8, kernel_size=5).eval()
        >>> features, blur_kernel = torch.rand(2, 8, 6, 7), torch.full((2, 1, 5, 5), 1 / 25)
        >>> blur_skip(features, blur_kernel).shape
        torch.Size([2, 8, 6, 7])
    """

    def __init__(
        self,
        in_channels: int = 64,
        kernel_size: int = 21,
        num_blocks: int = 2,
        sft: str = 'modified',
        in_index: int = -1,
        norm_cfg: dict | None = None,
        fold: bool = True,
        kernel_code: int | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_kernel_size('BlurSkipNeck', 'kernel_size', kernel_size)
        check_choice('BlurSkipNeck: sft', sft, ('modified', 'original'))
        if num_blocks < 1:
            raise ValueError(
                f'BlurSkipNeck: num_blocks must be at least 1, got {num_blocks}; '
                'leave the blur skip out of the model to have none'
            )
        if kernel_code is not None and kernel_code < 1:
            raise ValueError(f'BlurSkipNeck: kernel_code must be at least 1, or None, got {kernel_code}')
        self.in_channels, self.kernel_size, self.in_index = in_channels, kernel_size, in_index
        self.kernel_code = None if kernel_code is None else nn.Conv2d(kernel_size**2, kernel_code, 1)
        self.transforms = nn.ModuleList(
            SpatialFeatureTransform(
                in_channels,
                kernel_code or kernel_size**2,
                _prelu,
                see_features=sft == 'modified',
                fold=fold,
            )
            for _ in range(num_blocks)
        )
        self.blocks = nn.ModuleList(
            ConvModule(
                in_channels,
                in_channels,
                3,
                padding=1,
                norm_cfg=norm_cfg or dict(type='BN'),
            )
            for _ in range(num_blocks)
        )
        self._blur_kernel: Tensor | None = None

    def set_blur_kernel(self, blur_kernel: Tensor | None) -> None:
        """Keep the kernel (B, 1, K, K) for calls without one; None forgets it, as after every batch."""
        self._blur_kernel = blur_kernel

    def forward(
        self, features: Tensor | Sequence[Tensor], blur_kernel: Tensor | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Condition features on the kernel.

        Args:
            features: (B, C, h, w), or a backbone's tuple of maps, of which one is conditioned.
            blur_kernel: (B, 1, K, K) of unit sum; None takes the one that was set.

        Returns:
            What came in, conditioned: a map of the same shape, or a tuple.

        Raises:
            ValueError: There is no kernel, or its shape does not match.
        """
        if blur_kernel is None:
            blur_kernel = self._blur_kernel
        if blur_kernel is None:
            raise ValueError(
                'BlurSkipNeck: no blur kernel; pass blur_kernel, or call set_blur_kernel before forward'
            )
        if isinstance(features, Tensor):
            return self._condition(features, blur_kernel)
        maps = list(features)
        maps[self.in_index] = self._condition(maps[self.in_index], blur_kernel)
        return tuple(maps)

    def _condition(self, features: Tensor, blur_kernel: Tensor) -> Tensor:
        if features.shape[1] != self.in_channels:
            raise ValueError(
                f'BlurSkipNeck: features have {features.shape[1]} channels, in_channels is '
                f'{self.in_channels}; give it the number of channels that enter the classifier'
            )
        check_blur_kernel('BlurSkipNeck', blur_kernel, features.shape[0], self.kernel_size)
        condition = blur_kernel.flatten(1)[..., None, None]
        if self.kernel_code is not None:
            condition = self.kernel_code(condition)
        out = features
        for transform, block in zip(self.transforms, self.blocks, strict=True):
            out = block(transform(out, condition))
        return features + out


def _prelu() -> nn.PReLU:
    return nn.PReLU(init=0.01)
