"""Quality of SR images and of estimated blur kernels."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS

from csbsr_mm.functional.image_quality import psnr, ssim
from csbsr_mm.functional.kernel_shape import KernelShape, best_constant, compare_shapes, kernel_shape
from csbsr_mm.utils.checks import check_choice

QUANTITIES = ('PSNR', 'SSIM', 'kernel_PSNR')
SHAPES = ('size', 'elongation', 'angle')
COLUMNS = (*QUANTITIES, *(f'{whose}_{name}' for whose in ('estimated', 'true') for name in SHAPES))
"""What is written for each image; sizes in pixels, angles in radians."""


@METRICS.register_module()
class SRQualityMetric(BaseMetric):
    """PSNR and SSIM of the SR image, PSNR and shape of the blur kernel; PSNR and SSIM are means over images.

    Images are RGB in [0, 1], without rounding and without padding; kernels are clipped to [0, 1];
    the peak is 1 for both. Models that estimate no kernel get none of the ``kernel_`` figures.

    ``kernel_PSNR`` alone does not show whether a network estimates the blur: one constant kernel scores
    nearly as much. ``kernel_PSNR_constant`` is what the best round Gaussian scores on the same images, and
    ``kernel_size_R2``, ``kernel_size_error`` (pixels) and ``kernel_angle_error`` (degrees) compare shapes;
    see :class:`~csbsr_mm.functional.kernel_shape.KernelAgreement`.

    Args:
        missing: What to do with a sample that has no SR image or no HR image to compare with:
            ``'error'``, or ``'skip'`` it.
        per_image_csv: File to write the values of each image to.
        collect_device: As in MMEngine's metrics.
        prefix: As in MMEngine's metrics.

    Raises:
        ValueError: ``missing`` is neither, or SR and HR image differ in size.
        KeyError: A sample lacks an image and ``missing`` is ``'error'``.

    Example:
        >>> import torch
        >>> image = torch.full((3, 32, 32), 0.5)
        >>> sample = dict(sr_img=dict(data=image + 0.1), gt_hr_img=dict(data=image), img_path='a.png')
        >>> metric = SRQualityMetric()
        >>> metric.process({}, [sample])
        >>> round(metric.evaluate(size=1)['PSNR'], 3)
        20.0
    """

    default_prefix = ''

    def __init__(
        self,
        missing: str = 'error',
        per_image_csv: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_choice('missing', missing, ('error', 'skip'))
        self.missing = missing
        self.per_image_csv = per_image_csv

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Measure a batch; of an image a few numbers and the true kernel are kept."""
        for sample in data_samples:
            result: dict[str, Any] = {'image': str(sample.get('img_path', ''))}
            if self._has_images(sample):
                result |= self._image_quality(sample)
            if 'blur_kernel' in sample and 'gt_blur_kernel' in sample:
                result |= self._kernel_quality(sample)
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Mean of each quantity over the images that have it, and the agreement of the kernels."""
        if self.per_image_csv is not None:
            _write_csv(Path(self.per_image_csv), results)
        metrics = {}
        for name in QUANTITIES:
            values = [result[name] for result in results if name in result]
            if values:
                metrics[name] = math.fsum(values) / len(values)
        metrics |= _kernel_agreement([result for result in results if 'kernel' in result])
        skipped = sum('PSNR' not in result for result in results)
        if skipped:
            print_log(
                f'SRQualityMetric skipped {skipped} of {len(results)} images: no HR image or no SR image',
                logger='current',
            )
        return metrics

    def _has_images(self, sample: dict) -> bool:
        lacking = [field for field in ('sr_img', 'gt_hr_img') if field not in sample]
        if not lacking:
            return True
        if self.missing == 'skip':
            return False
        remedy = {
            'sr_img': 'the model makes no SR image; leave SRQualityMetric out of the evaluator',
            'gt_hr_img': 'load it with BlindDegradation or LoadDegradedPair and pack it with '
            "PackBlindSRInputs, or set missing='skip'",
        }
        raise KeyError(f'{lacking[0]} is missing for {sample.get("img_path")}: {remedy[lacking[0]]}')

    @staticmethod
    def _image_quality(sample: dict) -> dict[str, float]:
        sr_image, hr_image = _float(sample['sr_img']), _float(sample['gt_hr_img'])
        if sr_image.shape != hr_image.shape:
            raise ValueError(
                f'SR image {tuple(sr_image.shape)} and HR image {tuple(hr_image.shape)} of '
                f'{sample.get("img_path")} differ in size; predict at SR size and with the scale of the data'
            )
        if hr_image.max() > 2:
            raise ValueError(
                f'HR image of {sample.get("img_path")} holds values up to {hr_image.max():.0f}, expected RGB '
                'in [0, 1]; use BlindSRDataPreProcessor'
            )
        return {'PSNR': float(psnr(sr_image, hr_image)), 'SSIM': float(ssim(sr_image, hr_image))}

    @staticmethod
    def _kernel_quality(sample: dict) -> dict[str, Any]:
        estimated, true = _float(sample['blur_kernel']), _float(sample['gt_blur_kernel'])
        if estimated.shape != true.shape:
            raise ValueError(
                f'estimated kernel {tuple(estimated.shape)} and true kernel {tuple(true.shape)} of '
                f'{sample.get("img_path")} differ in size; give network and degradation one kernel_size'
            )
        result: dict[str, Any] = {'kernel_PSNR': float(psnr(estimated.clamp(0, 1), true.clamp(0, 1)))}
        for whose, kernel in (('estimated', estimated), ('true', true)):
            shape = kernel_shape(kernel[0].numpy())
            result |= {f'{whose}_{name}': float(getattr(shape, name)) for name in SHAPES}
        return {**result, 'kernel': true[0].numpy()}


def _write_csv(path: Path, results: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=['image', *COLUMNS], restval='', extrasaction='ignore')
        writer.writeheader()
        writer.writerows(results)


def _kernel_agreement(results: list[dict]) -> dict[str, float]:
    """Figures over the images that have kernels; those that are not defined are left out."""
    if not results:
        return {}
    estimated, true = (
        KernelShape(*(np.array([result[f'{whose}_{name}'] for result in results]) for name in SHAPES))
        for whose in ('estimated', 'true')
    )
    agreement = compare_shapes(estimated, true)
    figures = {
        'kernel_PSNR_constant': best_constant(np.stack([result['kernel'] for result in results]))[1],
        'kernel_size_R2': agreement.size_r2,
        'kernel_size_error': agreement.size_error,
        'kernel_angle_error': agreement.angle_error,
    }
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _float(field: dict) -> torch.Tensor:
    return field['data'].detach().float().cpu()
