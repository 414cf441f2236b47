"""Normalisation of the SR image between the SR network and the segmentor."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice

# RGB statistics of images in [0, 1]: of the Khanhha training set as published with the paper's models,
# and of ImageNet as its pretrained backbones expect them.
STATISTICS = {
    'dataset': ((0.4741, 0.4937, 0.5048), (0.1621, 0.1532, 0.1523)),
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
MODES = ('instance', *STATISTICS, None)


class ImageNormalization(nn.Module):
    """Bring an image batch to zero mean and unit variance per channel.

    Args:
        mode: 'instance' takes mean and (biased) variance from each image itself, over its valid pixels;
            'dataset' and 'imagenet' use fixed statistics; None passes the image through.
        eps: Added to the variance in 'instance' mode.

    Example:
        >>> import torch
        >>> y = ImageNormalization('instance')(torch.rand(2, 3, 8, 8))
        >>> bool(y.mean().abs() < 1e-5)
        True
    """

    def __init__(self, mode: str | None = 'instance', eps: float = 1e-5) -> None:
        super().__init__()
        check_choice('normalize', mode, MODES)
        self.mode = mode
        self.eps = eps
        if mode in STATISTICS:
            mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in STATISTICS[mode])
            self.register_buffer('mean', mean, persistent=False)
            self.register_buffer('std', std, persistent=False)

    def forward(
        self, image: Tensor, valid: Tensor | None = None, statistics: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Normalise images.

        Args:
            image: (B, 3, H, W), RGB in [0, 1].
            valid: (B, 1, H, W), True where a pixel is no padding.
            statistics: Mean and variance per channel, each (3,), in place of the image's own in
                'instance' mode: those of a whole photo for one of its tiles.

        Returns:
            (B, 3, H, W) in the type of ``image``.
        """
        if self.mode is None:
            return image
        if self.mode != 'instance':
            return (image - self.mean.to(image)) / self.std.to(image)
        if statistics is None:
            mean, variance = self._moments(image.float() if image.dtype != torch.float64 else image, valid)
        else:
            mean, variance = (values.view(1, 3, 1, 1).to(image) for values in statistics)
        normalized = (image - mean) * torch.rsqrt(variance + self.eps)
        return normalized.to(image.dtype)

    @staticmethod
    def _moments(image: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        dims = (2, 3)
        if valid is None:
            variance, mean = torch.var_mean(image, dims, correction=0, keepdim=True)
            return mean, variance
        weight = valid.to(image)
        count = weight.sum(dims, keepdim=True).clamp(min=1)
        mean = (image * weight).sum(dims, keepdim=True) / count
        variance = ((image - mean).square() * weight).sum(dims, keepdim=True) / count
        return mean, variance
