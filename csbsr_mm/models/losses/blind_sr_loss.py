"""Blind super-resolution loss on the SR image, on the SR image degraded again, and on the kernel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.functional.degradation import degrade
from csbsr_mm.utils.checks import check_choice


@MODELS.register_module()
class BlindSRLoss(nn.Module):
    """Loss L_S of a blind SR network: L1 at HR, L1 at LR through the predicted kernel, kernel MSE.

    For a network that estimates no kernel only the first term exists: plain L1 with ``hr_weight=1``. A term
    of weight 0 is not computed.

    Args:
        hr_weight: Weight of the term on the SR image.
        lr_weight: Weight of the term on the pseudo-LR image, the SR image blurred with the predicted
            kernel and downsampled bicubically.
        kernel_weight: Weight of the term on the kernel.
        antialias: Whether the pseudo-LR image is low-pass filtered when downsampling; as in
            ``BlindDegradation``.
        padding: Values beyond the border of the SR image, ``'zeros'`` or ``'reflect'``; as in
            ``BlindDegradation``.
        kernel_loss: ``'mse'`` as released, or ``'relative'``: the squared error over the true kernel's
            squared norm. The MSE is dominated by small kernels, which cannot be distinguished at LR.
        border: LR pixels at each side that the second term leaves out. For LR images whose border was cut
            (``BlindDegradation(cut_border=True)``) the blurred SR image alone has a dark rim, half the
            kernel wide: 3 pixels at scale 4 and K = 21.

    Raises:
        ValueError: A weight or ``border`` is negative, or another value is none of its choices.

    Equation:
        L_S = 0.4 mean |I^S - I^H| + 0.4 mean |(I^S * K^P) ↓s - I^L| + 0.2 mean (K^P - K^G)^2

        The paper prints no weights. These are the ones intended in the released code, whose kernel weight is
        0 by mistake.

    Example:
        >>> loss = BlindSRLoss()
        >>> kernel = torch.full((1, 1, 5, 5), 1 / 25)
        >>> terms = loss(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16), torch.rand(1, 3, 4, 4),
        ...              kernel, kernel)
        >>> sorted(terms), terms['kernel']
        (['hr', 'kernel', 'lr'], tensor(0.))
    """

    def __init__(
        self,
        hr_weight: float = 0.4,
        lr_weight: float = 0.4,
        kernel_weight: float = 0.2,
        antialias: bool = False,
        padding: str = 'zeros',
        kernel_loss: str = 'mse',
        border: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (('hr', hr_weight), ('lr', lr_weight), ('kernel', kernel_weight)):
            if not value >= 0:
                raise ValueError(f'{name}_weight must be >= 0, got {value}')
        check_choice('padding', padding, ('zeros', 'reflect'))
        check_choice('kernel_loss', kernel_loss, ('mse', 'relative'))
        if border < 0:
            raise ValueError(f'border must be >= 0 pixels, got {border}')
        self.kernel_loss, self.border = kernel_loss, border
        self.hr_weight = hr_weight
        self.lr_weight = lr_weight
        self.kernel_weight = kernel_weight
        self.antialias = antialias
        self.padding = padding

    def forward(
        self,
        sr_image: Tensor,
        hr_image: Tensor,
        lr_image: Tensor,
        blur_kernel: Tensor | None = None,
        gt_blur_kernel: Tensor | None = None,
        weight: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Weighted terms of a batch, each the mean over the images of the image's mean.

        Args:
            sr_image: (B, 3, sh, sw) output of the network, not clipped.
            hr_image: (B, 3, sh, sw) in [0, 1].
            lr_image: (B, 3, h, w) in [0, 1].
            blur_kernel: (B, 1, K, K) predicted kernel of unit sum, or None from a network without.
            gt_blur_kernel: (B, 1, K, K) true kernel, or None if unknown.
            weight: (B, 1, sh, sw) factor of each pixel in both image terms (at LR after bilinear
                resizing), or None.
            valid: (B, 1, sh, sw) bool, a rectangle in each image, of pixels that are no padding;
                None if all are. The loss of an image does not depend on its padding.

        Returns:
            ``hr``; ``lr`` if a kernel is predicted; ``kernel`` if the true one is known as well.
            Scalars, float32 at least.

        Raises:
            ValueError: Shapes do not fit together, or ``valid`` is no rectangle.
        """
        _check_shapes(sr_image, hr_image, lr_image, blur_kernel, gt_blur_kernel)
        sr, hr, lr, kernel, weight = map(
            _at_least_float32, (sr_image, hr_image, lr_image, blur_kernel, weight)
        )
        if valid is None:
            terms = self._image_terms(sr, hr, lr, kernel, weight)
        else:
            terms = self._unpadded_terms(sr, hr, lr, kernel, weight, valid)
        if kernel is not None and gt_blur_kernel is not None:
            terms['kernel'] = self.kernel_term(kernel, gt_blur_kernel)
        return terms

    def kernel_term(self, kernel: Tensor, gt_blur_kernel: Tensor) -> Tensor:
        """Weighted term on the kernels (B, 1, K, K) alone."""
        kernel = _at_least_float32(kernel)
        true = gt_blur_kernel.to(kernel)
        squared = (kernel - true).square()
        if self.kernel_loss == 'mse':
            return self.kernel_weight * squared.mean()
        return self.kernel_weight * (squared.sum((1, 2, 3)) / true.square().sum((1, 2, 3))).mean()

    def _image_terms(
        self, sr: Tensor, hr: Tensor, lr: Tensor, kernel: Tensor | None, weight: Tensor | None
    ) -> dict[str, Tensor]:
        terms = {'hr': self.hr_weight * _weighted_l1(sr, hr, weight)}
        if kernel is not None:
            terms['lr'] = sr.new_zeros(())
            if self.lr_weight > 0:
                pseudo_lr = degrade(sr, kernel, sr.shape[-1] // lr.shape[-1], self.antialias, self.padding)
                inner = slice(self.border, -self.border or None)
                at_lr = (..., inner, inner)
                # Weights are given at HR; their resizing comes before the border is cut.
                weight = None if weight is None else _resized(weight, lr.shape[-2:])[at_lr]
                terms['lr'] = self.lr_weight * _weighted_l1(pseudo_lr[at_lr], lr[at_lr], weight)
        return terms

    def _unpadded_terms(
        self,
        sr: Tensor,
        hr: Tensor,
        lr: Tensor,
        kernel: Tensor | None,
        weight: Tensor | None,
        valid: Tensor,
    ) -> dict[str, Tensor]:
        """Image terms from every image without its padding, whose blur would reach into the image."""
        scale = sr.shape[-1] // lr.shape[-1]
        per_image = []
        for index, mask in enumerate(valid):
            hr_box = _rectangle(mask[0], index)
            lr_box = tuple(slice(side.start // scale, side.stop // scale) for side in hr_box)
            one = slice(index, index + 1)
            at_hr, at_lr = (one, slice(None), *hr_box), (one, slice(None), *lr_box)
            per_image.append(
                self._image_terms(
                    sr[at_hr],
                    hr[at_hr],
                    lr[at_lr],
                    None if kernel is None else kernel[one],
                    None if weight is None else weight[at_hr],
                )
            )
        return {name: torch.stack([t[name] for t in per_image]).mean() for name in per_image[0]}


def _weighted_l1(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of |image - target| times weight, the weight resized to the image."""
    error = (image - target.to(image)).abs()
    if weight is None:
        return error.mean()
    return (error * _resized(weight, error.shape[-2:])).mean()


def _resized(weight: Tensor, size: tuple[int, int]) -> Tensor:
    if weight.shape[-2:] == size:
        return weight
    return F.interpolate(weight, size, mode='bilinear', align_corners=False)


def _rectangle(mask: Tensor, index: int) -> tuple[slice, slice]:
    """Rows and columns of the rectangle that a mask (H, W) marks."""
    rows, columns = (mask.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows or int(mask.sum()) != len(rows) * len(columns):
        raise ValueError(
            f'valid must mark one rectangle in each image, got {int(mask.sum())} scattered pixels in '
            f'image {index} of the batch; it says which pixels are no padding, not which are labelled'
        )
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _at_least_float32(x: Tensor | None) -> Tensor | None:
    return x.float() if x is not None and x.dtype in (torch.float16, torch.bfloat16) else x


def _check_shapes(
    sr: Tensor, hr: Tensor, lr: Tensor, kernel: Tensor | None, gt_kernel: Tensor | None
) -> None:
    scale, rest = divmod(sr.shape[-1], lr.shape[-1])
    if sr.shape != hr.shape or rest or sr.shape[-2] != scale * lr.shape[-2] or len(sr) != len(lr):
        raise ValueError(
            f'SR and HR image must have one size, a multiple of the LR size, got SR {tuple(sr.shape)}, '
            f'HR {tuple(hr.shape)}, LR {tuple(lr.shape)}'
        )
    if kernel is not None and gt_kernel is not None and kernel.shape != gt_kernel.shape:
        raise ValueError(
            f'the predicted kernel is {tuple(kernel.shape)}, the true one {tuple(gt_kernel.shape)}; give '
            f'the SR network and BlindDegradation one kernel_size'
        )
