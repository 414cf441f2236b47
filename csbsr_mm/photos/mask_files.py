"""Read masks; PNG and NumPy files without further packages, all other pictures with Pillow."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csbsr_mm._extras import need

from .png import read_png


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Where a mask is brighter than half.

    Args:
        path: Picture of 1, 8 or 16 bits, grey or colour, or a NumPy file (H, W) of such values, of bools, of
            floats in [0, 1], or of nothing but 0 and 1.

    Returns:
        (H, W), True on cracks.

    Raises:
        ImportError: The format needs Pillow, which is not installed.
        ValueError: The file is damaged or holds something else.
    """
    path = Path(path)
    if path.suffix.lower() == '.npy':
        values = np.load(path, allow_pickle=False)
        if values.dtype.kind in 'bf' or values.max(initial=0) <= 1:
            values = values > 0.5
    else:
        values = _grey(path)
    if values.ndim != 2 or values.dtype not in (np.bool_, np.uint8, np.uint16, np.int32):
        raise ValueError(f'{path} must hold one mask (H, W), got {values.dtype} of shape {values.shape}')
    if values.dtype == np.bool_:
        return values
    return values > (127 if values.dtype == np.uint8 else 32767)


def _grey(path: Path) -> NDArray:
    """(H, W) values of a picture, of 8 or 16 bits; colours become grey, transparency says nothing."""
    if importlib.util.find_spec('PIL') is not None:
        return _read_with_pillow(path)
    if path.suffix.lower() != '.png':
        need(f'Reading {path.suffix} files', 'PIL')
    values = read_png(path)
    if values.ndim == 2:
        return values
    if values.shape[2] == 2:
        return values[..., 0]
    # The weights of ITU-R 601, which Pillow uses, too.
    return (values[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(values.dtype)


def _read_with_pillow(path: Path) -> NDArray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image if image.mode.startswith('I') else image.convert('L'))
