"""Writing images so that an interruption leaves no half-written file."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np

from csbsr_mm.utils.atomic_file import write_atomically

JPEG_SUFFIXES = ('.jpg', '.jpeg')
MASK_QUALITIES = (95, 100)
"""JPEG qualities tried for masks; 95 is that of the Khanhha set."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, all or nothing; it is not flushed to the disk, as a data set can be made again."""
    write_atomically(path, content, durable=False)


def write_image(path: Path, image: np.ndarray, quality: int = 92) -> None:
    """Write an 8-bit image in the format of its suffix; ``quality`` is for JPEG."""
    write_bytes(path, _encode(path, image, quality))


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays as ``.npz``."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def write_mask(path: Path, mask: np.ndarray) -> None:
    """Write a crack mask as 0 and 255, grey, such that thresholding at 127 gives it back exactly.

    Args:
        path: File; a JPEG suffix is fine, as the Khanhha set has it.
        mask: (H, W), crack where not 0.

    Raises:
        ValueError: Even the best JPEG quality loses a pixel.
    """
    grey = np.where(mask > 0, 255, 0).astype(np.uint8)
    for quality in MASK_QUALITIES:
        content = _encode(path, grey, quality)
        read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        if np.array_equal(read > 127, grey > 0):
            return write_bytes(path, content)
    raise ValueError(f'{path}: JPEG cannot hold this mask exactly; name image and mask .png')


def read_image(path: Path, flag: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Read an image.

    Raises:
        OSError: The file is missing or cannot be decoded; names it.
    """
    image = cv2.imread(str(path), flag)
    if image is None:
        raise OSError(f'{path} cannot be read as an image; restore it or move it away')
    return image


def _encode(path: Path, image: np.ndarray, quality: int) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix.lower() in JPEG_SUFFIXES else []
    return cv2.imencode(path.suffix, image, options)[1].tobytes()
