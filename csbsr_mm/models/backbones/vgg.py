"""VGG as a dense backbone: every block's output before it is pooled."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice


@MODELS.register_module()
class VGG(BaseModule):
    """Convolutional part of VGG, five blocks of 3x3 convolutions, halving the resolution between them.

    Layers are numbered as in torchvision, so that ImageNet checkpoints (``features.0.weight``, ...) load
    as they are; the classifier and the pooling after the last block are left out.

    Args:
        depth: 11, 13, 16 or 19.
        in_channels: Channels of the image.
        base_channels: Channels of the first block; the next ones have 2, 4, 8 and 8 times as many.
        strides: By how much each block's input is max-pooled; 1 leaves the pooling out.
        dilations: Dilation of each block's convolutions, to keep the receptive field where ``strides``
            leaves a pooling out.
        out_indices: Blocks whose outputs are returned; blocks after the last of them are not built.
        norm_cfg: Normalisation after each convolution; None for plain VGG.
        init_cfg: Initialisation, e.g. ``dict(type='Pretrained', checkpoint='imagenet://vgg16')``.

    Raises:
        ValueError: A depth that VGG does not have.

    Reference:
        Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR
        2015.

    Example:
        >>> import torch
        >>> features = VGG(16, base_channels=8)(torch.rand(1, 3, 32, 48))
        >>> [tuple(x.shape) for x in features]
        [(1, 8, 32, 48), (1, 16, 16, 24), (1, 32, 8, 12), (1, 64, 4, 6), (1, 64, 2, 3)]
    """

    arch_settings = {
        11: (1, 1, 2, 2, 2),
        13: (2, 2, 2, 2, 2),
        16: (2, 2, 3, 3, 3),
        19: (2, 2, 4, 4, 4),
    }

    def __init__(
        self,
        depth: int = 16,
        in_channels: int = 3,
        base_channels: int = 64,
        strides: Sequence[int] = (1, 2, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        check_choice('depth', depth, self.arch_settings)
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer='_BatchNorm'),
            ]
        super().__init__(init_cfg)
        self.norm_cfg = norm_cfg
        self.out_indices = tuple(out_indices)
        self.out_channels = tuple(base_channels * factor for factor in (1, 2, 4, 8, 8))
        self.stage_blocks = self.arch_settings[depth][: max(self.out_indices) + 1]
        layers: list[nn.Module] = []
        self.stage_ends: list[int] = []
        for stage, blocks in enumerate(self.stage_blocks):
            if stage > 0:
                layers.append(nn.MaxPool2d(strides[stage]) if strides[stage] > 1 else nn.Identity())
            for _ in range(blocks):
                layers += self._unit(in_channels, self.out_channels[stage], dilations[stage])
                in_channels = self.out_channels[stage]
            self.stage_ends.append(len(layers))
        self.features = nn.Sequential(*layers)

    def _unit(self, in_channels: int, out_channels: int, dilation: int) -> list[nn.Module]:
        """Convolution, normalisation and ReLU, side by side as torchvision numbers them."""
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        norm = [] if self.norm_cfg is None else [build_norm_layer(self.norm_cfg, out_channels)[1]]
        return [conv, *norm, nn.ReLU(inplace=True)]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Outputs of the chosen blocks for an image (B, 3, H, W), highest resolution first."""
        x = image
        outputs = []
        for number, layer in enumerate(self.features, start=1):
            x = layer(x)
            if number in self.stage_ends:
                outputs.append(x)
        return tuple(outputs[index] for index in self.out_indices)
