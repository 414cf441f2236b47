"""How well a blind SR network estimates the blur: its kernels against the true ones, over a test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from numpy.typing import NDArray
from torch import Tensor, nn

from csbsr_mm.engine.blur_border import cut_test_border
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel
from csbsr_mm.functional.image_quality import psnr
from csbsr_mm.functional.kernel_shape import (
    KernelAgreement,
    KernelShape,
    best_constant,
    compare_shapes,
    kernel_psnr,
    kernel_shape,
)

Progress = Callable[[int, int], None]


@dataclass
class KernelReport:
    """Kernels of the images of a test set.

    Attributes:
        estimated: Estimated kernels (N, K, K).
        true: True kernels (N, K, K).
        image_psnr: Mean PSNR in dB of the SR images made with the network's own kernel (``'estimated'``),
            with the ``'true'`` one, and with one kernel for all (``'constant'``); empty if not asked for.
            The lead of the true kernel over the constant one shows how much the network uses the blur.
    """

    estimated: NDArray[np.float64]
    true: NDArray[np.float64]
    image_psnr: dict[str, float]

    @property
    def shapes(self) -> tuple[KernelShape, KernelShape]:
        """Shapes of the estimated and of the true kernels."""
        return kernel_shape(self.estimated), kernel_shape(self.true)

    @property
    def agreement(self) -> KernelAgreement:
        """How well the shapes agree."""
        return compare_shapes(*self.shapes)

    @property
    def psnr(self) -> float:
        """Mean PSNR of the kernels in dB."""
        return float(kernel_psnr(self.estimated, self.true).mean())

    @property
    def constant_psnr(self) -> float:
        """Mean PSNR in dB of the one kernel that comes closest to all true ones."""
        return best_constant(self.true)[1]

    def figures(self) -> dict[str, float]:
        """All figures by the names that SRQualityMetric gives them."""
        agreement = self.agreement
        return {
            'kernel_PSNR': self.psnr,
            'kernel_PSNR_constant': self.constant_psnr,
            'kernel_size_R2': agreement.size_r2,
            'kernel_size_error': agreement.size_error,
            'kernel_angle_error': agreement.angle_error,
            **{f'PSNR_{kernel}_kernel': value for kernel, value in self.image_psnr.items()},
        }


def report_kernels(
    config: Config,
    model: nn.Module,
    cut_border: bool,
    limit: int | None = None,
    images: bool = False,
    progress: Progress | None = None,
) -> KernelReport:
    """Estimate the blur of a config's test photos.

    Args:
        config: Config whose test set is degraded on the fly.
        model: Its model, in evaluation mode, with a blind SR network.
        cut_border: Whether the LR images lose the rim that the blur fills from beyond the border.
        limit: How many photos at most; all if None.
        images: Whether to restore each photo with the estimated, the true and a constant kernel, too.
        progress: Called with the photos done and the photos in all.

    Raises:
        ValueError: The test pipeline does not degrade, or the network estimates no kernel.
    """
    if getattr(getattr(model, 'sr', None), 'kernel_size', None) is None:
        raise ValueError(f'{type(model).__name__} estimates no blur kernel; use a config with KBPN')
    config = config.copy()
    cut_test_border(config, cut_border)
    init_default_scope(config.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(config.test_dataloader.dataset)
    count = min(len(dataset), limit or len(dataset))
    true = np.stack([_true_kernel(dataset[index]) for index in range(count)])
    sigma = best_constant(true)[0]
    constant = anisotropic_gaussian_kernel(sigma, sigma, 0.0, true.shape[-1])
    estimated, quality = [], []
    for index in range(count):
        lr, hr = _images(model, dataset[index])
        with torch.no_grad():
            sr, kernel = model.super_resolve(lr)
            estimated.append(kernel[0, 0].double().cpu().numpy())
            if images:
                others = [_restore(model, lr, given) for given in (true[index], constant)]
                quality.append([float(psnr(image, hr)) for image in (sr, *others)])
        if progress is not None:
            progress(index + 1, count)
    means = zip(('estimated', 'true', 'constant'), zip(*quality, strict=True), strict=False)
    image_psnr = {name: float(np.mean(values)) for name, values in means}
    return KernelReport(np.stack(estimated), true, image_psnr)


def _true_kernel(item: dict) -> NDArray[np.float64]:
    return item['data_samples'].gt_blur_kernel.data[0].double().numpy()


def _images(model: nn.Module, item: dict) -> tuple[Tensor, Tensor]:
    """LR and HR image as the network gets them, without padding."""
    data = model.data_preprocessor(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]), False)
    height, width = item['inputs'].shape[-2:]
    return data['inputs'][..., :height, :width], data['data_samples'][0].gt_hr_img.data[None]


def _restore(model: nn.Module, lr: Tensor, kernel: NDArray) -> Tensor:
    given = torch.from_numpy(kernel).to(lr)[None, None]
    return model.super_resolve(lr, given)[0]
