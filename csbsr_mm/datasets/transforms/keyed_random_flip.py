"""Random mirroring of photo and mask together."""

from __future__ import annotations

import cv2
from mmseg.registry import TRANSFORMS

from .keyed import KeyedTransform

FLIP_CODES = {'vertical': 0, 'horizontal': 1, 'diagonal': -1}
"""OpenCV's codes; diagonal, in MMSegmentation's words, is both at once."""


@TRANSFORMS.register_module()
class KeyedRandomFlip(KeyedTransform):
    """Mirror image and mask left-right and upside down, each with its own probability.

    Args:
        horizontal: Probability of a left-right flip, in [0, 1].
        vertical: Probability of an upside-down flip, in [0, 1].
        seed: See :class:`KeyedTransform`.

    Example:
        >>> import numpy as np
        >>> sample = dict(img=np.arange(6).reshape(1, 2, 3), img_path='a.jpg')
        >>> KeyedRandomFlip(horizontal=1.0, vertical=0.0).transform(sample)['img'][0, 0].tolist()
        [3, 4, 5]
    """

    def __init__(self, horizontal: float = 0.5, vertical: float = 0.5, seed: int | None = None) -> None:
        super().__init__(seed)
        if not (0 <= horizontal <= 1 and 0 <= vertical <= 1):
            raise ValueError(
                f'flip probabilities must be within [0, 1], got horizontal={horizontal}, vertical={vertical}'
            )
        self.horizontal, self.vertical = horizontal, vertical

    def transform(self, results: dict) -> dict:
        """Flip ``img`` and every map in ``seg_fields``."""
        self.refuse_degraded(results)
        left_right, upside_down = self.generator(results).random(2) < (
            self.horizontal,
            self.vertical,
        )
        names = {(1, 0): 'horizontal', (0, 1): 'vertical', (1, 1): 'diagonal'}
        direction = names.get((int(left_right), int(upside_down)))
        if direction:
            for key in ('img', *results.get('seg_fields', [])):
                results[key] = cv2.flip(results[key], FLIP_CODES[direction])
        results['flip'], results['flip_direction'] = direction is not None, direction
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(horizontal={self.horizontal}, vertical={self.vertical}, seed={self.seed})'
        )
