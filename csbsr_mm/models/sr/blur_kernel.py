"""Blur kernels inside a network: vectors of K*K channels, always in at least single precision."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor


def normalize_kernel(kernel: Tensor) -> Tensor:
    """Divide kernel vectors (B, K*K, 1, 1) by their sums, in at least single precision.

    A network's raw estimate can have any sign, and a black image can make all of it zero. Where a sum is
    no larger than the rounding error of computing it, dividing by it would give NaN or noise: such an
    estimate holds no information about the blur. It is replaced by the kernel of no blur (one in the middle)
    and gets no gradient. Values that are not finite stay.

    Example:
        >>> normalize_kernel(torch.tensor([[2.0, 5.0, 1.0], [0.0, 0.0, 0.0]])[..., None, None])[..., 0, 0]
        tensor([[0.2500, 0.6250, 0.1250],
                [0.0000, 1.0000, 0.0000]])
    """
    kernel = kernel.to(torch.promote_types(kernel.dtype, torch.float32))
    total, count, precision = kernel.sum(1, keepdim=True), kernel.shape[1], torch.finfo(kernel.dtype)
    rounding = count * precision.eps * kernel.abs().sum(1, keepdim=True)
    lost = total.abs() < rounding.clamp(min=precision.tiny)
    no_blur = torch.arange(count, device=kernel.device).eq(count // 2).to(kernel.dtype)
    return torch.where(lost, no_blur[:, None, None], kernel / torch.where(lost, 1, total))


def resize_kernel(kernel: Tensor, estimated_size: int, size: int) -> Tensor:
    """Enlarge kernel vectors bicubically: (B, e*e, 1, 1) to (B, K*K, 1, 1)."""
    if estimated_size == size:
        return kernel
    kernel = kernel.to(torch.promote_types(kernel.dtype, torch.float32))
    image = kernel.reshape(-1, 1, estimated_size, estimated_size)
    image = F.interpolate(image, size=(size, size), mode='bicubic', align_corners=False)
    return image.reshape(-1, size * size, 1, 1)


def blur_and_sample(
    image: Tensor, kernel: Tensor, scale: int, method: str = 'grouped', padding: str = 'zeros'
) -> Tensor:
    """Correlate each image with its own kernel and keep every ``scale``-th pixel.

    Args:
        image: (B, C, s*h, s*w).
        kernel: (B, K*K, 1, 1), K odd.
        scale: Sampling step s.
        method: ``'grouped'`` is one grouped convolution (fast; an exported graph then has a fixed
            batch size), ``'unfold'`` a product with unfolded patches (any batch size).
        padding: Values beyond the border of the image, ``'zeros'`` or ``'replicate'``.

    Returns:
        (B, C, h, w), in at least single precision, because its difference to the LR image is small.
    """
    b, c, height, width = image.shape
    size = round(kernel.shape[1] ** 0.5)
    precise = torch.promote_types(image.dtype, torch.float32)
    image, kernel = image.to(precise), kernel.to(precise)
    margin = size // 2
    if padding == 'replicate':
        image, margin = F.pad(image, (margin,) * 4, mode='replicate'), 0
    with without_autocast(image):
        if method == 'unfold':
            patches = F.unfold(image, size, padding=margin, stride=scale)
            patches = patches.reshape(b, c, size * size, -1) * kernel.reshape(b, 1, size * size, 1)
            return patches.sum(2).reshape(b, c, height // scale, width // scale)
        weight = kernel.reshape(b, 1, size, size).repeat_interleave(c, 0)
        maps = image.reshape(1, b * c, *image.shape[-2:])
        out = F.conv2d(maps, weight, stride=scale, padding=margin, groups=b * c)
        return out.reshape(b, c, *out.shape[-2:])


@contextlib.contextmanager
def without_autocast(like: Tensor) -> Iterator[None]:
    """Leave autocast where it is on; where it is off, add nothing to a traced graph."""
    device = like.device.type
    if device != 'meta' and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            yield
    else:
        yield
