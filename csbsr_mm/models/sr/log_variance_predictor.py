"""A blur kernel read from the texture of the LR image, and its corrections, both as logits of a softmax."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blur_kernel import resize_kernel
from .layers import ConvPReLU

BORDER = 3
"""LR pixels at each side that the average leaves out: convolutions see zero padding there."""
FLOOR = 1e-4
INITIAL_VARIANCE = 4.0
"""Variance of the Gaussian, in squared HR pixels, that an untrained predictor gives."""


class LogVariancePredictor(nn.Module):
    """Kernel from the LR image: the log-variance of learned filters, mapped to the kernel's logits.

    Blur removes texture, so the variance left behind each filter depends on the blur. The photo is normalised
    first: its brightness and contrast do not matter. The kernel is a softmax, hence positive and of unit sum.

    Args:
        channels: Channels of the convolutions.
        kernel_size: Side K of the blur kernel, odd.
        estimated_kernel_size: Side e at which the logits are estimated; they are enlarged bicubically.

    Equation:
        z = W log(Var(f((I - mean I) / std I)) + 1e-4) - r² / 8,  K = softmax(z ↑).

    Example:
        >>> predictor = LogVariancePredictor(8, kernel_size=21, estimated_kernel_size=7)
        >>> kernel = predictor(torch.rand(2, 3, 24, 24))
        >>> kernel.shape, bool(torch.allclose(kernel.sum(1), torch.ones(2, 1, 1)))
        (torch.Size([2, 441, 1, 1]), True)
    """

    def __init__(self, channels: int, kernel_size: int, estimated_kernel_size: int) -> None:
        super().__init__()
        self.kernel_size, self.estimated_size = kernel_size, estimated_kernel_size
        estimated = estimated_kernel_size**2
        self.layers = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            ConvPReLU(channels, channels, 3),
            ConvPReLU(channels, channels, 3),
            ConvPReLU(channels, estimated, 3),
        )
        self.to_logits = nn.Linear(estimated, estimated)
        cells = torch.arange(estimated_kernel_size) - (estimated_kernel_size - 1) / 2
        squared = (cells * kernel_size / estimated_kernel_size) ** 2
        prior = -(squared[:, None] + squared) / (2 * INITIAL_VARIANCE)
        self.register_buffer('prior', prior.flatten(), persistent=False)
        nn.init.normal_(self.to_logits.weight, std=0.1 / estimated_kernel_size)
        nn.init.zeros_(self.to_logits.bias)

    def forward(self, lr: Tensor) -> Tensor:
        """LR images (B, 3, h, w) to kernel vectors (B, K*K, 1, 1), positive, of unit sum."""
        deviation, mean = torch.std_mean(lr, (1, 2, 3), correction=0, keepdim=True)
        maps = self.layers((lr - mean) / (deviation + FLOOR))
        rows, columns = (
            slice(BORDER, -BORDER) if side > 2 * BORDER + 1 else slice(None) for side in maps.shape[-2:]
        )
        maps = maps[..., rows, columns].to(torch.promote_types(maps.dtype, torch.float32))
        variance = maps.var((2, 3), correction=0)
        logits = self.to_logits((variance + FLOOR).log()) + self.prior
        logits = resize_kernel(logits[..., None, None], self.estimated_size, self.kernel_size)
        return logits.softmax(1)


def corrected_kernel(kernel: Tensor, update: Tensor) -> Tensor:
    """Add an update (B, K*K, 1, 1) to the logits of a kernel of that shape."""
    logits = kernel.clamp(min=torch.finfo(kernel.dtype).tiny).log() + update
    return F.softmax(logits, 1)
