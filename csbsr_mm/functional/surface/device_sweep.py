"""The Hausdorff sweep of a batch where its tensors live."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from csbsr_mm.functional._levels import as_thresholds

from ._contour import Spacing, contour_distances
from ._torch import sweep_squared
from .distances import as_percentiles, as_spacing, percentile_of, value_for_empty


def sweep_on_device(
    prob: Tensor,
    target: Tensor,
    thresholds: ArrayLike | None = None,
    percentile: float | Sequence[float] = 95.0,
    spacing: Spacing = (1.0, 1.0),
    empty: str | float = 'image_width',
    ignore: Tensor | None = None,
) -> Tensor:
    """:func:`hausdorff_sweep` of a batch (B, H, W) where its tensors live; ``spacing`` has equal sides."""
    if prob.ndim != 3 or prob.shape != target.shape:
        raise ValueError(
            f'prob and target must be of one shape (B, H, W), got {prob.shape} and {target.shape}'
        )
    limits, percentiles, spacing = as_thresholds(thresholds), as_percentiles(percentile), as_spacing(spacing)
    one_empty = value_for_empty(empty, prob.shape[-1] * spacing[1])
    order = np.argsort(limits, kind='stable')
    ascending = torch.from_numpy(limits[order]).to(prob.device)
    levels = torch.bucketize(prob.detach().float().nan_to_num(nan=-torch.inf), ascending)
    mask = target != 0
    if ignore is not None:
        levels, mask = levels.masked_fill(ignore != 0, 0), mask & (ignore == 0)
    shares = torch.from_numpy(percentiles).to(prob.device)
    squared, ties = sweep_squared(levels, mask, len(order), shares)
    distances = squared.double().sqrt() * spacing[0]
    steps = torch.arange(len(order), device=prob.device)
    no_prediction = levels.flatten(1).amax(1)[:, None] <= steps
    no_target = ~mask.flatten(1).any(1)[:, None]
    one = (no_prediction ^ no_target)[:, None].expand_as(distances)
    both = (no_prediction & no_target)[:, None].expand_as(distances)
    for image, k, j in (ties & ~one & ~both).nonzero().tolist():
        directions = contour_distances((levels[image] > j).cpu().numpy(), mask[image].cpu().numpy(), spacing)
        distances[image, k, j] = max(
            percentile_of(direction, percentiles[k] / 100) for direction in directions
        )
    distances = distances.masked_fill(one, one_empty).masked_fill(both, 0.0)
    distances = distances[..., torch.from_numpy(order).to(prob.device).argsort()]
    return distances if np.ndim(percentile) else distances[:, 0]
