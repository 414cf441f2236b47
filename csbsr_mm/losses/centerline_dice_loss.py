"""Centre-line Dice loss (clDice): connected cracks instead of many right pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from csbsr_mm.functional.soft_masks import Classes, soft_masks
from csbsr_mm.functional.topology import SMOOTH, centerline_dice

from .per_image_loss import PerImageLoss
from .worker_maps import batch_of_maps


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
        self._skeletons: list[Tensor] | None = None

    def set_skeletons(self, skeletons: Sequence[Tensor] | None, iterations: int | None = None) -> None:
        """Hand over the soft skeletons of the coming batch's labels, or None to compute them here.

        ``LabelSkeletonHook`` calls this with what ``SoftSkeletonTransform`` made in the data workers. They
        stay in use until the next call.

        Args:
            skeletons: One (K, H, W) map an image; smaller than the label where that was padded at the right
                and at the bottom.
            iterations: Those of the skeletons, to be compared with the loss's; None if not known.

        Raises:
            ValueError: The skeletons have other iterations.
        """
        check_iterations(iterations, self.iterations)
        self._skeletons = None if skeletons is None else list(skeletons)

    def per_image(
        self, logits: Tensor, label: Tensor, ignore_index: int | None, skeletons: Tensor | None = None
    ) -> Tensor:
        """1 - clDice (B,) of each image.

        Args:
            logits: (B, C, H, W).
            label: (B, H, W) class of each pixel.
            ignore_index: Label of pixels that do not count, or None.
            skeletons: (B, K, H, W) of :func:`~csbsr_mm.losses.soft_label_skeletons`; those of
                :meth:`set_skeletons` if None, or else computed here.
        """
        masks = soft_masks(logits, label, self.classes, ignore_index)
        if skeletons is None and self._skeletons is not None:
            skeletons = batch_of_maps(self._skeletons, masks.label, 'skeletons', 'SoftSkeletonTransform')
        return centerline_dice(masks, self.iterations, self.smooth, skeletons)


def check_iterations(given: int | None, wanted: int) -> None:
    """Refuse soft skeletons that were made otherwise than the loss makes them.

    Raises:
        ValueError: The numbers of iterations differ.
    """
    if given not in (None, wanted):
        raise ValueError(
            f'the precomputed skeletons have iterations={given}, the loss has iterations={wanted}; give '
            'SoftSkeletonTransform the same'
        )
