"""Skeleton recall loss: the share of the true centre lines that a prediction misses."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from csbsr_mm.functional.label_skeletons import skeleton_tubes
from csbsr_mm.functional.soft_masks import Classes, soft_masks
from csbsr_mm.functional.topology import SMOOTH, skeleton_recall

from .per_image_loss import PerImageLoss
from .worker_maps import batch_of_maps


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
        >>> import torch
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
        self._tubes: list[Tensor] | None = None

    def set_tubes(self, tubes: Sequence[Tensor] | None, radius: int | None = None) -> None:
        """Hand over the tubes of the coming batch's labels, or None to compute them here.

        ``LabelSkeletonHook`` calls this with the tubes that ``SkeletonTubeTransform`` made in the data
        workers. They stay in use until the next call.

        Args:
            tubes: One (K, H, W) map an image, of 0 and 1; smaller than the label where that was padded at the
                right and at the bottom.
            radius: That of the tubes, to be compared with the loss's; None if not known.

        Raises:
            ValueError: The tubes have another radius.
        """
        if radius not in (None, self.radius):
            raise ValueError(
                f'the precomputed tubes have radius={radius}, the loss has radius={self.radius}; give '
                'SkeletonTubeTransform the same'
            )
        self._tubes = None if tubes is None else list(tubes)

    def per_image(
        self, logits: Tensor, label: Tensor, ignore_index: int | None, tubes: Tensor | None = None
    ) -> Tensor:
        """Missed share (B,) of each image's tubes.

        Args:
            logits: (B, C, H, W).
            label: (B, H, W) class of each pixel.
            ignore_index: Label of pixels that do not count, or None.
            tubes: (B, K, H, W) of :func:`skeleton_tubes`, made in the data workers; those of
                :meth:`set_tubes` if None, or else computed here, on the CPU.
        """
        classes = self.classes
        if classes == 'auto' and logits.shape[1] > 2:
            classes = tuple(range(1, logits.shape[1]))
        masks = soft_masks(logits, label, classes, ignore_index)
        if tubes is None and self._tubes is not None:
            tubes = batch_of_maps(self._tubes, masks.label, 'tubes', 'SkeletonTubeTransform')
        elif tubes is None:
            tubes = skeleton_tubes(label, masks.classes, self.radius)
        return skeleton_recall(masks, tubes.to(masks.prob.device), self.smooth)
