"""Feature affinity: both branches should rate the same pairs of pixels as similar."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice


@MODELS.register_module()
class FeatureAffinityLoss(nn.Module):
    r"""Absolute difference between the self-similarities of two feature maps.

    With F_i the feature vector at pixel i of a map of N pixels,

    .. math::
        L_{fa} = \sum_{images} \frac{1}{N^2} \sum_{i,j} |S_{ij}^{seg} - S_{ij}^{sr}|, \quad
        S_{ij} = F_i^\top F_j.

    This is what the authors of CSBSR released for DSRL: the loss is summed over the images of a batch. In
    DSRL's own paper S_ij is a cosine, F_i^\top F_j / (|F_i| |F_j|): ``normalize=True``, ``reduction='mean'``.

    Args:
        subsample: Both maps are averaged over squares of this side first, because N^2 similarities are
            compared. Incomplete squares at the right and at the bottom are dropped.
        normalize: Whether similarities are cosines.
        reduction: 'sum' or 'mean' over the images of a batch.
        loss_weight: Factor on the loss.
        loss_name: Key of the loss in logs.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020, Eq. 4-5, with
        p = 2 and q = 1.

    Example:
        >>> loss = FeatureAffinityLoss(subsample=1)
        >>> horizontal = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).view(1, 1, 2, 2)
        >>> loss(horizontal, horizontal.mT).item(), loss(horizontal, 3 * horizontal).item()
        (1.0, 8.0)
        >>> FeatureAffinityLoss(subsample=1, normalize=True)(horizontal, 3 * horizontal).item()
        0.0
    """

    def __init__(
        self,
        subsample: int = 16,
        normalize: bool = False,
        reduction: str = 'sum',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_fa',
    ) -> None:
        super().__init__()
        if subsample < 1:
            raise ValueError(f'subsample must be a number of pixels >= 1, got {subsample}')
        check_choice('reduction', reduction, ('sum', 'mean'))
        self.subsample = subsample
        self.normalize = normalize
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, seg_feature: Tensor, sr_feature: Tensor) -> Tensor:
        """Loss (scalar) of features (B, C, H, W) and (B, C', H', W') of the two branches.

        Raises:
            ValueError: The maps have another number of squares, or none.
        """
        # In half precision the difference of two similarities would cancel badly.
        with torch.autocast(seg_feature.device.type, enabled=False):
            seg, sr = self._pooled(seg_feature), self._pooled(sr_feature)
            if seg.shape[-2:] != sr.shape[-2:]:
                raise ValueError(
                    f'both features must have as many {self.subsample}x{self.subsample} squares, got '
                    f'{tuple(seg_feature.shape)} and {tuple(sr_feature.shape)}; train on LR images '
                    f'whose sides are multiples of 4'
                )
            difference = self._similarity(seg) - self._similarity(sr)
            per_image = difference.abs().mean((1, 2))
        return self.loss_weight * (per_image.sum() if self.reduction == 'sum' else per_image.mean())

    def _pooled(self, feature: Tensor) -> Tensor:
        if min(feature.shape[-2:]) < self.subsample:
            raise ValueError(
                f'features must have at least {self.subsample} pixels a side, got {tuple(feature.shape)}'
            )
        feature = feature.to(torch.promote_types(feature.dtype, torch.float32))
        return F.avg_pool2d(feature, self.subsample)

    def _similarity(self, pooled: Tensor) -> Tensor:
        """Similarities (B, N, N) of all pairs of squares."""
        vectors = pooled.flatten(2)
        if self.normalize:
            vectors = F.normalize(vectors, dim=1)
        return vectors.mT @ vectors
