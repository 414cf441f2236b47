"""Skeleton recall loss: the share of the true centre lines that a prediction misses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from csbsr_mm.functional.centerline import skeletonize
from csbsr_mm.functional.soft_masks import Classes, soft_masks
from csbsr_mm.functional.topology import SMOOTH, skeleton_recall

from .per_image_loss import PerImageLoss


class SkeletonRecallLoss(PerImageLoss):
    """Share of the truth's centre lines, widened to tubes, that the prediction misses.

    It needs no skeleton of the prediction, which makes it cheap, and it punishes no false alarm: add it to
    Dice or cross entropy.

    Args:
        radius: Pixels by which the skeleton is widened, within the mask.
        smooth: Added to both sides of the fraction.
        classes: ``'auto'`` (one or two logits: the crack; more: every class but the first), or class indices.
        reduction: ``'mean'`` or ``'sum'`` of the images' losses, ``'image'`` for one each (B,), or ``'none'``
            for one of each pixel (B, H, W).
        loss_weight: Factor of the result.
        loss_name: Name in MMSegmentation's log; keep the prefix ``loss_`` or it is not trained on.

    Raises:
        ValueError: A value is outside its range.

    Reference:
        Kirchhoff et al., Skeleton recall loss for connectivity conserving and resource efficient
        segmentation of thin tubular structures, ECCV 2024.

    Example:
        >>> loss = SkeletonRecallLoss()
        >>> label = torch.zeros(1, 16, 16, dtype=torch.long)
        >>> label[:, 6:9] = 1
        >>> bool(loss(20.0 * label[:, None], label) < loss(-20.0 * label[:, None], label))
        True
    """

    def __init__(
        self,
        radius: int = 2,
        smooth: float = SMOOTH,
        classes: Classes = 'auto',
        reduction: str = 'mean',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_skeleton_recall',
    ) -> None:
        super().__init__(smooth, classes, reduction, loss_weight, loss_name)
        if radius < 0:
            raise ValueError(f'radius must be >= 0 pixels, got {radius}')
        self.radius = radius

    def per_image(
        self, logits: Tensor, label: Tensor, ignore_index: int | None, tubes: Tensor | None = None
    ) -> Tensor:
        """Missed share (B,) of each image's tubes.

        Args:
            logits: (B, C, H, W).
            label: (B, H, W) class of each pixel.
            ignore_index: Label of pixels that do not count, or None.
            tubes: (B, K, H, W) of :func:`skeleton_tubes`, made in the data workers; computed here, on the
                CPU, if None.
        """
        classes = self.classes
        if classes == 'auto' and logits.shape[1] > 2:
            classes = tuple(range(1, logits.shape[1]))
        masks = soft_masks(logits, label, classes, ignore_index)
        if tubes is None:
            tubes = skeleton_tubes(label, masks.classes, self.radius)
        return skeleton_recall(masks, tubes.to(masks.prob.device), self.smooth)


@torch.compiler.disable
def skeleton_tubes(label: Tensor, classes: Sequence[int] = (1,), radius: int = 2) -> Tensor:
    """Skeletons of a label's masks, widened within the masks.

    Args:
        label: (B, H, W) class of each pixel.
        classes: The K classes.
        radius: Pixels by which a skeleton is widened, in each of the eight directions.

    Returns:
        (B, K, H, W) float32, 0 and 1.

    Example:
        >>> label = torch.zeros(1, 7, 30, dtype=torch.long)
        >>> label[:, 1:6] = 1
        >>> skeleton_tubes(label, radius=1)[0, 0].sum(0).max()
        tensor(3.)
    """
    side = 2 * radius + 1
    label = label[:, 0] if label.dim() == 4 else label
    maps = []
    for image in label.cpu():
        masks = [image == index for index in classes]
        lines = torch.stack([skeletonize(mask) for mask in masks]).float()
        wide = torch.nn.functional.max_pool2d(lines, side, 1, radius) if radius else lines
        maps.append(wide * torch.stack(masks))
    if not maps:
        return label.new_zeros((0, len(classes), *label.shape[1:]), dtype=torch.float32)
    return torch.stack(maps).to(label.device)
