"""A user's own photos and masks, prepared for fine-tuning: super-resolved once, labels at SR size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from csbsr_mm.photos.input_files import find_photos
from csbsr_mm.photos.raster import Box
from csbsr_mm.photos.reader import read_photo

from .inferencer import CrackInferencer

WINDOW = 160
"""Photo pixels a side that are looked at; of a larger photo the window with most crack."""
MASK_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff')


@dataclass
class LabelledPhoto:
    """A photo after super-resolution, and its label.

    Attributes:
        name: File name of the photo.
        sr_image: (1, 3, H, W), RGB in [0, 1].
        blur_kernel: (1, 1, K, K), or None from a network that is not blind.
        label: (H, W) int64, 1 where there is a crack.
    """

    name: str
    sr_image: Tensor
    blur_kernel: Tensor | None
    label: Tensor


def find_pairs(photos: str | Path, masks: str | Path) -> list[tuple[Path, Path]]:
    """Photos of a folder with their masks: the file of the same name, but for the suffix.

    Raises:
        FileNotFoundError: A folder is missing or empty, or a photo has no mask.
    """
    folder = Path(masks)
    if not folder.is_dir():
        raise FileNotFoundError(f'{masks} is no folder of masks')
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in MASK_SUFFIXES}
    sources = [source.path for source in find_photos([photos], exclude=masks)]
    missing = [path.name for path in sources if path.stem not in found]
    if missing or not sources:
        what = f'{", ".join(missing[:3])} of {photos}' if missing else f'{photos} is empty, so'
        raise FileNotFoundError(f'{what} has no mask in {masks}; a mask has the name of its photo')
    return [(path, found[path.stem]) for path in sources]


def load_labelled_photos(
    inferencer: CrackInferencer,
    pairs: list[tuple[Path, Path]],
    window: int = WINDOW,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[LabelledPhoto]:
    """Super-resolve photos and bring their masks to SR size.

    Args:
        inferencer: Runs the model whose SR network is kept as it is.
        pairs: Photo and mask files. A mask has the size of its photo or of the SR image; grey above 127 is
            crack.
        window: See :data:`WINDOW`.
        progress: Called with the photos done and the photos in all.

    Raises:
        ValueError: A mask cannot be read, or has neither size.
    """
    for done, (photo_path, mask_path) in enumerate(pairs):
        yield _load(inferencer, photo_path, mask_path, window)
        if progress is not None:
            progress(done + 1, len(pairs))


def _load(inferencer: CrackInferencer, photo_path: Path, mask_path: Path, window: int) -> LabelledPhoto:
    scale = inferencer.backend.scale
    photo = read_photo(photo_path, inferencer.scratch_dir)
    try:
        label = _label(mask_path, (photo.height, photo.width), scale)
        box = _fullest_window(label, scale, window, inferencer.backend.divisor)
        pixels = photo.pixels.read_unit(box)
    finally:
        photo.pixels.close()
    result = inferencer(np.rint(255 * pixels).astype(np.uint8))
    kernel = None if result.blur_kernel is None else torch.from_numpy(result.blur_kernel)[None, None]
    at_sr = box.scaled(scale)
    return LabelledPhoto(
        photo_path.name,
        torch.from_numpy(result.sr_image.transpose(2, 0, 1).copy())[None],
        kernel,
        torch.from_numpy(label[at_sr.top : at_sr.bottom, at_sr.left : at_sr.right].astype(np.int64)),
    )


def _label(path: Path, size: tuple[int, int], scale: int) -> NDArray[np.bool_]:
    """The mask at SR size."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f'mask {path} cannot be read')
    sr_size = (scale * size[0], scale * size[1])
    if mask.shape not in (size, sr_size):
        raise ValueError(
            f'mask {path} is {mask.shape[0]}x{mask.shape[1]}, its photo {size[0]}x{size[1]}; a mask has the '
            f'size of the photo, or {scale} times that'
        )
    crack = (mask > 127).astype(np.float32)
    if mask.shape != sr_size:
        crack = cv2.resize(crack, sr_size[::-1], interpolation=cv2.INTER_LINEAR)
    return crack > 0.5


def _fullest_window(label: NDArray[np.bool_], scale: int, window: int, divisor: int) -> Box:
    """The window with most crack, in photo pixels; its sides are multiples of ``divisor``."""
    height, width = (side // scale for side in label.shape)
    rows, columns = (min(window, side) // divisor * divisor for side in (height, width))
    blocks = label.reshape(height, scale, width, scale).sum((1, 3))
    sums = np.pad(blocks.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return Box(int(top), int(left), int(top) + rows, int(left) + columns)
