"""Robust Hausdorff distances at all thresholds as tensor operations, for maps that live on an accelerator.

All work is integer arithmetic on squared distances, for a batch at once:

1. From prediction to target the distance of a pixel corner does not depend on the threshold. One distance
   transform serves all; corners are sorted by it once.
2. From target to prediction only the target's corners need a distance. At each threshold the vertical
   distance of every corner to the prediction's contour comes from two cumulative extrema; the minimum
   over the columns is taken for the target's corners alone.

Lengths are summed in float64. A percentile that falls on a tie of such sums is reported, because the order
of the summation decides it.
"""

import torch
from torch import Tensor

from csbsr_mm.functional.distance._torch import column_distance, squared_distance

from ._contour import element_lengths

TOLERANCE = 1e-9  # sums closer to the limit than this share of the whole are a tie
_CHUNK_ELEMENTS = 1 << 26


def sweep_squared(levels: Tensor, target: Tensor, count: int, percentiles: Tensor) -> tuple[Tensor, Tensor]:
    """Squared robust Hausdorff distances between a target and {level > j} for each j.

    Args:
        levels: (B, H, W) integers, number of thresholds below each probability.
        target: (B, H, W) bool; an image without a set pixel has no meaningful result.
        count: Number of thresholds T.
        percentiles: (P,) float64 in (0, 100].

    Returns:
        (B, P, T) int64 squared distances, meaningless where {level > j} is empty, and (B, P, T) bool that
        tell where a percentile falls on a tie.
    """
    code = _corner_codes(target)
    lengths = torch.as_tensor(element_lengths((1.0, 1.0)), device=levels.device)
    corners = (code != 0) & (code != 15)
    to_target = squared_distance(corners).flatten(1)
    order = to_target.argsort(1)
    to_target = to_target.gather(1, order)
    image, row, column = corners.nonzero(as_tuple=True)
    of_target = _Elements(image, row, column, lengths[code[corners].long()], len(levels))
    found, ties = [], []
    for threshold in range(count):
        code = _corner_codes(levels > threshold)
        weight = lengths[code.flatten(1).long()].gather(1, order)
        there = _percentiles(to_target, weight, percentiles)
        back = of_target.percentiles((code != 0) & (code != 15), percentiles)
        found.append(torch.maximum(there[0], back[0]))
        ties.append(there[1] | back[1])
    return torch.stack(found, -1), torch.stack(ties, -1)


class _Elements:
    """The target's contour elements of a whole batch, padded to the same number for each image."""

    def __init__(self, image: Tensor, row: Tensor, column: Tensor, length: Tensor, batch: int) -> None:
        self.row, self.column = row, column
        counts = torch.bincount(image, minlength=batch)
        first = counts.cumsum(0) - counts
        self.image = image
        self.slot = torch.arange(len(image), device=image.device) - first[image]
        self.shape = (batch, max(1, int(counts.max())))
        self.length = length.new_zeros(self.shape)
        self.length[self.image, self.slot] = length

    def percentiles(self, contour: Tensor, percentiles: Tensor) -> tuple[Tensor, Tensor]:
        """Percentiles (B, P) of the squared distances to a contour (B, H, W), and their ties."""
        height, width = contour.shape[-2:]
        vertical = column_distance(contour, height + width).square()
        columns = torch.arange(width, device=contour.device)
        step = max(1, _CHUNK_ELEMENTS // width)
        nearest = [
            (vertical[self.image[part], self.row[part]] + (self.column[part, None] - columns).square()).amin(
                1
            )
            for part in torch.arange(len(self.image), device=contour.device).split(step)
        ]
        squared = vertical.new_zeros(self.shape)
        squared[self.image, self.slot] = torch.cat(nearest) if nearest else squared.new_zeros(0)
        order = squared.argsort(1)
        return _percentiles(squared.gather(1, order), self.length.gather(1, order), percentiles)


def _percentiles(squared: Tensor, weight: Tensor, percentiles: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted percentiles of ascending squared distances.

    Args:
        squared: (B, N) ascending.
        weight: (B, N) float64 lengths.
        percentiles: (P,) in (0, 100].

    Returns:
        (B, P) squared distances and (B, P) bool, True on a tie.
    """
    cumulated = weight.cumsum(1)
    total = cumulated[:, -1:]
    limit = percentiles / 100 * total
    # A sum of the whole length is reached for certain, whatever the rounding.
    index = torch.searchsorted(cumulated, torch.minimum(limit, total).contiguous())
    index = index.clamp(max=squared.shape[1] - 1)
    slack = TOLERANCE * total
    low = torch.searchsorted(cumulated, (limit - slack).contiguous()).clamp(max=squared.shape[1] - 1)
    high = torch.searchsorted(cumulated, torch.minimum(limit + slack, total).contiguous())
    high = high.clamp(max=squared.shape[1] - 1)
    tie = squared.gather(1, low) != squared.gather(1, high)
    return squared.gather(1, index).long(), tie


def _corner_codes(mask: Tensor) -> Tensor:
    """Which of the pixels around each corner are set, (B, H + 1, W + 1) uint8; see ``find_contour``."""
    batch, height, width = mask.shape
    code = torch.zeros(batch, height + 1, width + 1, dtype=torch.uint8, device=mask.device)
    pixels = mask.to(torch.uint8)
    code[:, 1:, 1:] = pixels * 8
    code[:, 1:, :-1] += pixels * 4
    code[:, :-1, 1:] += pixels * 2
    code[:, :-1, :-1] += pixels
    return code
