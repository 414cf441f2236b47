"""HRNet whose exchange layers align corners when they enlarge a map."""

from __future__ import annotations

from mmengine.model import Sequential
from mmseg.models.backbones.hrnet import HRModule, HRNet
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn


class AlignedHRModule(HRModule):
    """Exchange module that resizes once, bilinearly with ``align_corners=True``.

    MMSegmentation's enlarges by a power of two and then resizes to the branch's size, both with
    ``align_corners=False`` written in.
    """

    def _make_fuse_layers(self) -> nn.ModuleList | None:
        fuse_layers = super()._make_fuse_layers()
        for target, paths in enumerate(fuse_layers or ()):
            for source in range(target + 1, self.num_branches):
                paths[source] = paths[source][:2]
        return fuse_layers

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """Run every branch, then give each the sum of all, brought to its resolution and width."""
        x = [branch(feature) for branch, feature in zip(self.branches, x, strict=True)]
        if self.num_branches == 1:
            return x
        return [self.relu(self._fuse(paths, target, x)) for target, paths in enumerate(self.fuse_layers)]

    @staticmethod
    def _fuse(paths: nn.ModuleList, target: int, x: list[Tensor]) -> Tensor:
        size = x[target].shape[-2:]
        total = 0
        for source, feature in enumerate(x):
            moved = feature if source == target else paths[source](feature)
            if source > target:
                moved = resize(moved, size, mode='bilinear', align_corners=True, warning=False)
            total = total + moved
        return total


@MODELS.register_module()
class AlignedHRNet(HRNet):
    """HRNet as its authors, and those of CSBSR, released it: ``align_corners=True`` throughout.

    Arguments, parameters and their names are those of MMSegmentation's :class:`~mmseg.models.HRNet`, so
    that its ImageNet checkpoints load; only the resizing between branches differs.

    Reference:
        Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", TPAMI 2020.
    """

    def _make_stage(
        self, layer_config: dict, in_channels: list[int], multiscale_output: bool = True
    ) -> tuple[Sequential, list[int]]:
        count = layer_config['num_modules']
        modules = [
            AlignedHRModule(
                layer_config['num_branches'],
                self.blocks_dict[layer_config['block']],
                layer_config['num_blocks'],
                in_channels,
                layer_config['num_channels'],
                multiscale_output or index < count - 1,
                with_cp=self.with_cp,
                norm_cfg=self.norm_cfg,
                conv_cfg=self.conv_cfg,
            )
            for index in range(count)
        ]
        return Sequential(*modules), in_channels
