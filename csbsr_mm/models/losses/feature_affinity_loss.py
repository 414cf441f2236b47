"""Feature affinity: two branches should find the same pairs of pixels alike."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class FeatureAffinityLoss(nn.Module):
    r"""Mean absolute difference between the self-similarities of two feature maps.

    With F_i the feature vector at pixel i of a map of N pixels,

    .. math::
        L_{fa} = \frac{1}{N^2} \sum_{i,j} |S_{ij}^{seg} - S_{ij}^{sr}|, \quad
        S_{ij} = \frac{F_i^\top F_j}{\|F_i\|_2 \|F_j\|_2}.

    Args:
        subsample: both maps are averaged over squares of this side first, because N^2 similarities are
            compared.
        loss_weight: factor on the loss.
        loss_name: key of the loss in logs.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020, Eq. 4-5, with
        p = 2 and q = 1.

    Example:
        >>> loss = FeatureAffinityLoss(subsample=1)
        >>> horizontal = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).view(1, 1, 2, 2)
        >>> loss(horizontal, 3 * horizontal).item(), loss(horizontal, horizontal.mT).item()
        (0.0, 1.0)
    """

    def __init__(self, subsample: int = 8, loss_weight: float = 1.0, loss_name: str = 'loss_fa') -> None:
        super().__init__()
        if subsample < 1:
            raise ValueError(f'subsample must be a number of pixels >= 1, got {subsample}')
        self.subsample = subsample
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, seg_feature: Tensor, sr_feature: Tensor) -> Tensor:
        """Loss (scalar) of features (B, C, H, W) and (B, C', H, W) of the two branches.

        Raises:
            ValueError: the maps differ in size.
        """
        if seg_feature.shape[-2:] != sr_feature.shape[-2:]:
            raise ValueError(
                f'features must have one size, got {tuple(seg_feature.shape)} and {tuple(sr_feature.shape)}'
            )
        difference = self._similarity(seg_feature) - self._similarity(sr_feature)
        return self.loss_weight * difference.abs().mean()

    def _similarity(self, feature: Tensor) -> Tensor:
        """Cosine similarities (B, N, N) of all pairs of pixels."""
        # Half-precision cosines would cancel badly in the difference of two of them.
        with torch.autocast(feature.device.type, enabled=False):
            feature = feature.to(torch.promote_types(feature.dtype, torch.float32))
            pooled = F.avg_pool2d(feature, self.subsample, ceil_mode=True)
            unit = F.normalize(pooled.flatten(2), dim=1)
            return unit.mT @ unit
