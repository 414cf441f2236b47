"""Pixel values that do not use the range of their type: 10 and 12 bits in 16, floats, many bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from .raster import Raster

SENSOR_BITS = (10, 12, 14)
LEAST_BITS = 9
"""Data of fewer bits are those of a dark photo, not of a camera of that depth."""


def stretch_bits(pixels: Raster) -> str:
    """Scale 16-bit pixels that hold 10, 12 or 14 bits to the whole range, in place.

    Args:
        pixels: The photo.

    Returns:
        What was done, or nothing.

    Example:
        >>> image = Raster(1, 2, 3, np.uint16)
        >>> image.write(image.box, np.array([[[0] * 3, [4095] * 3]], np.uint16))
        >>> stretch_bits(image), image.read(image.box).max()
        ('12-bit values stretched to 16 bits', np.uint16(65535))
    """
    if pixels.dtype != np.uint16:
        return ''
    highest = max(int(pixels.read(box).max()) for box in pixels.blocks())
    bits = next((bits for bits in SENSOR_BITS if highest < 2**bits), 16)
    if bits == 16 or highest < 2**LEAST_BITS:
        return ''
    for box in pixels.blocks():
        values = pixels.read(box).astype(np.float64) * (65535 / (2**bits - 1))
        pixels.write(box, np.rint(values).astype(np.uint16))
    return f'{bits}-bit values stretched to 16 bits'


def read_measured_tiff(path: Path) -> tuple[NDArray[np.uint16], str] | None:
    """Read a TIFF of floats, or of four and more bands, as RGB of 16 bits.

    The first three bands are red, green and blue, a single one is grey. Floats in [0, 1] are scaled to 16
    bits, others by their range; values that are not finite count as zero.

    Args:
        path: The file.

    Returns:
        (H, W, 3) and what was done; None if tifffile cannot read it either.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            array = page.asarray()
            if page.axes.startswith('S'):
                array = np.moveaxis(array, 0, -1)
    except (ValueError, OSError, tifffile.TiffFileError):
        return None
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or not array.size or array.dtype.kind not in 'fui':
        return None
    bands = array.shape[-1]
    array = array[..., :3] if bands >= 3 else array[..., [0, 0, 0]]
    notes = [f'bands 1 to 3 of {bands} as red, green, blue'] if bands > 3 else []
    if array.dtype == np.uint8:
        return array.astype(np.uint16) * 257, '; '.join(notes)
    if array.dtype == np.uint16:
        return array, '; '.join(notes)
    return _from_range(array, notes)


def _from_range(array: NDArray, notes: list[str]) -> tuple[NDArray[np.uint16], str]:
    values = np.nan_to_num(array.astype(np.float64), nan=0, posinf=0, neginf=0)
    low, high = values.min(), values.max()
    if low >= 0 and high <= 1:
        low, high = 0, 1
    notes.append(f'values {low:g} to {high:g} stretched to 16 bits')
    scaled = (values - low) / max(high - low, np.finfo(float).tiny)
    return np.rint(65535 * scaled).astype(np.uint16), '; '.join(notes)
