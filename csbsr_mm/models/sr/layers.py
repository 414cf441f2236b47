"""Layers that the super-resolution networks and the blur skip share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .border_map import BorderMap, convolve
from .checkpointing import checkpointed

PROJECTIONS = {2: (6, 2, 2), 4: (8, 4, 2), 8: (12, 8, 2)}
"""Scale to (kernel, stride, padding) of the convolutions between LR and SR resolution."""

RELEASED_INIT = dict(
    type='Kaiming', layer=['Conv2d', 'ConvTranspose2d'], mode='fan_in', distribution='normal', bias=0
)
"""How the authors initialise their SR networks, as an ``init_cfg``."""


class ConvPReLU(nn.Module):
    """A (transposed) convolution and a PReLU with one slope.

    Args:
        in_channels: Input channels, the sum over the parts that :meth:`forward` gets.
        out_channels: Output channels.
        kernel_size: Odd for ``'same'``; of ``projection(scale)`` otherwise.
        stride: Stride, or enlargement of a transposed convolution.
        padding: Zero padding; None keeps the size.
        transposed: Enlarge instead of reduce.
        bias: Whether the convolution has a bias.
        fold: See :func:`~csbsr_mm.models.sr.border_map.convolve`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | None = None,
        transposed: bool = False,
        bias: bool = False,
        fold: bool = True,
    ) -> None:
        super().__init__()
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        padding = kernel_size // 2 if padding is None else padding
        self.conv = kind(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        self.act = nn.PReLU(init=0.01)
        self.fold = fold

    def forward(self, *parts: Tensor) -> Tensor:
        """Apply to one map, or to the concatenation of several."""
        return self.act(self.conv(*parts) if len(parts) == 1 else convolve(self.conv, parts, self.fold))


def projection(in_channels: int, channels: int, scale: int, up: bool, bias: bool = False) -> ConvPReLU:
    """The layer between LR and SR resolution: enlarge by ``scale`` if ``up``, else reduce."""
    kernel_size, stride, padding = PROJECTIONS[scale]
    return ConvPReLU(in_channels, channels, kernel_size, stride, padding, transposed=up, bias=bias)


class BackProjection(nn.Module):
    """A back-projection unit: project, project back, and add the projected error of the round trip.

    Args:
        up: True from LR to SR resolution, False from SR to LR.
        channels: Width of the unit.
        scale: 2, 4 or 8.
        in_channels: Channels that a leading 1x1 convolution compresses to ``channels``; None for none.
        bias: Whether the projections have a bias (the leading convolution always has).
        fold: See :func:`~csbsr_mm.models.sr.border_map.convolve`.

    Reference:
        Haris et al., "Deep Back-Projection Networks for Super-Resolution", CVPR 2018, Eq. 1-10.

    Example:
        >>> unit = BackProjection(True, 8, scale=4, in_channels=16)
        >>> unit(torch.rand(1, 8, 5, 6), torch.rand(1, 8, 5, 6)).shape
        torch.Size([1, 8, 20, 24])
    """

    def __init__(
        self,
        up: bool,
        channels: int,
        scale: int,
        in_channels: int | None = None,
        bias: bool = False,
        fold: bool = True,
    ) -> None:
        super().__init__()
        self.compress = None
        if in_channels is not None:
            self.compress = ConvPReLU(in_channels, channels, 1, bias=True, fold=fold)
        self.project = projection(channels, channels, scale, up, bias)
        self.project_back = projection(channels, channels, scale, not up, bias)
        self.project_error = projection(channels, channels, scale, up, bias)

    def forward(self, *parts: Tensor) -> Tensor:
        """Project one map, or the concatenation of several where there is a leading convolution."""
        x = parts[0]
        if self.compress is not None:
            x = checkpointed(self.compress, *parts, enabled=self.compress.fold)
        projected = self.project(x)
        return projected + self.project_error(self.project_back(projected) - x)


class SpatialFeatureTransform(nn.Module):
    """Scale and shift features by maps that are computed from a condition (SFT).

    With the *modified* SFT of the paper the maps depend on the features and the condition; with the
    *original* one on the condition alone.

    Args:
        channels: Feature channels.
        condition_channels: Length of the condition vector.
        act: Makes the activation between the two convolutions of a branch.
        see_features: True for the modified SFT, False for the original one.
        fold: See :func:`~csbsr_mm.models.sr.border_map.convolve`.

    Equation:
        ``features * sigmoid(scale(z)) + shift(z)``, z = concat(features, condition), Sec. III-D.
    """

    def __init__(
        self,
        channels: int,
        condition_channels: int,
        act: Callable[[], nn.Module],
        see_features: bool = True,
        fold: bool = True,
    ) -> None:
        super().__init__()
        inner = condition_channels + (channels if see_features else 0)

        def branch() -> nn.ModuleDict:
            first = nn.Conv2d(inner, inner, 3, padding=1)
            return nn.ModuleDict(
                dict(first=first, act=act(), second=nn.Conv2d(inner, channels, 3, padding=1))
            )

        self.scale, self.shift = branch(), branch()
        self.see_features, self.fold = see_features, fold

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Transform ``features`` (B, C, h, w) by ``condition`` (B, K, 1, 1)."""
        condition = condition.to(features.dtype)
        condition_map = BorderMap.constant(condition, tuple(features.shape[-2:]), self.fold)
        scale = self._branch(self.scale, features, condition_map)
        shift = self._branch(self.shift, features, condition_map)
        return features * torch.sigmoid(scale) + shift

    def _branch(self, branch: nn.ModuleDict, features: Tensor, condition: BorderMap) -> Tensor:
        first, act, second = branch['first'], branch['act'], branch['second']
        if self.see_features:
            return second(act(convolve(first, [features, condition], self.fold)))
        inner = condition.conv(first.weight, first.bias).apply(act)
        return inner.conv(second.weight, second.bias).expand()
