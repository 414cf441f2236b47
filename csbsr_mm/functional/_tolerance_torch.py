"""Precision and recall with a tolerance as tensor operations, for maps that live on an accelerator.

All work is integer arithmetic, so that the counts equal those of the compiled kernels. Only the counts travel
to the host.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .distance._torch import squared_distance


def counts_on_device(
    prob: Tensor, mask: Tensor, limits: np.ndarray, squared_limits: Sequence[int], hidden: Tensor | None
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """What :func:`.tolerance_sweep` counts in one image, where its tensors live.

    Args:
        prob: (H, W) probabilities.
        mask: (H, W) bool.
        limits: (T,) float32 thresholds in any order.
        squared_limits: (R,) largest squared distances that count as agreement.
        hidden: (H, W) bool of pixels that are background in both masks, or None.

    Returns:
        (T,) predicted pixels, (R, T) correct ones, the number of true ones, (R, T) found ones.
    """
    order = np.argsort(limits, kind='stable')
    ascending = torch.from_numpy(limits[order]).to(prob.device)
    levels = torch.bucketize(prob.detach().float().nan_to_num(nan=-torch.inf), ascending)
    if hidden is not None:
        levels, mask = levels.masked_fill(hidden, 0), mask & ~hidden
    count = len(order)
    squared = squared_distance(mask[None])[0]
    near = [(squared <= limit) & mask.any() for limit in squared_limits]
    rows = [
        _above_each(levels, None, count),
        *(_above_each(levels, where, count) for where in near),
        *(_above_each(highest_around(levels, limit), mask, count) for limit in squared_limits),
    ]
    table = np.empty((len(rows), count))
    table[:, order] = torch.stack(rows).cpu().numpy()
    correct, found = np.split(table[1:], 2)
    return table[0], correct, int(mask.sum()), found


def highest_around(levels: Tensor, squared_limit: int) -> Tensor:
    """The highest of the levels (H, W) within a distance of each pixel: a disc as a stack of rows."""
    height = len(levels)
    # Exact in float32: there are not so many thresholds.
    values = levels.float()[None, None]
    highest = levels.float()
    for down in range(-math.isqrt(squared_limit), math.isqrt(squared_limit) + 1):
        if abs(down) >= height:
            continue
        across = math.isqrt(squared_limit - down**2)
        row = F.max_pool2d(values, (1, 2 * across + 1), 1, (0, across))[0, 0]
        here = slice(max(-down, 0), height - max(down, 0))
        there = slice(max(down, 0), height - max(-down, 0))
        highest[here] = torch.maximum(highest[here], row[there])
    return highest.long()


def _above_each(levels: Tensor, where: Tensor | None, count: int) -> Tensor:
    """(count,) pixels with more than each level j < count."""
    chosen = levels.flatten() if where is None else levels[where]
    histogram = torch.bincount(chosen, minlength=count + 1)
    return histogram.flip(0).cumsum(0).flip(0)[1:]
