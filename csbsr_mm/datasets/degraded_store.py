"""The files of a stored degraded test set, in the layout the authors of CSBSR use.

test_blured/NAME/lr_images/X.png    LR image, 8 bits
test_blured/NAME/kernels/X.png      kernel, 8 bits, brightest pixel 255; divide by the sum to read
test_blured/NAME/hr_images/X.*      HR image, cut to a multiple of the scale
test_blured/NAME/float/X.npz        `lr` and `kernel` in float32: what the PNGs were rounded from
test_blured/NAME/manifest.json      how the set was made
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .preparation.files import write_arrays, write_image


def stored_name(file_name: str) -> str:
    """File name under which an image's LR image and kernel are stored.

    Every image suffix in the name becomes ``.png``, also inner ones, as in the authors' set.

    Example:
        >>> stored_name('noncrack_1.jpg.jpg'), stored_name('CFD_001.jpg')
        ('noncrack_1.png.png', 'CFD_001.png')
    """
    return re.sub(r'\.(jpe?g|png|bmp|tiff?)(?=\.|$)', '.png', file_name, flags=re.IGNORECASE)


def encode_kernel(kernel: np.ndarray) -> np.ndarray:
    """Kernel as an 8-bit picture whose brightest pixel is 255.

    Example:
        >>> encode_kernel(np.array([[0.2, 0.8]])).tolist()
        [[64, 255]]
    """
    return np.rint(kernel / kernel.max() * 255).astype(np.uint8)


def decode_kernel(picture: np.ndarray) -> np.ndarray:
    """Kernel (K, K) of unit sum, float32, from its 8-bit picture.

    Example:
        >>> decode_kernel(np.array([[64, 255]], np.uint8)).round(3).tolist()
        [[0.201..., 0.799...]]
    """
    kernel = picture.astype(np.float64)
    return (kernel / kernel.sum()).astype(np.float32)


@dataclass(frozen=True)
class DegradedStore:
    """Reads and writes one stored set.

    Args:
        root: Folder ``test_blured/NAME``.
    """

    root: Path

    def lr_path(self, file_name: str) -> Path:
        """LR image of an HR file name."""
        return self.root / 'lr_images' / stored_name(file_name)

    def kernel_path(self, file_name: str) -> Path:
        """Kernel picture of an HR file name."""
        return self.root / 'kernels' / stored_name(file_name)

    def float_path(self, file_name: str) -> Path:
        """Float copy of an HR file name."""
        return self.root / 'float' / (stored_name(file_name) + '.npz')

    def write(self, file_name: str, lr: np.ndarray, kernel: np.ndarray) -> None:
        """Write an LR image (H, W, 3; BGR, 0..255, float32) and its kernel, in both precisions."""
        write_image(self.lr_path(file_name), np.clip(np.rint(lr), 0, 255).astype(np.uint8))
        write_image(self.kernel_path(file_name), encode_kernel(kernel))
        write_arrays(self.float_path(file_name), lr=lr.astype(np.float32), kernel=kernel)

    def is_complete(self, file_name: str) -> bool:
        """Whether all files of an HR file name are there."""
        paths = self.lr_path(file_name), self.kernel_path(file_name), self.float_path(file_name)
        return all(path.is_file() for path in paths)

    def read(self, file_name: str, precise: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """LR image (BGR, 0..255) and kernel (float32, unit sum) of an HR file name.

        Args:
            file_name: Name of the HR image, without folder.
            precise: Read the float copy instead of the PNGs.

        Raises:
            FileNotFoundError: A file is missing or cannot be read.
        """
        if precise:
            self._require(self.float_path(file_name))
            with np.load(self.float_path(file_name)) as arrays:
                return arrays['lr'], arrays['kernel']
        lr = cv2.imread(str(self._require(self.lr_path(file_name))), cv2.IMREAD_COLOR)
        kernel_path = self._require(self.kernel_path(file_name))
        kernel = cv2.imread(str(kernel_path), cv2.IMREAD_GRAYSCALE)
        if lr is None or kernel is None:
            broken = self.lr_path(file_name) if lr is None else kernel_path
            raise OSError(f'{broken} cannot be decoded; write the set anew')
        if kernel.sum() == 0:
            raise ValueError(f'the blur kernel in {kernel_path} is black; write the set anew')
        return lr, decode_kernel(kernel)

    def _require(self, path: Path) -> Path:
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} is missing; write the set with tools/dataset_converters/degrade_dataset.py'
            )
        return path
