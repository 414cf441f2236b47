"""From the grey values of a crack mask to the classes 0 (background) and 1 (crack)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

MOSTLY_CRACK = 0.5
"""Share of crack pixels above which a mask is probably inverted."""
JPEG_SUFFIXES = ('.jpg', '.jpeg')


@TRANSFORMS.register_module()
class BinarizeMask(BaseTransform):
    """Threshold a mask to crack and background, after checking that its values are those of a crack mask.

    Public crack masks are meant to hold 0 and 255, but many are stored as JPEG, which blurs them to
    0..12 and 243..255. A few undecided pixels are rounded; a mask with many of them, or one that
    holds class numbers, is not a crack mask, and training on it would fail in silence.

    A lossless mask with 0 and 1 (and 255 for "ignore") holds class numbers already and is kept.

    Args:
        threshold: Grey value above which a pixel is crack, in [0, 254].
        tolerance: How far from 0 or 255 a grey value may lie and still be decided.
        max_undecided: Largest share of other pixels in one mask; 1 accepts every mask.

    Raises:
        ValueError: Image and mask differ in size, or the mask's values are none of the above. The
            message names the file.

    Example:
        >>> mask = np.array([[0, 9, 250, 255]], np.uint8)
        >>> BinarizeMask().transform(dict(gt_seg_map=mask, seg_map_path='a.jpg'))['gt_seg_map']
        array([[0, 0, 1, 1]], dtype=uint8)
    """

    def __init__(self, threshold: int = 127, tolerance: int = 32, max_undecided: float = 0.01) -> None:
        if not 0 <= threshold <= 254:
            raise ValueError(f'threshold must be a grey value within [0, 254], got {threshold}')
        self.threshold = threshold
        self.tolerance = tolerance
        self.max_undecided = max_undecided

    def transform(self, results: dict) -> dict:
        """Replace ``gt_seg_map``; a sample without a mask passes unchanged."""
        if 'gt_seg_map' in results:
            mask, path = results['gt_seg_map'], results.get('seg_map_path', 'the mask')
            if 'img' in results:
                if mask.ndim < 2 and mask.size == results['img'].shape[0] * results['img'].shape[1]:
                    # LoadAnnotations squeezes a mask that is one pixel high or wide.
                    mask = mask.reshape(results['img'].shape[:2])
                self._check_size(results['img'], mask, path)
            results['gt_seg_map'] = self.binarize(mask, path)
        return results

    def binarize(self, mask: np.ndarray, path: str) -> np.ndarray:
        """Classes of a grey mask.

        Args:
            mask: (H, W) uint8.
            path: The mask's file, for messages; its suffix tells whether values can be trusted.

        Returns:
            uint8 (H, W) of 0 and 1; 255 stays in a mask that holds class numbers.
        """
        if mask.ndim != 2:
            raise ValueError(
                f'a crack mask has one channel, got shape {mask.shape} in {path}; store it in grey'
            )
        lossless = Path(path).suffix.lower() not in JPEG_SUFFIXES
        if lossless and (mask == 1).any() and ((mask <= 1) | (mask == 255)).all():
            return mask
        least, most = int(mask.min()), int(mask.max())
        between = cv2.inRange(mask, self.tolerance + 1, 254 - self.tolerance)
        undecided = cv2.countNonZero(between) / mask.size
        class_numbers = lossless and 0 < most <= self.tolerance
        if class_numbers or undecided > self.max_undecided:
            share = '' if class_numbers else f' ({undecided:.0%} of the pixels in between)'
            raise ValueError(
                f'mask values must be 0/255 or 0/1, got {least}..{most}{share} in {path}; '
                'map its classes to 0/255, or choose BinarizeMask(threshold=..., tolerance=..., '
                'max_undecided=1.0) to threshold it as it is'
            )
        return (mask > self.threshold).astype(np.uint8)

    @staticmethod
    def _check_size(image: np.ndarray, mask: np.ndarray, path: str) -> None:
        if image.shape[:2] != mask.shape[:2]:
            sizes = ' and '.join(f'{h}x{w}' for h, w in (image.shape[:2], mask.shape[:2]))
            raise ValueError(
                f'image and mask must have one size, got {sizes} (height x width) for {path}; '
                'store the mask at the size of its image'
            )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(threshold={self.threshold}, tolerance={self.tolerance}, '
            f'max_undecided={self.max_undecided})'
        )


def crack_share(path: str, threshold: int = 127) -> float:
    """Share of pixels above a grey value in a mask file; NaN if it cannot be read.

    Args:
        path: The mask.
        threshold: Grey value; a mask of class numbers 0 and 1 is taken as such.
    """
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        return float('nan')
    return float((mask > (0 if mask.max() <= 1 else threshold)).mean())
