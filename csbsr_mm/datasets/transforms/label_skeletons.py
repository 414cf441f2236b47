"""Make the centre lines of labels where there is time: in the data workers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import TRANSFORMS
from torch import Tensor

from csbsr_mm.functional.label_skeletons import skeleton_tubes, soft_label_skeletons

from .label_map_transform import LabelMapTransform


@TRANSFORMS.register_module()
class SkeletonTubeTransform(LabelMapTransform):
    """Add the widened skeletons of a packed sample's label, for ``SkeletonRecallLoss``.

    They become the field ``gt_skeleton_tube`` (K, H, W; uint8, 0 and 1) of the data sample;
    ``LabelSkeletonHook`` hands them to every SkeletonRecallLoss. Without the hook, or for samples without
    them, the loss makes the same tubes itself, on the CPU.

    Args:
        classes: The K classes, as the loss uses them: the crack alone, ``(1,)``, for one or two logits;
            ``range(1, C)`` for C > 2 classes.
        radius: As of the loss.

    Raises:
        ValueError: ``classes`` are no class indices, or ``radius`` is negative.

    Example:
        >>> from mmengine.structures import PixelData
        >>> from mmseg.structures import SegDataSample
        >>> sample = SegDataSample(gt_sem_seg=PixelData(data=torch.ones(1, 3, 9).long()))
        >>> packed = SkeletonTubeTransform(radius=0).transform(dict(data_samples=sample))
        >>> packed['data_samples'].gt_skeleton_tube.data.sum(1).max()
        tensor(1)
    """

    field = 'gt_skeleton_tube'

    def __init__(self, classes: Sequence[int] = (1,), radius: int = 2) -> None:
        super().__init__(classes)
        if radius < 0:
            raise ValueError(f'radius must be >= 0 pixels, got {radius}')
        self.radius = radius

    def maps(self, label: Tensor) -> Tensor:
        """Tubes (K, H, W) of a label (H, W)."""
        return skeleton_tubes(label[None], self.classes, self.radius)[0].to(torch.uint8)

    def metainfo(self) -> dict:
        """The radius."""
        return dict(skeleton_tube_radius=self.radius)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(classes={self.classes}, radius={self.radius})'


@TRANSFORMS.register_module()
class SoftSkeletonTransform(LabelMapTransform):
    """Add the soft skeletons of a packed sample's label, for the terms of clDice.

    They become the field ``gt_soft_skeleton`` (K, H, W; uint8, 0 and 1) of the data sample;
    ``LabelSkeletonHook`` hands them to every CenterlineDiceLoss and BoundaryComboLoss. Without the hook, or
    for samples without them, the loss makes them itself. Where the batch is padded there is a difference: the
    loss sees a crack end at the padding that here, as in the photo, ends nowhere.

    Args:
        classes: The K classes, as the loss uses them: the crack alone, ``(1,)``, for one or two logits;
            ``range(C)`` for C > 2 classes.
        iterations: As of the loss.

    Raises:
        ValueError: ``classes`` are no class indices, or there is no iteration.

    Example:
        >>> SoftSkeletonTransform(iterations=5)
        SoftSkeletonTransform(classes=(1,), iterations=5)
    """

    field = 'gt_soft_skeleton'

    def __init__(self, classes: Sequence[int] = (1,), iterations: int = 10) -> None:
        super().__init__(classes)
        if iterations < 1:
            raise ValueError(f'iterations must be at least 1, got {iterations}')
        self.iterations = iterations

    def maps(self, label: Tensor) -> Tensor:
        """Soft skeletons (K, H, W) of a label (H, W)."""
        return soft_label_skeletons(label[None], self.classes, self.iterations)[0].to(torch.uint8)

    def metainfo(self) -> dict:
        """The number of iterations."""
        return dict(soft_skeleton_iterations=self.iterations)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(classes={self.classes}, iterations={self.iterations})'
