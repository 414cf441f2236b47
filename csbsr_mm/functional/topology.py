"""Terms on centre lines: an interrupted crack costs much, even if few pixels are missing.

With V_P the predicted probability, V_L the true mask and S_P, S_L their soft skeletons (clDice)::

    T_prec = sum S_P V_L / sum S_P      T_sens = sum S_L V_P / sum S_L
    clDice = 2 T_prec T_sens / (T_prec + T_sens)

With a skeleton of the true mask alone, widened to a tube T (skeleton recall)::

    R = sum T V_P / sum T
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .soft_masks import Classes, SoftMasks, soft_masks

SMOOTH = 1.0


def soft_skeleton(mask: Tensor, iterations: int = 10) -> Tensor:
    """Centre lines of soft masks by repeated erosion, differentiable.

    Args:
        mask: (B, K, H, W) in [0, 1].
        iterations: Erosions, at least half the width of the widest object in pixels.

    Returns:
        (B, K, H, W) in [0, 1].

    Reference:
        Shit et al., clDice - a novel topology-preserving loss function for tubular structure segmentation,
        CVPR 2021, Algorithm 1.

    Example:
        >>> line = torch.zeros(1, 1, 5, 7)
        >>> line[..., 1:4, 1:6] = 1
        >>> soft_skeleton(line, 2)[0, 0].nonzero().tolist()
        [[2, 2], [2, 3], [2, 4]]
    """
    # The erosion that opens a mask is the next mask, too.
    smaller = _eroded(mask)
    skeleton = F.relu(mask - _dilated(smaller))
    for _ in range(iterations):
        mask, smaller = smaller, _eroded(smaller)
        rest = F.relu(mask - _dilated(smaller))
        skeleton = skeleton + F.relu(rest - skeleton * rest)
    return skeleton


def centerline_dice_loss(
    logits: Tensor,
    target: Tensor,
    iterations: int = 10,
    classes: Classes = 'auto',
    smooth: float = SMOOTH,
    ignore_index: int | None = 255,
) -> Tensor:
    """1 - clDice of a batch, averaged over images.

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        iterations: As of :func:`soft_skeleton`.
        classes: Classes to average over: ``'auto'`` (the crack; all classes if more than two), ``'all'`` or
            indices.
        smooth: Added to both sides of both fractions, so that two empty masks have clDice 1.
        ignore_index: Label of pixels that do not count, or None.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: Shapes, labels or classes do not fit together.

    Example:
        >>> target = torch.zeros(1, 8, 8, dtype=torch.long)
        >>> target[:, 3:6] = 1
        >>> round(float(centerline_dice_loss(40.0 * target[:, None] - 20, target)), 4)
        0.0
    """
    return centerline_dice(soft_masks(logits, target, classes, ignore_index), iterations, smooth).mean()


def skeleton_recall_loss(
    logits: Tensor,
    target: Tensor,
    skeleton: Tensor,
    classes: Classes = 'auto',
    smooth: float = SMOOTH,
    ignore_index: int | None = 255,
) -> Tensor:
    """Share of the true masks' tubes that the prediction misses, averaged over images.

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        skeleton: (B, K, H, W) tubes of the K classes, 0 or 1.
        classes: As of :func:`centerline_dice_loss`.
        smooth: Added to both sides of the fraction, so that an image without a crack has recall 1.
        ignore_index: Label of pixels that do not count, or None.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: Shapes, labels or classes do not fit together.

    Reference:
        Kirchhoff et al., Skeleton recall loss for connectivity conserving and resource efficient
        segmentation of thin tubular structures, ECCV 2024.

    Example:
        >>> target = torch.zeros(1, 4, 9, dtype=torch.long)
        >>> target[:, 1:3] = 1
        >>> half = torch.full((1, 1, 4, 9), -20.0)
        >>> half[..., :5] = 20.0
        >>> round(float(skeleton_recall_loss(half, target, target[:, None], smooth=0)), 3)
        0.444
    """
    return skeleton_recall(soft_masks(logits, target, classes, ignore_index), skeleton, smooth).mean()


def centerline_dice(
    masks: SoftMasks, iterations: int = 10, smooth: float = SMOOTH, skeleton: Tensor | None = None
) -> Tensor:
    """1 - clDice (B,) of each image; see :func:`centerline_dice_loss`.

    Args:
        masks: Predicted and true masks.
        iterations: As of :func:`soft_skeleton`.
        smooth: Added to both sides of both fractions.
        skeleton: (B, K, H, W) soft skeletons of the true masks; computed here if None.

    Raises:
        ValueError: ``skeleton`` has another shape than the masks.
    """
    predicted = soft_skeleton(masks.prob, iterations)
    true = soft_skeleton(masks.target, iterations) if skeleton is None else _of_known(skeleton, masks)
    precision = _fraction(predicted, masks.target, smooth)
    sensitivity = _fraction(true, masks.prob, smooth)
    total = precision + sensitivity
    # Without any agreement both are 0, and so is their harmonic mean.
    dice = 2 * precision * sensitivity / torch.where(total > 0, total, 1)
    return (1 - dice).mean(1)


def skeleton_recall(masks: SoftMasks, skeleton: Tensor, smooth: float = SMOOTH) -> Tensor:
    """Missed share (B,) of each image's tubes; see :func:`skeleton_recall_loss`.

    Raises:
        ValueError: ``skeleton`` has another shape than the masks.
    """
    return (1 - _fraction(_of_known(skeleton, masks), masks.prob, smooth)).mean(1)


def _of_known(skeleton: Tensor, masks: SoftMasks) -> Tensor:
    """A skeleton in the masks' type, 0 where they are ignored."""
    if skeleton.shape != masks.prob.shape:
        raise ValueError(
            f'skeleton must be {tuple(masks.prob.shape)}, one map for each of the classes '
            f'{list(masks.classes)}, got {tuple(skeleton.shape)}'
        )
    line = skeleton.to(masks.prob)
    return line if masks.known is None else line * masks.known[:, None]


def _fraction(part: Tensor, of: Tensor, smooth: float) -> Tensor:
    """(B, K) share of ``part`` that lies in ``of``."""
    return ((part * of).sum((2, 3)) + smooth) / (part.sum((2, 3)) + smooth)


def _eroded(mask: Tensor) -> Tensor:
    """Minimum over each pixel and its four neighbours; nothing lies beyond the border."""
    rows = -F.max_pool2d(-mask, (3, 1), 1, (1, 0))
    columns = -F.max_pool2d(-mask, (1, 3), 1, (0, 1))
    return torch.minimum(rows, columns)


def _dilated(mask: Tensor) -> Tensor:
    """Maximum over each pixel and its eight neighbours."""
    return F.max_pool2d(mask, 3, 1, 1)
