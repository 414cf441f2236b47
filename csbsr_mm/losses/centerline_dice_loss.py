"""Centre-line Dice loss (clDice): connected cracks instead of many right pixels."""

from __future__ import annotations

from torch import Tensor, nn

from csbsr_mm.functional.soft_masks import Classes, soft_masks
from csbsr_mm.functional.topology import SMOOTH, centerline_dice

from .reduction import check_reduction, reduced


class CenterlineDiceLoss(nn.Module):
    """1 - clDice of logits: how far the centre lines of prediction and truth lie in the other's mask.

    Alone it says little about the width of a crack: add it to Dice or cross entropy, or use
    ``BoundaryComboLoss(topology='centerline_dice')``.

    Args:
        iterations: Erosions of the soft skeleton, at least half the width of the widest crack in pixels.
        smooth: Added to both sides of both fractions.
        classes: ``'auto'`` (one or two logits: the crack; more: every class), ``'all'`` or class indices.
        reduction: ``'mean'`` or ``'sum'`` of the images' losses, or ``'none'`` for one each (B,).
        loss_weight: Factor of the result.
        loss_name: Name in MMSegmentation's log; keep the prefix ``loss_`` or it is not trained on.

    Raises:
        ValueError: A value is outside its range.

    Reference:
        Shit et al., clDice - a novel topology-preserving loss function for tubular structure segmentation,
        CVPR 2021.

    Example:
        >>> import torch
        >>> loss = CenterlineDiceLoss(iterations=3)
        >>> loss(torch.randn(2, 2, 16, 16), torch.randint(2, (2, 16, 16))).shape
        torch.Size([])
    """

    def __init__(
        self,
        iterations: int = 10,
        smooth: float = SMOOTH,
        classes: Classes = 'auto',
        reduction: str = 'mean',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_cldice',
    ) -> None:
        super().__init__()
        if iterations < 1:
            raise ValueError(f'iterations must be at least 1, got {iterations}')
        if not smooth >= 0:
            raise ValueError(f'smooth must be >= 0, got {smooth}')
        check_reduction(reduction)
        self.iterations, self.smooth, self.classes = iterations, smooth, classes
        self.reduction, self.loss_weight, self.loss_name = reduction, loss_weight, loss_name

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int | None = 255,
    ) -> Tensor:
        """Loss of a batch, in MMSegmentation's call form.

        Args:
            cls_score: (B, C, H, W) logits: C = 1 (crack), or one per class; any float type.
            label: (B, H, W) class of each pixel.
            weight: Accepted and not used: a centre line has no weights of pixels.
            avg_factor: Divide the sum over the images by this instead of by their number.
            reduction_override: In place of ``reduction``.
            ignore_index: Label of pixels that do not count, or None.

        Returns:
            Scalar, or (B,) with reduction ``'none'``; float32 at least.

        Raises:
            ValueError: Shapes or labels do not fit together.
        """
        masks = soft_masks(cls_score, label, self.classes, ignore_index)
        per_image = self.loss_weight * centerline_dice(masks, self.iterations, self.smooth)
        return reduced(per_image, reduction_override or self.reduction, avg_factor)
