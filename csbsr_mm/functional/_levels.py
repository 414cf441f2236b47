"""Probability maps as maps of threshold levels: how many of the thresholds a pixel exceeds.

Both sweeps, that of overlap and that of surface distance, start here: with levels q, the prediction at
threshold t_j is {q > j}.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._numba import numba_kernels
from ._tensors import ArrayOrTensor, is_on_device, is_tensor

if TYPE_CHECKING:
    from torch import Tensor

MOST_LEVELS = 254  # levels are bytes, and one value more is needed

DEFAULT_THRESHOLDS = (np.arange(1, 100) / 100).astype(np.float32)


def as_thresholds(thresholds: ArrayLike | Tensor | None) -> NDArray[np.float32]:
    """The thresholds as float32; 0.01, 0.02, ... 0.99 by default."""
    if thresholds is None:
        return DEFAULT_THRESHOLDS
    if is_tensor(thresholds):
        thresholds = thresholds.detach().cpu().numpy()
    values = np.atleast_1d(np.asarray(thresholds, np.float32))
    if values.ndim != 1 or not len(values) or np.isnan(values).any():
        raise ValueError(f'thresholds must be a list of numbers, got {thresholds!r}')
    return values


def as_image(values: ArrayLike | Tensor, name: str) -> NDArray:
    """The values as a two-dimensional array on the host."""
    if is_tensor(values):
        values = values.detach().cpu()
        values = values.float().numpy() if values.is_floating_point() else values.numpy()
    array = np.asarray(values)
    if array.ndim != 2 or not array.size:
        raise ValueError(f'{name} must be one image of shape (H, W), got shape {array.shape}')
    return array


def as_probabilities(prob: ArrayLike | Tensor) -> NDArray[np.float32]:
    """One probability map as contiguous float32."""
    array = as_image(prob, 'prob')
    if array.dtype.kind != 'f':
        raise ValueError(
            f'prob must be floating-point probabilities, got {array.dtype}; divide 8-bit maps by 255'
        )
    return np.ascontiguousarray(array, np.float32)


def as_mask(mask: ArrayLike | Tensor, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.bool_]:
    """One mask as bool; non-zero is set."""
    array = as_image(mask, name)
    if shape is not None and array.shape != shape:
        raise ValueError(f'{name} has shape {array.shape}, expected {shape}')
    return np.ascontiguousarray(array if array.dtype == np.bool_ else array != 0)


def image_mask(
    target: ArrayOrTensor, shape: tuple[int, ...], ignore: ArrayOrTensor | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """The true mask without pixels to ignore, and the pixels to keep, None for all."""
    mask = as_mask(target, 'target', tuple(shape))
    if ignore is None:
        return mask, None
    known = ~as_mask(ignore, 'ignore', mask.shape)
    return mask & known, known


def image_levels(
    prob: ArrayOrTensor,
    thresholds: NDArray[np.float32],
    known: NDArray[np.bool_] | None = None,
    margin: int = 0,
) -> NDArray[np.uint8]:
    """Levels of a probability map, 0 on unknown pixels; an accelerator sends one byte a pixel to the host.

    Args:
        prob: (H, W) floating-point probabilities.
        thresholds: As for :func:`threshold_levels`.
        known: (H, W) bool, or None for all.
        margin: Width of a frame of zeros around the result.

    Returns:
        (H + 2 margin, W + 2 margin) uint8.
    """
    if is_tensor(prob) and is_on_device(prob):
        levels = _levels_on_device(prob, thresholds, margin)
    else:
        levels = threshold_levels(as_probabilities(prob), thresholds, margin)
    if known is not None:
        height, width = known.shape
        levels[margin : margin + height, margin : margin + width][~known] = 0
    return levels


def _levels_on_device(prob: Tensor, thresholds: NDArray[np.float32], margin: int) -> NDArray[np.uint8]:
    """As :func:`threshold_levels`, counted where the tensor lives."""
    import torch

    if prob.ndim != 2 or not prob.is_floating_point():
        raise ValueError(f'prob must be floating-point (H, W), got {prob.dtype} of shape {tuple(prob.shape)}')
    limits = torch.from_numpy(thresholds).to(prob.device)
    levels = torch.bucketize(prob.detach().float().nan_to_num(nan=-torch.inf), limits, out_int32=True)
    return np.pad(levels.to(torch.uint8).cpu().numpy(), margin)


def threshold_levels(
    prob: NDArray[np.float32], thresholds: NDArray[np.float32], margin: int = 0
) -> NDArray[np.uint8]:
    """Number of thresholds below each probability, compared in float32.

    Args:
        prob: (H, W) float32; NaN is below all thresholds.
        thresholds: (T,) float32, ascending, at most ``MOST_LEVELS``.
        margin: Width of a frame of zeros around the result.

    Returns:
        (H + 2 margin, W + 2 margin) uint8.
    """
    height, width = prob.shape
    levels = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    kernels = numba_kernels('_levels_numba')
    scale = _scale(thresholds.tobytes())
    if kernels is not None and scale is not None:
        kernels.nearest_levels(prob, thresholds, scale, margin, levels)
    else:
        below = np.where(np.isnan(prob), -np.inf, prob).astype(np.float32)
        levels[margin : margin + height, margin : margin + width] = np.searchsorted(thresholds, below)
    return levels


@lru_cache(maxsize=16)
def _scale(thresholds: bytes) -> np.float32 | None:
    """Levels a unit of probability if the thresholds are near enough to equidistant for a guess."""
    kernels = numba_kernels('_levels_numba')
    values = np.frombuffer(thresholds, np.float32)
    if kernels is None or not np.isfinite(values).all():
        return None
    span = values[-1] - values[0]
    scale = np.float32((len(values) - 1) / span) if span > 0 else np.float32(0)
    return scale if np.isfinite(scale) and kernels.guess_settles(values, scale) else None


def sorted_parts(thresholds: NDArray[np.float32]) -> Sequence[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Ascending parts of at most ``MOST_LEVELS`` thresholds, with their positions in the input."""
    order = np.argsort(thresholds, kind='stable')
    return [
        (order[begin : begin + MOST_LEVELS], thresholds[order[begin : begin + MOST_LEVELS]])
        for begin in range(0, len(order), MOST_LEVELS)
    ]
