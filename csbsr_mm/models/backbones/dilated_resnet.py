"""ResNet with output stride 8, dilated in both convolutions of a block."""

from __future__ import annotations

from mmcv.cnn import build_conv_layer
from mmseg.models.backbones.resnet import BasicBlock, ResNet
from mmseg.models.utils import ResLayer
from mmseg.registry import MODELS


class DilatedBasicBlock(BasicBlock):
    """Residual block of two 3x3 convolutions that are both dilated; MMSegmentation dilates the first."""

    def __init__(
        self, inplanes: int, planes: int, *args, dilation: int = 1, conv_cfg: dict | None = None, **kwargs
    ) -> None:
        super().__init__(inplanes, planes, *args, dilation=dilation, conv_cfg=conv_cfg, **kwargs)
        self.conv2 = build_conv_layer(
            conv_cfg, planes, planes, 3, padding=dilation, dilation=dilation, bias=False
        )


@MODELS.register_module()
class DilatedResNet(ResNet):
    """ResNet-18/34 as in the released PSPNet: stages 3 and 4 keep the resolution of stage 2.

    Every block of a dilated stage but its first dilates both of its convolutions; the first block is
    not dilated. MMSegmentation's :class:`~mmseg.models.ResNet` dilates one convolution of a block, and its
    ``contract_dilation`` halves the dilation of a first block. Parameter names are those of ImageNet
    checkpoints, as in the base class.

    Args:
        depth: 18 or 34.
        strides: Stride of each stage.
        dilations: Dilation of each stage.
        **kwargs: As in MMSegmentation's ``ResNet``.

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; Yu et al., "Dilated Residual
        Networks", CVPR 2017.

    Example:
        >>> import torch
        >>> features = DilatedResNet(18, base_channels=8, stem_channels=8)(torch.rand(1, 3, 64, 96))
        >>> [tuple(x.shape) for x in features]
        [(1, 8, 16, 24), (1, 16, 8, 12), (1, 32, 8, 12), (1, 64, 8, 12)]
    """

    arch_settings = {18: (DilatedBasicBlock, (2, 2, 2, 2)), 34: (DilatedBasicBlock, (3, 4, 6, 3))}

    def __init__(
        self,
        depth: int = 34,
        strides: tuple[int, ...] = (1, 2, 1, 1),
        dilations: tuple[int, ...] = (1, 1, 2, 4),
        **kwargs,
    ) -> None:
        super().__init__(depth=depth, strides=strides, dilations=dilations, **kwargs)

    def make_res_layer(self, num_blocks: int, dilation: int, **kwargs) -> ResLayer:
        """One stage, its first block without dilation."""
        kwargs['multi_grid'] = (1, *[dilation] * (num_blocks - 1))
        return super().make_res_layer(num_blocks=num_blocks, dilation=dilation, **kwargs)
