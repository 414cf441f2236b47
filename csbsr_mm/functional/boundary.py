"""Boundary term of the boundary combo loss (Eq. 4-5): how far from the crack's outline errors lie.

Integrated over the region that a prediction claims, the signed distance phi to the true outline
(positive outside, negative inside) is smallest when the claim is the crack itself::

    B = sum_x phi(x) s(x) / N                                                            (Eq. 5)
    phi(x) = - distance to the outline inside the crack, + distance to it outside

with phi as defined after Eq. 4. The paper integrates, the released code takes the mean, as here;
s is the predicted probability and N the number of pixels not ignored. The term is linear in s and
can be negative: on a perfect prediction it is the mean of phi over the crack, not 0.

Reference: Eq. 4-5 of Kondo and Ukita, Joint Learning of Blind Super-Resolution and Crack
Segmentation for Realistic Degraded Images; Kervadec et al., Boundary loss for highly unbalanced
segmentation, 2019.
"""

import torch
from torch import Tensor

from ._arrays import array_or_tensor
from ._tensors import is_compiling, is_on_device
from .distance import signed_distance
from .region import Reduction, reduce_images
from .soft_masks import Classes, SoftMasks, soft_masks


@array_or_tensor
def boundary_loss(
    logits: Tensor,
    target: Tensor,
    distance_map: Tensor | None = None,
    classes: Classes = 'auto',
    *,
    normalize: bool = True,
    weight: Tensor | None = None,
    ignore_index: int | None = 255,
    reduction: Reduction = 'mean',
) -> Tensor:
    """Boundary term: mean over the pixels of probability times signed distance.

    Args:
        logits: (B, 1, H, W) of the crack or (B, C, H, W), one per class.
        target: (B, H, W) class of each pixel.
        distance_map: (B, K, H, W) signed distances, one map a class, as :func:`boundary_map` makes
            them from ``target`` if None.
        classes: Classes to average over: ``'auto'`` (the crack; all classes if more than two),
            ``'all'`` or indices.
        normalize: Whether maps computed here are normalised to [-1, 1]; otherwise in pixels.
        weight: (B, H, W) factor of each pixel, or None.
        ignore_index: Label of pixels that do not count, or None.
        reduction: ``'mean'``, ``'sum'``, ``'image'`` (B,) or ``'pixel'`` (B, H, W), a map whose
            mean over the known pixels is the image's value.

    Returns:
        The term; with normalised maps in [-1, 1].

    Raises:
        ValueError: Shapes, labels or classes do not fit together.

    Example:
        >>> logits, target = torch.zeros(1, 1, 1, 5), torch.tensor([[[0, 0, 1, 1, 1]]])
        >>> boundary_loss(logits, target, normalize=False)  # (2 + 1 + 0 - 2 - 3) / 2 / 5
        tensor(-0.2000)
    """
    masks = soft_masks(logits, target, classes, ignore_index)
    if distance_map is None:
        distance_map = signed_distance_of(masks, normalize)
    if reduction == 'pixel':
        return boundary_pixels(masks, distance_map, weight)
    return reduce_images(boundary(masks, distance_map, weight), masks, reduction)


@array_or_tensor
def boundary_map(
    target: Tensor,
    classes: tuple[int, ...] = (1,),
    normalize: bool = True,
    ignore_index: int | None = 255,
) -> Tensor:
    """Signed distance maps phi of a label map, one for each class.

    Args:
        target: (..., H, W) class of each pixel.
        classes: The K classes to make maps of.
        normalize: Divide either side by its largest distance in the image; otherwise in pixels.
        ignore_index: Label of pixels that count neither as the class nor as another (their phi is
            0, and no outline runs along them), or None.

    Returns:
        (..., K, H, W) float32. 0 everywhere for a class that is absent or alone in the image.

    Example:
        >>> boundary_map(torch.tensor([[0, 0, 1, 1, 1]]), normalize=False)
        tensor([[[ 2.,  1.,  0., -2., -3.]]])
    """
    ignore = None
    if ignore_index is not None:
        ignore = target == ignore_index
        if not is_compiling() and not is_on_device(ignore) and not bool(ignore.any()):
            ignore = None
    maps = [signed_distance(target == index, normalize, ignore) for index in classes]
    return torch.stack(maps, -3)


def signed_distance_of(masks: SoftMasks, normalize: bool = True) -> Tensor:
    """Signed distance maps (B, K, H, W) that belong to ``masks``; of two classes the last one's alone.

    Two classes share one outline, so the background's map adds no information.
    """
    target = masks.target[:, -1:] if masks.num_classes == 2 else masks.target
    ignore = None if masks.known is None else ~masks.known[:, None].expand(target.shape)
    return signed_distance(target, normalize, ignore)


def boundary(masks: SoftMasks, distance_map: Tensor, weight: Tensor | None = None) -> Tensor:
    """Boundary term (B,) of each image; see :func:`boundary_loss`."""
    return masks.pixel_mean(boundary_pixels(masks, distance_map, weight))


def boundary_pixels(masks: SoftMasks, distance_map: Tensor, weight: Tensor | None = None) -> Tensor:
    """Boundary term (B, H, W) of each pixel; see :func:`boundary_loss`.

    A single map beside several masks belongs to the last of them; see :func:`signed_distance_of`.
    """
    prob = masks.prob[:, -1:] if distance_map.shape[1] == 1 else masks.prob
    if distance_map.shape != prob.shape:
        raise ValueError(
            f'distance_map must be {tuple(prob.shape)}, one map for each of the classes '
            f'{list(masks.classes)}, got {tuple(distance_map.shape)}'
        )
    product = prob * distance_map
    per_pixel = product[:, 0] if product.shape[1] == 1 else product.mean(1)
    return per_pixel if weight is None else per_pixel * weight
