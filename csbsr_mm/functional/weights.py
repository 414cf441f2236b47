"""Weight maps that tell a loss which pixels matter to the cracks: crack- and fail-oriented.

    w^C(x) = exp(-m D_C(x))            D_C: distance to the nearest crack pixel, in pixels (Eq. 9)
    w^F(x) = exp( m |T(x) - P(x)|)     T: true mask, P: predicted crack probability       (Eq. 10)

Reference: Eq. 9-10 of Kondo and Ukita, Joint Learning of Blind Super-Resolution and Crack
Segmentation for Realistic Degraded Images.
"""

import torch
from torch import Tensor

from ._arrays import array_or_tensor
from .distance import distance_to
from .soft_masks import SoftMasks


@array_or_tensor
def crack_oriented_weight(target: Tensor, m: float) -> Tensor:
    """Crack-oriented weight w^C: 1 on the cracks, falling off with the distance to them.

    Args:
        target: (..., H, W) class of each pixel; 1 = crack, anything else (255 too) is not.
        m: Rate of the fall in 1/pixel, >= 0 (0: 1 everywhere).

    Returns:
        (..., H, W) float32 in [0, 1]. 1 everywhere in an image without cracks.

    Raises:
        ValueError: ``m`` is negative or no number.

    Equation:
        w^C(x) = exp(-m D_C(x)), Eq. 9.

    Example:
        >>> crack_oriented_weight(torch.tensor([[0, 0, 1, 0]]), m=1.0)
        tensor([[0.1353, 0.3679, 1.0000, 0.3679]])
    """
    check_rate(m)
    return torch.exp(-m * distance_to(target == 1))


@array_or_tensor
def fail_oriented_weight(prob: Tensor, target: Tensor, m: float, ignore_index: int | None = 255) -> Tensor:
    """Fail-oriented weight w^F: 1 where the segmentation is right, up to exp(m) where it is wrong.

    Args:
        prob: (..., H, W) predicted crack probability in [0, 1].
        target: (..., H, W) class of each pixel; 1 = crack.
        m: Rate of the rise, >= 0 (0: 1 everywhere).
        ignore_index: Label of pixels that get 1, or None.

    Returns:
        (..., H, W) in [1, exp(m)], of the type of ``prob``; differentiable in ``prob``.

    Raises:
        ValueError: ``m`` is negative or no number, or the shapes differ.

    Equation:
        w^F(x) = exp(m |T(x) - P(x)|), Eq. 10.

    Example:
        >>> fail_oriented_weight(torch.tensor([[0.0, 1.0]]), torch.tensor([[0, 0]]), m=1.0)
        tensor([[1.0000, 2.7183]])
    """
    check_rate(m)
    if prob.shape != target.shape:
        raise ValueError(
            f'prob and target must have one shape, got {tuple(prob.shape)} and {tuple(target.shape)}'
        )
    error = ((target == 1).to(prob.dtype) - prob).abs()
    if ignore_index is not None:
        error = error.masked_fill(target == ignore_index, 0)
    return torch.exp(m * error)


def fail_oriented_weight_of(masks: SoftMasks, m: float) -> Tensor:
    """Fail-oriented weight (B, H, W) of soft masks, detached; of many classes too.

    With s_y the probability of a pixel's true class, |T - P| is 1 - s_y, which needs no choice of
    the class that counts as the crack.
    """
    check_rate(m)
    return torch.exp(m * (1 - torch.exp(-masks.nll.detach())))


def check_rate(m: float) -> None:
    """Refuse a rate of a loss weight that is negative or not a number.

    Raises:
        ValueError: ``m`` is not >= 0.
    """
    if not m >= 0:
        raise ValueError(f'm must be a number >= 0, got {m}; the paper sweeps 0.125 to 8')
