"""What the losses of centre lines have in common: a number for each image, in MMSegmentation's call form."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from csbsr_mm.functional.soft_masks import Classes

from .reduction import check_reduction, reduced, spread


class PerImageLoss(nn.Module):
    """A loss of each image. A subclass gives :meth:`per_image`.

    Args:
        smooth: Added to both sides of fractions, >= 0.
        classes: ``'auto'``, ``'all'`` or class indices, as ``soft_masks`` takes them.
        reduction: ``'mean'`` or ``'sum'`` of the images' losses, ``'image'`` for one each (B,), or ``'none'``
            for one of each pixel (B, H, W).
        loss_weight: Factor of the result.
        loss_name: Name in MMSegmentation's log; keep the prefix ``loss_`` or it is not trained on.

    Raises:
        ValueError: A value is outside its range.
    """

    def __init__(
        self, smooth: float, classes: Classes, reduction: str, loss_weight: float, loss_name: str
    ) -> None:
        super().__init__()
        if not smooth >= 0:
            raise ValueError(f'smooth must be >= 0, got {smooth}')
        check_reduction(reduction)
        self.smooth, self.classes = smooth, classes
        self.reduction, self.loss_weight, self.loss_name = reduction, loss_weight, loss_name

    per_image: Callable[..., Tensor]
    """Loss (B,) of each image from logits, label and ``ignore_index``, without ``loss_weight``."""

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int | None = 255,
        **maps: Tensor,
    ) -> Tensor:
        """Loss of a batch, in MMSegmentation's call form.

        Args:
            cls_score: (B, C, H, W) logits: C = 1 (crack), or one per class; any float type.
            label: (B, H, W) class of each pixel.
            weight: Accepted and not used: a centre line has no weights of pixels.
            avg_factor: Divide the sum over the images by this instead of by their number.
            reduction_override: In place of ``reduction``.
            ignore_index: Label of pixels that do not count, or None.
            **maps: What the subclass takes beside the label.

        Returns:
            Scalar; (B,) with reduction ``'image'``; (B, H, W) with ``'none'``, every known pixel the loss of
            its image. float32 at least.

        Raises:
            ValueError: Shapes or labels do not fit together.
        """
        losses = self.loss_weight * self.per_image(cls_score, label, ignore_index, **maps)
        reduction = reduction_override or self.reduction
        if reduction == 'none':
            return spread(losses, label, ignore_index)
        return reduced(losses, reduction, avg_factor)
