"""Exact Euclidean distance maps as tensor operations, for masks that live on an accelerator.

The transform is separable: the vertical distance ``g`` to the nearest feature of a pixel's column
comes from two cumulative extrema; the squared distance is then the minimum of ``g(u)^2 + (x -
u)^2`` over the columns ``u`` of the pixel's row. All of it is integer arithmetic without a host
synchronisation.
"""

import torch
from torch import Tensor

_CHUNK_ELEMENTS = 1 << 26


def column_distance(feature: Tensor, absent: int) -> Tensor:
    """Vertical distance to the column's nearest feature, ``absent`` where it has none; int64."""
    rows = torch.arange(feature.shape[-2], device=feature.device)[:, None]
    above = torch.where(feature, rows, -absent).cummax(-2).values
    below = torch.where(feature, rows, 2 * absent).flip(-2).cummin(-2).values.flip(-2)
    return torch.minimum(rows - above, below - rows).clamp(max=absent)


def squared_distance(feature: Tensor) -> Tensor:
    """Squared distance to the nearest feature; meaningless in an image without one.

    Args:
        feature: (N, H, W) bool.

    Returns:
        (N, H, W) int32 or, above 16,383 pixels a side, int64.
    """
    images, height, width = feature.shape
    absent = height + width
    dtype = torch.int32 if 2 * absent**2 < 2**31 else torch.int64
    squared = column_distance(feature, absent).square().to(dtype)
    columns = torch.arange(width, device=feature.device)
    offsets = (columns[:, None] - columns).square().to(dtype)
    step = max(1, _CHUNK_ELEMENTS // max(1, images * height * width))
    nearest = [
        (squared[:, :, None] + offsets[start : start + step]).amin(-1) for start in range(0, width, step)
    ]
    return torch.cat(nearest, -1)


def _root(squared: Tensor) -> Tensor:
    """Correctly rounded float32 root; float32 roots of PyTorch's CPU may be off in the last bit."""
    return squared.double().sqrt().float()


def distance_to(feature: Tensor) -> Tensor:
    """Distance to the nearest feature, float32; 0 everywhere in an image without one."""
    distance = _root(squared_distance(feature))
    return distance * feature.flatten(1).any(1)[:, None, None]


def signed_distance(crack: Tensor, background: Tensor, normalize: bool) -> Tensor:
    """Signed map of (N, H, W) masks, float32; pixels of neither mask and one-sided images get 0."""
    both_sides = (crack.flatten(1).any(1) & background.flatten(1).any(1))[:, None, None]
    to_crack, to_background = squared_distance(torch.cat([crack, background])).chunk(2)
    outside = _root(to_crack) * background
    inside = _root(to_background) * crack
    if normalize:
        outside = outside / outside.amax((1, 2), keepdim=True).clamp(min=1)
        inside = inside / inside.amax((1, 2), keepdim=True).clamp(min=1)
    inside = inside.masked_fill(to_background == 1, 0)
    return torch.where(both_sides, outside - inside, torch.zeros_like(outside))
