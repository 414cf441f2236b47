"""Centre-line Dice loss (clDice): connected cracks instead of many right pixels."""

from __future__ import annotations

from torch import Tensor

from csbsr_mm.functional.soft_masks import Classes, soft_masks
from csbsr_mm.functional.topology import SMOOTH, centerline_dice

from .per_image_loss import PerImageLoss


class CenterlineDiceLoss(PerImageLoss):
    """1 - clDice of logits: how far the centre lines of prediction and truth lie in the other's mask.

    It hardly depends on the width of a crack. Add it to Dice or cross entropy, or use
    ``BoundaryComboLoss(topology='centerline_dice')``.

    Args:
        iterations: Erosions of the soft skeleton, at least half the width of the widest crack in pixels.
        smooth: Added to both sides of both fractions.
        classes: ``'auto'`` (one or two logits: the crack; more: every class), ``'all'`` or class indices.
        reduction: ``'mean'`` or ``'sum'`` of the images' losses, ``'image'`` for one each (B,), or ``'none'``
            for one of each pixel (B, H, W).
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
        super().__init__(smooth, classes, reduction, loss_weight, loss_name)
        if iterations < 1:
            raise ValueError(f'iterations must be at least 1, got {iterations}')
        self.iterations = iterations

    def per_image(self, logits: Tensor, label: Tensor, ignore_index: int | None) -> Tensor:
        """1 - clDice (B,) of each image."""
        masks = soft_masks(logits, label, self.classes, ignore_index)
        return centerline_dice(masks, self.iterations, self.smooth)
