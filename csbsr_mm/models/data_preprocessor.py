"""From packed samples to network inputs, when inputs are LR and labels are HR."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

PREPROCESSOR = 'BlindSRDataPreProcessor'
HR_FIELDS = ('gt_sem_seg', 'gt_hr_img', 'gt_signed_distance')


def preprocessor_for(scale: int, given: dict | nn.Module | None) -> dict | nn.Module:
    """The data preprocessor of a model that enlarges by ``scale``.

    Args:
        scale: HR pixels per LR pixel along each axis.
        given: What the config says; its ``type`` and its ``scale`` may be left out.

    Returns:
        ``given``, completed: :class:`BlindSRDataPreProcessor` with the model's scale.

    Example:
        >>> preprocessor_for(4, dict(size_divisor=2))
        {'type': 'BlindSRDataPreProcessor', 'scale': 4, 'size_divisor': 2}
    """
    if isinstance(given, nn.Module):
        return given
    given = dict(given or {})
    if given.get('type', PREPROCESSOR) != PREPROCESSOR:
        return given
    return {'type': PREPROCESSOR, 'scale': scale, **given}


@MODELS.register_module()
class BlindSRDataPreProcessor(BaseDataPreprocessor):
    """Make a batch of LR images in [0, 1] and bring their HR targets along.

    MMSegmentation's own preprocessor pads images and labels by the same number of pixels. Here an image
    padded by p LR pixels has labels padded by ``scale * p`` HR pixels, on the right and at the bottom.
    Padded pixels are black in images and ``seg_pad_val`` in masks; the meta field ``padding_size``
    (left, right, top, bottom, in LR pixels) holds their number on each side.

    In training, images are padded to the largest of the batch. In testing only images are padded (the
    predictions are cropped back), so labels stay as they are.

    Args:
        scale: HR pixels per LR pixel along each axis, >= 1.
        bgr_to_rgb: Whether images arrive as BGR, as MMSegmentation's loaders give them.
        max_value: The value that becomes 1.0, 255 for 8-bit images.
        size_divisor: LR height and width are padded to a multiple of this.
        seg_pad_val: Label of padded pixels, the ``ignore_index`` of losses and metrics.
        non_blocking: Copy to the device asynchronously.

    Example:
        >>> import torch
        >>> preprocessor = BlindSRDataPreProcessor(scale=4, size_divisor=8)
        >>> data = dict(inputs=[torch.full((3, 10, 12), 255, dtype=torch.uint8)])
        >>> batch = preprocessor(data)['inputs']
        >>> batch.shape, batch.max().item()
        (torch.Size([1, 3, 16, 16]), 1.0)
    """

    def __init__(
        self,
        scale: int = 4,
        bgr_to_rgb: bool = True,
        max_value: float = 255.0,
        size_divisor: int = 1,
        seg_pad_val: int = 255,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        if scale < 1 or size_divisor < 1:
            raise ValueError(f'scale and size_divisor must be >= 1, got {scale} and {size_divisor}')
        self.scale = scale
        self.bgr_to_rgb = bgr_to_rgb
        self.max_value = max_value
        self.size_divisor = size_divisor
        self.seg_pad_val = seg_pad_val

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Collate, convert and pad.

        Args:
            data: ``inputs``, a list of (3, h, w) images or one (B, 3, h, w) batch, and optionally
                ``data_samples``.
            training: Whether labels are padded along with the images.

        Returns:
            ``inputs`` (B, 3, H, W) float RGB in [0, 1] and ``data_samples``.

        Raises:
            ValueError: An HR field is not ``scale`` times as large as its LR image.
        """
        data = self.cast_data(data)
        images = [self._to_unit_rgb(image) for image in data['inputs']]
        samples = data.get('data_samples')
        height, width = self._padded_size(images)
        padded = [F.pad(image, self._padding(image, height, width)) for image in images]
        if samples is not None:
            for image, sample in zip(images, samples, strict=True):
                self._prepare_sample(sample, image, (height, width), training)
        return dict(inputs=torch.stack(padded), data_samples=samples)

    def _to_unit_rgb(self, image: Tensor) -> Tensor:
        if image.shape[0] != 3:
            raise ValueError(f'images must have 3 channels, got shape {tuple(image.shape)}')
        image = image.flip(0) if self.bgr_to_rgb else image
        return image.float() / self.max_value

    def _padded_size(self, images: list[Tensor]) -> tuple[int, int]:
        height = max(image.shape[-2] for image in images)
        width = max(image.shape[-1] for image in images)
        divisor = self.size_divisor
        return -(-height // divisor) * divisor, -(-width // divisor) * divisor

    @staticmethod
    def _padding(image: Tensor, height: int, width: int) -> tuple[int, int, int, int]:
        return 0, width - image.shape[-1], 0, height - image.shape[-2]

    def _prepare_sample(
        self, sample: SegDataSample, image: Tensor, size: tuple[int, int], training: bool
    ) -> None:
        padding = self._padding(image, *size)
        meta = dict(img_shape=tuple(image.shape[-2:]), pad_shape=size, padding_size=padding)
        sample.set_metainfo(meta)
        if 'gt_hr_img' in sample:
            sample.gt_hr_img = PixelData(data=self._to_unit_rgb(sample.gt_hr_img.data))
        if not training:
            return
        for field in HR_FIELDS:
            if field in sample:
                self._check_size(sample, field, image)
                value = self.seg_pad_val if field == 'gt_sem_seg' else 0
                padded = F.pad(sample.get(field).data, [self.scale * p for p in padding], value=value)
                sample.set_data({field: PixelData(data=padded)})

    def _check_size(self, sample: SegDataSample, field: str, image: Tensor) -> None:
        expected = tuple(self.scale * side for side in image.shape[-2:])
        found = tuple(sample.get(field).data.shape[-2:])
        if found != expected:
            raise ValueError(
                f'{field} of {sample.metainfo.get("img_path", "an image")} is {found[0]}x{found[1]}, '
                f'but its LR image at scale {self.scale} asks for {expected[0]}x{expected[1]}; check that '
                f'`scale` is the same in BlindDegradation, the data preprocessor and the SR network'
            )
