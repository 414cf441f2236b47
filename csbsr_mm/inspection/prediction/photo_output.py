"""Write what was found in a photo: images of any size, and a record of the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from csbsr_mm.apis.inferencer import STREAM_PIXELS
from csbsr_mm.apis.result import CrackResult
from csbsr_mm.photos.raster import CHUNK, Box, split
from csbsr_mm.utils.atomic_file import replacing

CRACK_COLOR = (230, 30, 30)
CRACK_OPACITY = 0.7
PREVIEW_SIDE = 960
JPEG_QUALITY, MAX_JPEG_SIDE = 92, 65000

Reader = Callable[[Box], NDArray]
Colors = Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.uint8]]
"""RGB colours, (N, 3), of crack pixels by their rows and columns in the output."""


class OutputFolder:
    """The folder that results go to, and nowhere else.

    Args:
        root: The folder; it is made if need be.

    Raises:
        ValueError: ``root`` is a file.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise ValueError(f'{root} is a file; name a folder for the results')
        self.root.mkdir(parents=True, exist_ok=True)

    def path(self, *parts: str) -> Path:
        """A file below the root, its folder made.

        Raises:
            ValueError: The file would lie outside, be it by ``..`` or through a symbolic link.
        """
        path = self.root.joinpath(*parts)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f'{path} is outside {self.root}, where results go')
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def replacing(self, *parts: str) -> Iterator[Path]:
        """A temporary path that takes the place of the file only when it is complete."""
        with replacing(self.path(*parts)) as temporary:
            yield temporary

    def write_json(self, content: object, *parts: str) -> None:
        """Write JSON."""
        with self.replacing(*parts) as path:
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
            path.write_text(text + '\n', encoding='utf-8')


class PhotoWriter:
    """Writes the images that belong to one photo.

    Args:
        folder: Where to.
        with_sr: Whether to write the SR image as well.
    """

    def __init__(self, folder: OutputFolder, with_sr: bool = True) -> None:
        self.folder = folder
        self.with_sr = with_sr

    def write(self, result: CrackResult, name: str) -> dict[str, str]:
        """Write all images of a result.

        Outputs up to 20 megapixels are PNG (JPEG for the overlay), larger ones, and those with a side that
        JPEG does not allow, tiled TIFF that is written tile by tile.

        Args:
            result: What the inferencer returned.
            name: Name of the files, without extension.

        Returns:
            Path below the output folder of each kind of image.
        """
        files = {
            'probability': self._image('probability', name, result, _probability(result), np.uint16),
            **self.write_mask(result, name),
        }
        if self.with_sr and result.sr_raster is not None:
            files['sr'] = self._image('sr', name, result, result.picture, np.uint8, 3)
        if result.blur_kernel is not None:
            files['kernel'] = self._kernel(name, result.blur_kernel)
        return files

    def write_mask(self, result: CrackResult, name: str) -> dict[str, str]:
        """Write the images that depend on the threshold: mask, overlay and previews; as :meth:`write`."""
        mask = self._image('mask', name, result, _mask(result), np.uint8)
        return {'mask': mask, **self.write_overlay(result, name)}

    def write_overlay(self, result: CrackResult, name: str, colors: Colors | None = None) -> dict[str, str]:
        """Write overlay and previews, cracks in red or in the colours given; as :meth:`write`."""
        overlay = _overlay(result, colors)
        files = {'overlay': self._image('overlay', name, result, overlay, np.uint8, 3, '.jpg')}
        before, after = previews(result, colors=colors)
        for kind, picture in (('before', before), ('after', after)):
            files[kind] = f'preview/{name}_{kind}.webp'
            with self.folder.replacing('preview', f'{name}_{kind}.webp') as path:
                Image.fromarray(picture).save(path, quality=80)
        return files

    def _image(
        self,
        kind: str,
        name: str,
        result: CrackResult,
        read: Reader,
        dtype: DTypeLike,
        channels: int = 1,
        suffix: str = '.png',
    ) -> str:
        height, width = result.box.size
        streams = height * width > STREAM_PIXELS or max(height, width) > MAX_JPEG_SIDE
        file_name = name + ('.tif' if streams else suffix)
        with self.folder.replacing(kind, file_name) as path:
            if streams:
                write_tiled_tiff(path, height, width, channels, dtype, read)
            else:
                image = Image.fromarray(read(result.box))
                options = dict(quality=JPEG_QUALITY) if suffix == '.jpg' else dict(compress_level=4)
                image.save(path, exif=result.photo.exif, **options)
        return f'{kind}/{file_name}'

    def _kernel(self, name: str, kernel: NDArray) -> str:
        """16-bit picture of the kernel, scaled to its maximum: divide by the sum when reading."""
        peak = max(float(kernel.max()), np.finfo(np.float32).tiny)
        picture = np.rint(65535 * np.clip(kernel / peak, 0, 1)).astype(np.uint16)
        with self.folder.replacing('kernel', f'{name}.png') as path:
            Image.fromarray(picture).save(path)
        return f'kernel/{name}.png'


