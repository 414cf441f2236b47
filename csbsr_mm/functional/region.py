"""Region terms of the boundary combo loss, from logits: cross entropy, Dice, generalised Dice.

With s_c the predicted probability of class c (sigmoid or softmax of the logits), g_c its true mask
and N the number of pixels of an image that are not ignored::

    WCE   = - sum_x sum_c w_c g_c(x) log s_c(x) / (N sum_c w_c)                 over all classes
    Dice  = 1 - (2 sum s g + e) / (sum s^2 + sum g + e)                                  e = 1e-6
    GDice = 1 - 2 (sum v_c s_c g_c + e) / (sum v_c (s_c + g_c) + e),  v_c = 1 / (sum_x g_c + e)^2
                                                                                         e = 1e-5

The sums of Dice and GDice run over the pixels of one image and over the chosen classes: the crack
alone by default, as the authors' code has it, both classes (``classes='all'``) as their paper
prints it. GDice's weight v is the code's; the paper prints 1 / sum_x g_c. WCE is Eq. 8, Dice Eq. 6
and GDice Eq. 7, which lack the "1 -" of both and the "-" of the first.

Each public loss comes in four reductions: ``'mean'`` and ``'sum'`` over the images, one value an
``'image'``, or a ``'pixel'`` map whose mean over an image's known pixels is the image's value (0
where ignored; Dice, which belongs to the image as a whole, has the same value at all its pixels).

Reference: Eq. 6-8 of Kondo and Ukita, Joint Learning of Blind Super-Resolution and Crack
Segmentation for Realistic Degraded Images; Sudre et al., Generalised Dice overlap, 2017.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ._arrays import array_or_tensor
from .soft_masks import Classes, SoftMasks, soft_masks

Reduction = Literal['mean', 'sum', 'image', 'pixel']
ClassWeight = Sequence[float] | Tensor


@array_or_tensor
def weighted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    class_weight: ClassWeight | None = None,
    *,
    weight: Tensor | None = None,
    ignore_index: int | None = 255,
    reduction: Reduction = 'mean',
) -> Tensor:
    """Cross entropy, weighted by class and divided by the sum of the classes' weights.

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        class_weight: Weight of each class, background first; None = 1 each. Equal weights give the
            usual cross entropy divided by the number of classes.
        weight: (B, H, W) factor of each pixel, or None.
        ignore_index: Label of pixels that do not count, or None.
        reduction: ``'mean'``, ``'sum'``, ``'image'`` (B,) or ``'pixel'`` (B, H, W).

    Returns:
        The loss.

    Raises:
        ValueError: Shapes, labels or class weights do not fit together.

    Example:
        >>> logits, target = torch.zeros(1, 1, 2, 2), torch.tensor([[[0, 0], [0, 1]]])
        >>> weighted_cross_entropy(logits, target)  # log(2) / 2
        tensor(0.3466)
    """
    masks = soft_masks(logits, target, ignore_index=ignore_index)
    if reduction == 'pixel':
        return cross_entropy_pixels(masks, class_weight, weight)
    return reduce_images(cross_entropy(masks, class_weight, weight), masks, reduction)


@array_or_tensor
def dice_loss(
    logits: Tensor,
    target: Tensor,
    classes: Classes = 'auto',
    *,
    weight: Tensor | None = None,
    smooth: float = 1e-6,
    ignore_index: int | None = 255,
    reduction: Reduction = 'mean',
) -> Tensor:
    """Dice loss with squared probabilities, in [0, 1].

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        classes: Classes to sum over: ``'auto'`` (the crack; all classes if more than two),
            ``'all'`` or indices.
        weight: (B, H, W) factor of each pixel in every sum, or None.
        smooth: Term e that settles 0 / 0.
        ignore_index: Label of pixels that do not count, or None.
        reduction: ``'mean'``, ``'sum'``, ``'image'`` (B,) or ``'pixel'`` (B, H, W).

    Returns:
        The loss; near 1 for an image without a crack.

    Raises:
        ValueError: Shapes, labels or classes do not fit together.

    Example:
        >>> logits, target = torch.tensor([[[[-20.0, 20.0]]]]), torch.tensor([[[0, 1]]])
        >>> dice_loss(logits, target), dice_loss(-logits, target)
        (tensor(0.), tensor(1.0000))
    """
    masks = soft_masks(logits, target, classes, ignore_index)
    return reduce_images(dice(masks, weight, smooth), masks, reduction)


@array_or_tensor
def generalized_dice_loss(
    logits: Tensor,
    target: Tensor,
    classes: Classes = 'auto',
    *,
    weight: Tensor | None = None,
    smooth: float = 1e-5,
    ignore_index: int | None = 255,
    reduction: Reduction = 'mean',
) -> Tensor:
    """Dice loss whose classes weigh by the inverse square of their size in the image.

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        classes: Classes to sum over: ``'auto'`` (the crack; all classes if more than two),
            ``'all'`` or indices.
        weight: (B, H, W) factor of each pixel in every sum, or None.
        smooth: Term e in numerator, denominator and class size. Not negligible beside v of a large
            crack, and part of the published definition: at best the loss falls slightly below 0.
        ignore_index: Label of pixels that do not count, or None.
        reduction: ``'mean'``, ``'sum'``, ``'image'`` (B,) or ``'pixel'`` (B, H, W).

    Returns:
        The loss; near 1 for an image without a crack.

    Raises:
        ValueError: Shapes, labels or classes do not fit together.

    Example:
        >>> logits, target = torch.tensor([[[[-20.0, 20.0]]]]), torch.tensor([[[0, 1]]])
        >>> round(generalized_dice_loss(-logits, target).item(), 4)
        1.0
    """
    masks = soft_masks(logits, target, classes, ignore_index)
    return reduce_images(generalized_dice(masks, weight, smooth), masks, reduction)


def cross_entropy(
    masks: SoftMasks, class_weight: ClassWeight | None = None, weight: Tensor | None = None
) -> Tensor:
    """Weighted cross entropy (B,) of each image; see :func:`weighted_cross_entropy`."""
    if class_weight is None:
        return masks.pixel_mean(_weighted(masks.nll, weight)) / masks.num_classes
    return masks.pixel_mean(cross_entropy_pixels(masks, class_weight, weight))


def cross_entropy_pixels(
    masks: SoftMasks, class_weight: ClassWeight | None = None, weight: Tensor | None = None
) -> Tensor:
    """Weighted cross entropy (B, H, W) of each pixel; see :func:`weighted_cross_entropy`."""
    if class_weight is None:
        return _weighted(masks.nll / masks.num_classes, weight)
    if len(class_weight) != masks.num_classes:
        raise ValueError(
            f'class_weight must have one weight for each of {masks.num_classes} classes, background '
            f'first, got {len(class_weight)}'
        )
    weights = torch.as_tensor(class_weight, dtype=masks.logits.dtype, device=masks.logits.device)
    share = weights / weights.sum()
    if masks.classes == (1,) and masks.num_classes == 2:
        factor = torch.where(masks.target[:, 0] > 0, share[1], share[0])
    else:
        factor = share[masks.label]
    return masks.nll * _weighted(factor, weight)


def dice(masks: SoftMasks, weight: Tensor | None = None, smooth: float = 1e-6) -> Tensor:
    """Dice loss (B,) of each image; see :func:`dice_loss`."""
    overlap = _class_sums(masks.prob * masks.target, weight).sum(1)
    size = (_class_sums(masks.prob.square(), weight) + _class_sums(masks.target, weight)).sum(1)
    return 1 - (2 * overlap + smooth) / (size + smooth)


def generalized_dice(masks: SoftMasks, weight: Tensor | None = None, smooth: float = 1e-5) -> Tensor:
    """Generalised Dice loss (B,) of each image; see :func:`generalized_dice_loss`.

    An image with nothing but ignored pixels gets 0. Of several classes, one that is absent from the
    image weighs as much as the smallest that is present: its own v = 1 / e^2 would outweigh all others.
    """
    size = masks.target.sum((-2, -1))
    class_weight = 1 / (size + smooth).square()
    if size.shape[1] > 1:
        largest = class_weight.masked_fill(size == 0, 0).amax(1, keepdim=True)
        class_weight = torch.where(size > 0, class_weight, largest)
    overlap = (class_weight * _class_sums(masks.prob * masks.target, weight)).sum(1)
    total = _class_sums(masks.prob, weight) + _class_sums(masks.target, weight)
    total = (class_weight * total).sum(1)
    return (1 - 2 * (overlap + smooth) / (total + smooth)) * (masks.num_known > 0)


def reduce_images(per_image: Tensor, masks: SoftMasks, reduction: Reduction) -> Tensor:
    """Bring values (B,) of images into the form that ``reduction`` names."""
    if reduction == 'mean':
        return per_image.mean()
    if reduction == 'sum':
        return per_image.sum()
    if reduction == 'image':
        return per_image
    if reduction == 'pixel':
        per_pixel = per_image[:, None, None].expand(masks.label.shape)
        return per_pixel if masks.known is None else per_pixel * masks.known
    raise ValueError(f"reduction must be 'mean', 'sum', 'image' or 'pixel', got {reduction!r}")


def _class_sums(values: Tensor, weight: Tensor | None) -> Tensor:
    """Sums (B, K) of (B, K, H, W) over the pixels, each times its weight (B, H, W)."""
    return _weighted(values, None if weight is None else weight[:, None]).sum((-2, -1))


def _weighted(values: Tensor, weight: Tensor | None) -> Tensor:
    return values if weight is None else values * weight
