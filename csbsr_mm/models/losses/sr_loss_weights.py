"""Weight maps of the SR loss: pixels that matter to the segmentation count more (Table V)."""

from __future__ import annotations

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.functional.soft_masks import soft_masks
from csbsr_mm.functional.weights import check_rate, crack_oriented_weight, fail_oriented_weight_of


class SRLossWeight(nn.Module):
    """A map (B, 1, H, W) of factors >= 0, without gradient, that multiplies the image terms of L_S.

    Each is called with the ``target`` (B, H, W; class of each pixel, 255 = ignore), the logits
    (B, C, H, W) of the training pass at the target's size, and the loss of the decode head, or a
    ModuleList of several.

    Attributes:
        needs_logits: Whether the map depends on the segmentation, and hence exists only while the
            segmentor runs.
    """

    needs_logits = True


@MODELS.register_module()
class CrackOrientedWeight(SRLossWeight):
    """Crack-oriented weight w^C: cracks, and what lies close to them, matter most.

    Args:
        m: Rate at which the weight falls off with the distance, in 1/pixel.
        factor: Factor on the whole map, > 0. The released code has 2.

    Equation:
        w^C(x) = factor exp(-m D_C(x)), Eq. 9; ``factor`` everywhere in an image without a crack.

    Example:
        >>> CrackOrientedWeight(m=1.0)(torch.tensor([[[0, 0, 1]]]), None, None)
        tensor([[[[0.1353, 0.3679, 1.0000]]]])
    """

    needs_logits = False

    def __init__(self, m: float = 8.0, factor: float = 1.0) -> None:
        super().__init__()
        if not factor > 0:
            raise ValueError(f'factor must be > 0, got {factor}; the paper has 1, the released code 2')
        check_rate(m)
        self.m = float(m)
        self.factor = factor

    def forward(self, target: Tensor, seg_logits: Tensor | None, seg_loss: nn.Module | None) -> Tensor:
        """Make the map from the target alone."""
        return self.factor * crack_oriented_weight(target, self.m)[:, None]


@MODELS.register_module()
class FailOrientedWeight(SRLossWeight):
    """Fail-oriented weight w^F: pixels that the segmentation gets wrong matter most.

    Args:
        m: Rate at which the weight rises with the error.

    Equation:
        w^F(x) = exp(m |T(x) - P(x)|), Eq. 10; of more than two classes exp(m (1 - probability of the
        true class)), which is the same for two. 1 where the target is ignored.

    Example:
        >>> logits = torch.zeros(1, 1, 1, 1)
        >>> FailOrientedWeight(m=1.0)(torch.tensor([[[1]]]), logits, None)
        tensor([[[[1.6487]]]])
    """

    def __init__(self, m: float = 1.0) -> None:
        super().__init__()
        check_rate(m)
        self.m = float(m)

    @torch.no_grad()
    def forward(self, target: Tensor, seg_logits: Tensor, seg_loss: nn.Module | None) -> Tensor:
        """Make the map from the target and the logits."""
        return fail_oriented_weight_of(soft_masks(seg_logits, target), self.m)[:, None]


@MODELS.register_module()
class SegLossWeight(SRLossWeight):
    """The segmentation loss itself as weight, pixel by pixel: L_S matters where L_C is large.

    The decode head's loss, or each of its losses, must offer ``pixel_loss``, as BoundaryComboLoss
    does.

    Equation:
        L_C(x) = α φ(x) s(x) + (1 - α) ((1 - γ) Dice of the image + γ WCE(x)), at least 0.

    Example:
        >>> from csbsr_mm.models.losses import BoundaryComboLoss
        >>> target, logits = torch.tensor([[[0, 1]]]), torch.zeros(1, 1, 1, 2)
        >>> SegLossWeight()(target, logits, BoundaryComboLoss(alpha=0, gamma=1))
        tensor([[[[0.3466, 0.3466]]]])
    """

    @torch.no_grad()
    def forward(self, target: Tensor, seg_logits: Tensor, seg_loss: nn.Module) -> Tensor:
        """Make the map from the decode head's loss.

        Raises:
            TypeError: A loss does not say what it costs per pixel.
        """
        losses = list(seg_loss) if isinstance(seg_loss, nn.ModuleList) else [seg_loss]
        for loss in losses:
            if not hasattr(loss, 'pixel_loss'):
                found = 'the decode head' if loss is None else type(loss).__name__
                raise TypeError(
                    f'SegLossWeight needs a loss_decode with pixel_loss(), {found} has none; use '
                    f'BoundaryComboLoss, which with alpha=0, gamma=1 is cross entropy'
                )
        return sum(loss.pixel_loss(seg_logits, target) for loss in losses)
