"""MMSegmentation's visualizer for masks that are larger than their photo."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer
from numpy.typing import NDArray

from csbsr_mm.utils.checks import check_choice

CLASSES = ('background', 'crack')
PALETTE = [[0, 0, 0], [220, 20, 20]]
MASKS = ('gt_sem_seg', 'pred_sem_seg')


@VISUALIZERS.register_module()
class BlindSRLocalVisualizer(SegLocalVisualizer):
    """Draw ground truth and prediction of a model whose output is larger than its input.

    MMSegmentation's visualizer needs a photo of the mask's size. Here the photo is enlarged to the mask
    first (bicubically), or the SR image takes its place. Where there are two classes only the crack is
    painted, so that the background stays what it is; with more, MMSegmentation's drawing applies.

    Args:
        name, image, vis_backends, save_dir: As of MMSegmentation's ``SegLocalVisualizer``.
        classes: Names of the classes; background and crack unless they or ``dataset_name`` are given.
        palette: RGB colour of each class.
        dataset_name: Take classes and palette of a data set that MMSegmentation knows.
        alpha: Opacity of the paint, in [0, 1].
        draw_on: 'photo' or 'sr', what lies under the masks; 'sr' falls back on the photo where a sample
            has no ``sr_img``.
        **kwargs: As of ``SegLocalVisualizer``.

    Raises:
        ValueError: ``draw_on`` is neither 'photo' nor 'sr'.

    Example:
        >>> sample = SegDataSample(pred_sem_seg=PixelData(data=torch.ones(1, 8, 12)))
        >>> visualizer = BlindSRLocalVisualizer(alpha=1.0)
        >>> visualizer.add_datasample('photo', np.zeros((2, 3, 3), np.uint8), sample)
        >>> visualizer.get_image().shape, visualizer.get_image()[0, 0].tolist()
        ((8, 12, 3), [220, 20, 20])
    """

    def __init__(
        self,
        name: str = 'visualizer',
        image: NDArray[np.uint8] | None = None,
        vis_backends: list[dict] | None = None,
        save_dir: str | None = None,
        classes: list[str] | None = None,
        palette: list[list[int]] | None = None,
        dataset_name: str | None = None,
        alpha: float = 0.6,
        draw_on: str = 'photo',
        **kwargs,
    ) -> None:
        check_choice('draw_on', draw_on, ('photo', 'sr'))
        super().__init__(name, image, vis_backends, save_dir, alpha=alpha, **kwargs)
        # Not left to the parent, whose constructor confuses classes with palette.
        self.set_dataset_meta(classes, palette, dataset_name)
        self.draw_on = draw_on

    def set_dataset_meta(
        self,
        classes: list[str] | None = None,
        palette: list[list[int]] | None = None,
        dataset_name: str | None = None,
    ) -> None:
        """Set class names and colours; cracks in red where nothing is given."""
        if classes is None and dataset_name is None:
            classes, palette = list(CLASSES), palette or PALETTE
        super().set_dataset_meta(classes, palette, dataset_name)

    def add_datasample(
        self,
        name: str,
        image: NDArray[np.uint8],
        data_sample: SegDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        *args,
        **kwargs,
    ) -> None:
        """Draw a sample; arguments as of MMSegmentation's visualizer.

        Args:
            name: Name of the picture.
            image: (h, w, 3) RGB, of the masks' size or smaller.
            data_sample: Holds ``gt_sem_seg`` and/or ``pred_sem_seg``, and perhaps ``sr_img``.
            draw_gt: Whether to draw ``gt_sem_seg``.
            draw_pred: Whether to draw ``pred_sem_seg``.
            *args: ``show``, ``wait_time``, ``out_file``, ``step``, ``with_labels``, ``with_image``.
            **kwargs: Likewise.
        """
        if data_sample is not None:
            drawn = [field for field, on in zip(MASKS, (draw_gt, draw_pred), strict=True) if on]
            image, data_sample = self._at_one_size(image, data_sample, drawn)
        super().add_datasample(name, image, data_sample, draw_gt, draw_pred, *args, **kwargs)

    def _at_one_size(
        self, image: NDArray[np.uint8], sample: SegDataSample, fields: list[str]
    ) -> tuple[NDArray[np.uint8], SegDataSample]:
        """The picture to draw on, and a copy of the sample, at the size of the largest mask."""
        masks = {field: sample.get(field).data for field in fields if field in sample}
        if not masks:
            return image, sample
        size = max((tuple(mask.shape[-2:]) for mask in masks.values()), key=np.prod)
        resized = SegDataSample(metainfo=sample.metainfo)
        resized.set_data(dict(sample.items()))
        for field, mask in masks.items():
            resized.set_data({field: PixelData(data=_resize_mask(mask, size))})
        return self._background(image, sample, size), resized

    def _background(
        self, image: NDArray[np.uint8], sample: SegDataSample, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        if self.draw_on == 'sr' and 'sr_img' in sample:
            sr_image = sample.sr_img.data.detach().cpu().float().clamp(0, 1)
            image = (255 * sr_image).round().byte().permute(1, 2, 0).numpy()
        if image.shape[:2] == size:
            return image
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC)

    def _draw_sem_seg(
        self,
        image: NDArray[np.uint8],
        sem_seg: PixelData,
        classes: list[str] | None,
        palette: list[list[int]] | None,
        with_labels: bool | None = True,
    ) -> NDArray[np.uint8]:
        """Paint the crack alone; text would hide it, and there is only one thing to name."""
        if len(classes) != 2:
            return super()._draw_sem_seg(image, sem_seg, classes, palette, with_labels)
        crack = torch.as_tensor(sem_seg.data)[0].cpu().numpy() == 1
        drawn = image.copy()
        paint = self.alpha * np.array(palette[1], np.float32)
        drawn[crack] = (image[crack] * (1 - self.alpha) + paint).round().astype(np.uint8)
        self.set_image(drawn)
        return drawn


def _resize_mask(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Labels (1, H, W) at another size, by nearest neighbour."""
    if tuple(mask.shape[-2:]) == size:
        return mask
    return torch.nn.functional.interpolate(mask[None].float(), size, mode='nearest-exact')[0].to(mask.dtype)
