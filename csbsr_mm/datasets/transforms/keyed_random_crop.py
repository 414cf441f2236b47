"""Random crop of photo and mask together."""

from __future__ import annotations

import numpy as np
from mmseg.registry import TRANSFORMS

from .keyed import KeyedTransform


@TRANSFORMS.register_module()
class KeyedRandomCrop(KeyedTransform):
    """Cut a window out of image and mask at the same place.

    Cracks cover few pixels; ``crack_probability`` moves that share of the windows so that they
    hold a randomly chosen crack pixel (somewhere, not in the middle).

    Args:
        crop_size: Height and width in pixels, or one number for both.
        crack_probability: Share of windows placed on a crack, in [0, 1]; 0 as in the paper.
        seed: See :class:`KeyedTransform`.

    Raises:
        ValueError: The image is smaller than the window.

    Example:
        >>> sample = dict(img=np.zeros((64, 80, 3), np.uint8), img_path='a.jpg')
        >>> KeyedRandomCrop(32).transform(sample)['img'].shape
        (32, 32, 3)
    """

    def __init__(
        self,
        crop_size: int | tuple[int, int],
        crack_probability: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        self.crop_size = (crop_size,) * 2 if isinstance(crop_size, int) else tuple(crop_size)
        if not 0 <= crack_probability <= 1:
            raise ValueError(f'crack_probability must be within [0, 1], got {crack_probability}')
        self.crack_probability = crack_probability

    def transform(self, results: dict) -> dict:
        """Crop ``img`` and every map in ``seg_fields``."""
        self.refuse_degraded(results)
        window = self._window(results)
        results['img'] = np.ascontiguousarray(results['img'][window])
        for key in results.get('seg_fields', []):
            results[key] = np.ascontiguousarray(results[key][window])
        results['img_shape'] = results['img'].shape[:2]
        return results

    def _window(self, results: dict) -> tuple[slice, slice]:
        room = np.subtract(results['img'].shape[:2], self.crop_size)
        if room.min() < 0:
            height, width = results['img'].shape[:2]
            raise ValueError(
                f'a crop of {self.crop_size[0]}x{self.crop_size[1]} does not fit into '
                f'{results.get("img_path", "the image")} of {height}x{width} (height x width); '
                'choose a smaller crop_size or leave the image out'
            )
        rng = self.generator(results)
        top, left = rng.integers(0, room + 1)
        if self.crack_probability and rng.random() < self.crack_probability:
            cracks = np.flatnonzero(results['gt_seg_map'] == 1)
            if len(cracks):
                pixel = np.unravel_index(rng.choice(cracks), results['gt_seg_map'].shape)
                inside = rng.integers(0, self.crop_size)
                top, left = np.clip(pixel - inside, 0, room)
        return slice(top, top + self.crop_size[0]), slice(left, left + self.crop_size[1])

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(crop_size={self.crop_size}, '
            f'crack_probability={self.crack_probability}, seed={self.seed})'
        )
