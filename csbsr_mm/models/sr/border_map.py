"""Maps that are constant except near their border, and their convolutions at almost no cost.

The networks expand a blur kernel, a vector, to a map that is constant in space, and convolve it. With
zero padding the result differs from a constant only near the border, so :class:`BorderMap` keeps one
position per border pattern and computes the same numbers from it; :func:`convolve` takes such maps
beside ordinary features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BorderMap(NamedTuple):
    """A map that is constant except within r pixels of its border, kept at (2r + 1) pixels a side.

    Its rows and columns are those of the whole map with the repetitions of the middle one left out;
    a side of the whole map that is shorter than 2r + 1 is kept whole.

    Attributes:
        values: (B, C, min(h, 2r + 1), min(w, 2r + 1)).
        size: (h, w) of the map that it stands for.

    Example:
        >>> vector = torch.tensor([[2.0]]).view(1, 1, 1, 1)
        >>> counts = BorderMap.constant(vector, (4, 5)).conv(torch.ones(1, 1, 3, 3))
        >>> counts.values.shape, counts.expand().shape
        (torch.Size([1, 1, 3, 3]), torch.Size([1, 1, 4, 5]))
        >>> counts.expand()[0, 0, 0]
        tensor([ 8., 12., 12., 12.,  8.])
    """

    values: Tensor
    size: tuple[int, int]

    @classmethod
    def constant(cls, vector: Tensor, size: tuple[int, int], fold: bool = True) -> BorderMap:
        """The map of ``size`` that is ``vector`` (B, C, 1, 1) everywhere.

        Args:
            vector: (B, C, 1, 1).
            size: (h, w), each at least 1.
            fold: False keeps every pixel, so that what follows is computed the literal way.
        """
        return cls(vector if fold else vector.expand(-1, -1, *size), size)

    def apply(self, function: Callable[[Tensor], Tensor]) -> BorderMap:
        """Apply a function that works on each pixel alone."""
        return BorderMap(function(self.values), self.size)

    def conv(self, weight: Tensor, bias: Tensor | None = None) -> BorderMap:
        """Convolve the whole map with an odd kernel, stride 1, zero padding that keeps the size."""
        reach = weight.shape[-1] // 2
        rows, cols = (
            min(side, kept + 2 * reach) for side, kept in zip(self.size, self.values.shape[-2:], strict=True)
        )
        values = F.conv2d(_repeat_middle(self.values, (rows, cols)), weight, bias, padding=reach)
        return BorderMap(values, self.size)

    def expand(self) -> Tensor:
        """The whole map, (B, C, h, w)."""
        return _repeat_middle(self.values, self.size)


def _repeat_middle(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Repeat the middle row and column until ``x`` has ``size``."""
    for dim, length in ((2, size[0]), (3, size[1])):
        kept = x.shape[dim]
        if kept == length:
            continue
        half = kept // 2
        shape = list(x.shape)
        shape[dim] = length - 2 * half
        middle = x.narrow(dim, half, 1).expand(shape)
        if half:
            middle = torch.cat([x.narrow(dim, 0, half), middle, x.narrow(dim, half + 1, half)], dim)
        x = middle
    return x


def convolve(conv: nn.Conv2d, parts: Sequence[Tensor | BorderMap], fold: bool = True) -> Tensor:
    """Convolve the concatenation of feature maps and border maps without building it.

    A convolution is linear: of a concatenation it is the sum over the parts, each convolved with its
    own slice of the weight. Features are then kept once, however many convolutions read them, and a
    border map costs next to nothing.

    Args:
        conv: A convolution of stride 1 whose padding keeps the size.
        parts: Maps (B, C_i, h, w) or border maps of that size, in the order in which the weight
            expects their channels.
        fold: False concatenates, the literal way.

    Returns:
        (B, C_out, h, w).
    """
    if not fold:
        whole = [part.expand() if isinstance(part, BorderMap) else part for part in parts]
        return conv(whole[0] if len(whole) == 1 else torch.cat(whole, 1))
    channels = [(p.values if isinstance(p, BorderMap) else p).shape[1] for p in parts]
    out, bias = None, conv.bias
    for part, weight in zip(parts, conv.weight.split(channels, 1), strict=True):
        if isinstance(part, BorderMap):
            term = part.conv(weight, bias).expand()
        else:
            term = F.conv2d(part, weight, bias, padding=conv.padding)
        out, bias = term if out is None else out + term, None
    return out


def mean_of_convolution(x: Tensor, weight: Tensor) -> Tensor:
    """Global average of ``conv2d(x, weight, padding=1)`` without computing the convolution.

    The average needs, for each tap of the kernel, only the sum of the pixels that the tap sees: all
    of them but the row and the column that zero padding keeps from it.

    Args:
        x: (B, C, h, w).
        weight: (O, C, 3, 3).

    Returns:
        (B, O, 1, 1), accumulated in at least single precision.
    """
    h, w = x.shape[-2:]
    precise = torch.promote_types(x.dtype, torch.float32)
    seen = _sums_seen_by_taps(_sums_seen_by_taps(x, 3, precise), 2, precise)
    mean = (seen[:, None] * weight.to(precise)).sum((2, 3, 4)) / (h * w)
    return mean[..., None, None]


def _sums_seen_by_taps(x: Tensor, dim: int, dtype: torch.dtype) -> Tensor:
    """Sum over ``dim`` as the taps -1, 0, +1 see it: without the last, all, without the first."""
    total = x.sum(dim, keepdim=True, dtype=dtype)
    first, last = x.narrow(dim, 0, 1), x.narrow(dim, x.shape[dim] - 1, 1)
    return torch.cat([total - last, total, total - first], dim)
