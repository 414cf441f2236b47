"""Pack a degraded sample into what MMSegmentation hands to the model."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackBlindSRInputs(PackSegInputs):
    """MMSegmentation's ``PackSegInputs``, plus the targets of blind super-resolution.

    The data sample also gets ``gt_hr_img`` (3, H, W; BGR 0..255, dtype kept) and
    ``gt_blur_kernel`` (1, K, K), where the pipeline made them. ``ori_shape`` and ``img_shape`` are
    those of the LR image.

    Args:
        meta_keys: As in ``PackSegInputs``.

    Example:
        >>> from csbsr_mm.datasets.transforms import BlindDegradation
        >>> sample = dict(img=np.zeros((64, 64, 3), np.uint8), img_path='a.jpg')
        >>> packed = PackBlindSRInputs().transform(BlindDegradation().transform(sample))
        >>> tuple(packed['inputs'].shape), packed['data_samples'].gt_hr_img.shape
        ((3, 16, 16), (64, 64))
    """

    def transform(self, results: dict) -> dict:
        """Pack the sample."""
        packed = super().transform(results)
        data_sample = packed['data_samples']
        if 'hr_img' in results:
            planes = np.ascontiguousarray(results['hr_img'].transpose(2, 0, 1))
            data_sample.gt_hr_img = PixelData(data=torch.from_numpy(planes))
        if 'gt_blur_kernel' in results:
            kernel = torch.from_numpy(results['gt_blur_kernel'])[None]
            data_sample.gt_blur_kernel = PixelData(data=kernel)
        return packed
