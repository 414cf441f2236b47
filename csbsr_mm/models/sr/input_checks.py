"""Checks of a super-resolution network's arguments and inputs."""

from __future__ import annotations

from torch import Tensor

SCALES = (2, 4, 8)


def check_scale(network: str, scale: int) -> None:
    """Refuse a scale for which the back-projection units are not defined."""
    if scale not in SCALES:
        raise ValueError(
            f'{network}: scale must be one of {SCALES}, got {scale}; '
            'choose one of them here and in BlindDegradation'
        )


def check_kernel_size(network: str, name: str, size: int) -> None:
    """Refuse a blur kernel without a middle pixel."""
    if size < 1 or size % 2 == 0:
        raise ValueError(f'{network}: {name} must be odd and positive, got {size}; use {abs(size) + 1}')


def check_lr(network: str, lr: Tensor) -> None:
    """Refuse what is no batch of RGB images in floating point, or has no pixels."""
    if lr.dim() != 4 or lr.shape[1] != 3 or min(lr.shape[-2:]) < 1:
        raise ValueError(
            f'{network}: LR images must have shape (B, 3, h, w) with h and w at least 1, got '
            f'{tuple(lr.shape)}; give RGB images of at least one pixel, and a single one as image[None]'
        )
    if not lr.is_floating_point():
        raise TypeError(
            f'{network}: LR images must be floating point in [0, 1], got {lr.dtype}; divide by 255'
        )


def check_blur_kernel(network: str, blur_kernel: Tensor, batch: int, size: int) -> None:
    """Refuse a blur kernel whose shape does not match the images or the network."""
    if tuple(blur_kernel.shape) != (batch, 1, size, size):
        raise ValueError(
            f'{network}: blur_kernel must have shape {(batch, 1, size, size)}, got '
            f'{tuple(blur_kernel.shape)}; make kernels of kernel_size={size}'
        )
