"""Small crack data sets on disk, for the tests."""

from pathlib import Path

import cv2
import numpy as np


def write_pair(root: Path, name: str, size=(64, 96), seed=0, crack=True, mask_name=None):
    """One photo and its mask below ``root/{images,masks}``."""
    rng = np.random.default_rng(seed)
    for folder in ('images', 'masks'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    image = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    mask = np.zeros(size, np.uint8)
    if crack:
        cv2.line(mask, (5, 5), (size[1] - 9, size[0] - 12), 255, 3)
    cv2.imwrite(str(root / 'images' / name), image)
    cv2.imwrite(str(root / 'masks' / (mask_name or name)), mask)
    return image, mask


def write_set(root: Path, names=('a.png', 'b.png', 'c.png'), **kwargs):
    """A training folder with one pair per name."""
    for seed, name in enumerate(names):
        write_pair(root / 'train', name, seed=seed, **kwargs)
    return root