def write_tiled_tiff(
    path: Path, height: int, width: int, channels: int, dtype: DTypeLike, read: Reader
) -> None:
    """Write a compressed TIFF tile by tile; memory does not grow with the image.

    Args:
        path: File to write.
        height: Rows.
        width: Columns.
        channels: 1 or 3.
        dtype: Type of the pixels, uint8 or uint16.
        read: Gives the pixels of a box, (h, w) or (h, w, 3).
    """
    tile_shape = (CHUNK, CHUNK) if channels == 1 else (CHUNK, CHUNK, channels)

    def tiles() -> Iterator[NDArray]:
        for box in split(height, width, CHUNK):
            values = read(box)
            padding = [(0, CHUNK - side) for side in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
            yield np.pad(values, padding)

    raw_bytes = height * width * channels * np.dtype(dtype).itemsize
    with tifffile.TiffWriter(path, bigtiff=raw_bytes > 2**31) as file:
        file.write(
            tiles(),
            shape=(height, width, *tile_shape[2:]),
            dtype=dtype,
            tile=(CHUNK, CHUNK),
            photometric='minisblack' if channels == 1 else 'rgb',
            compression='zlib',
            compressionargs=dict(level=3),
            maxworkers=1,
        )


def previews(
    result: CrackResult, side: int = PREVIEW_SIDE, colors: Colors | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The photo, and the SR image with cracks in red, both reduced to at most about ``side`` pixels.

    A preview pixel is red if any of the pixels that it stands for is crack: thin cracks stay visible.

    Returns:
        Two RGB pictures of one size.
    """
    height, width = result.box.size
    factor = max(-(-max(height, width) // side), 1)
    size = (-(-height // factor), -(-width // factor))
    before, after = (np.zeros((*size, 3), np.uint8) for _ in range(2))
    for box in split(height, width, factor * max(CHUNK * 4 // factor, 1)):
        place = Box(*(-(-edge // factor) for edge in box)).within(Box(0, 0, *size))
        before[place] = _reduce(result.photo_picture(box), factor)
        crack = _reduce_any(result.read_mask(box), factor)
        after[place] = paint(_reduce(result.picture(box), factor), crack, _at(box, factor, colors))
    return before, after


def paint(
    picture: NDArray[np.uint8], crack: NDArray[np.bool_], colors: Colors | None = None
) -> NDArray[np.uint8]:
    """Paint cracks over an RGB picture, in red or in the colours of their places in the picture."""
    painted = picture.copy()
    color = (
        np.array(CRACK_COLOR) if colors is None else colors(*(axis.astype(float) for axis in crack.nonzero()))
    )
    mixed = (1 - CRACK_OPACITY) * picture[crack] + np.float32(CRACK_OPACITY) * color
    painted[crack] = np.rint(mixed).astype(np.uint8)
    return painted


def _at(box: Box, factor: int, colors: Colors | None) -> Colors | None:
    """The colours of a part of the output that is reduced by ``factor``."""
    if colors is None:
        return None
    middle = (factor - 1) / 2
    return lambda rows, columns: colors(
        box.top + factor * rows + middle, box.left + factor * columns + middle
    )


def _probability(result: CrackResult) -> Reader:
    def read(box: Box) -> NDArray[np.uint16]:
        return np.rint(65535 * result.read_probability(box).clip(0, 1)).astype(np.uint16)

    return read


def _mask(result: CrackResult) -> Reader:
    return lambda box: 255 * result.read_mask(box).astype(np.uint8)


def _overlay(result: CrackResult, colors: Colors | None) -> Reader:
    return lambda box: paint(result.picture(box), result.read_mask(box), _at(box, 1, colors))


def _reduce(picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Mean over squares of ``factor`` pixels; the last ones may be smaller."""
    if factor == 1:
        return picture
    padding = [(0, -side % factor) for side in picture.shape[:2]]
    picture = np.pad(picture, [*padding, (0, 0)], mode='edge')
    size = (picture.shape[1] // factor, picture.shape[0] // factor)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _reduce_any(mask: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Whether any pixel of each square is set."""
    mask = np.pad(mask, [(0, -side % factor) for side in mask.shape])
    height, width = (side // factor for side in mask.shape)
    return mask.reshape(height, factor, width, factor).any((1, 3))
