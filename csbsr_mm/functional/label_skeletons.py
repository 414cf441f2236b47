"""Centre lines of labels, which the losses of centre lines need and data workers can make beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .centerline import skeletonize
from .topology import soft_skeleton


@torch.compiler.disable
def skeleton_tubes(label: Tensor, classes: Sequence[int] = (1,), radius: int = 2) -> Tensor:
    """Skeletons of a label's masks, widened within the masks.

    Args:
        label: (B, H, W) class of each pixel.
        classes: The K classes.
        radius: Pixels by which a skeleton is widened, in each of the eight directions.

    Returns:
        (B, K, H, W) float32, 0 and 1.

    Example:
        >>> label = torch.zeros(1, 7, 30, dtype=torch.long)
        >>> label[:, 1:6] = 1
        >>> skeleton_tubes(label, radius=1)[0, 0].sum(0).max()
        tensor(3.)
    """
    side = 2 * radius + 1
    label = label[:, 0] if label.dim() == 4 else label
    maps = []
    for image in label.cpu():
        masks = [image == index for index in classes]
        lines = torch.stack([skeletonize(mask) for mask in masks]).float()
        wide = F.max_pool2d(lines, side, 1, radius) if radius else lines
        maps.append(wide * torch.stack(masks))
    if not maps:
        return label.new_zeros((0, len(classes), *label.shape[1:]), dtype=torch.float32)
    return torch.stack(maps).to(label.device)


def soft_label_skeletons(label: Tensor, classes: Sequence[int] = (1,), iterations: int = 10) -> Tensor:
    """Soft skeletons of a label's masks, as clDice compares them; of masks they are 0 and 1.

    Args:
        label: (B, H, W) class of each pixel.
        classes: The K classes.
        iterations: As of :func:`~csbsr_mm.functional.topology.soft_skeleton`.

    Returns:
        (B, K, H, W) float32.

    Example:
        >>> label = torch.zeros(1, 5, 7, dtype=torch.long)
        >>> label[:, 1:4, 1:6] = 1
        >>> soft_label_skeletons(label, iterations=2)[0, 0].nonzero().tolist()
        [[2, 2], [2, 3], [2, 4]]
    """
    label = label[:, 0] if label.dim() == 4 else label
    masks = torch.stack([label == index for index in classes], 1)
    return soft_skeleton(masks.float(), iterations)
