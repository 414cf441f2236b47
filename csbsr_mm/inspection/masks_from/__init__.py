"""Annotations that people drew or corrected, as masks to train on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from csbsr_mm._extras import need

from . import coco, cvat, label_studio
from .shapes import AnnotatedPhoto, Bitmap, Polygon, draw_mask

__all__ = ['READERS', 'AnnotatedPhoto', 'Bitmap', 'Polygon', 'WrittenMasks', 'draw_mask', 'write_masks']

READERS: dict[str, Callable[[Path, str], Iterator[AnnotatedPhoto]]] = {
    'coco': coco.read,
    'label-studio': label_studio.read,
    'cvat': cvat.read,
}


@dataclass
class WrittenMasks:
    """What :func:`write_masks` did.

    Attributes:
        files: Masks, one for each photo.
        without_cracks: How many of them are black.
        left_out: Kinds of shapes that have no area, and how many there are.
        vanished: Photos on which shapes were drawn that hold no pixel.
        unknown_size: Photos without cracks of unknown size; they got no mask.
    """

    files: list[Path] = field(default_factory=list)
    without_cracks: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    vanished: list[str] = field(default_factory=list)
    unknown_size: list[str] = field(default_factory=list)


def write_masks(
    file: str | Path,
    kind: str,
    out_dir: str | Path,
    label: str = 'crack',
    scale: int = 1,
    photos: str | Path | None = None,
) -> WrittenMasks:
    """Write a mask for each photo that somebody annotated.

    Args:
        file: Export of an annotation tool.
        kind: Its format, a key of :data:`READERS`.
        out_dir: Folder for the masks, ``NAME.png`` for a photo ``NAME.jpg``, white on cracks.
        label: Label of cracks, in upper or lower case.
        scale: Mask pixels per pixel of the photo.
        photos: Folder of the photos. With it sizes are compared, and photos without cracks whose size the
            annotations do not say get their black mask.

    Returns:
        What was written and what was not.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ImportError: Pillow is not installed.
        ValueError: The file is something else, a mask has not the size of its photo, or two photos have one
            name.
    """
    if kind not in READERS:
        raise ValueError(f'no format {kind!r}; there are {", ".join(READERS)}')
    if scale < 1:
        raise ValueError(f'--scale must be at least 1, got {scale}')
    need('Writing masks', 'PIL')
    from PIL import Image

    path, written = Path(file), WrittenMasks()
    sizes = None if photos is None else _photo_sizes(photos)
    names: dict[str, str] = {}
    for photo in _read(path, kind, label):
        target = Path(out_dir, Path(photo.name).stem + '.png')
        if target.name.lower() in names:
            other = names[target.name.lower()]
            raise ValueError(f'{path}: the masks of {other} and {photo.name} would be {target.name} both')
        names[target.name.lower()] = photo.name
        size = _size(photo, sizes)
        written.left_out += photo.left_out
        if size is None:
            written.unknown_size.append(photo.name)
            continue
        try:
            mask = draw_mask(photo.shapes, size, scale)
        except ValueError as error:
            raise ValueError(f'{path}, {photo.name}: {error}') from error
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 * mask.astype(np.uint8)).save(target)
        written.files.append(target)
        written.without_cracks += not mask.any()
        if photo.shapes and not mask.any():
            written.vanished.append(photo.name)
    return written


def _read(path: Path, kind: str, label: str) -> Iterator[AnnotatedPhoto]:
    """The photos of a file; whatever is wrong with it is one kind of error."""
    try:
        yield from READERS[kind](path, label)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is not as {kind} files are: {type(error).__name__} {error}') from error


def _photo_sizes(folder: str | Path) -> dict[str, tuple[int, int]]:
    """Height and width of the photos of a folder as they are shown, by their names."""
    from PIL import Image

    from csbsr_mm.photos.formats import add_readers
    from csbsr_mm.photos.input_files import find_photos

    add_readers()
    sizes = {}
    for photo in find_photos([folder]):
        with Image.open(photo.path) as image:
            # EXIF's orientations from 5 on turn the photo on its side.
            turned = image.getexif().get(0x0112, 1) >= 5
            sizes[photo.path.name] = (image.width, image.height) if turned else (image.height, image.width)
    return sizes


def _size(photo: AnnotatedPhoto, sizes: dict[str, tuple[int, int]] | None) -> tuple[int, int] | None:
    if sizes is None:
        return photo.size
    if photo.name not in sizes:
        raise ValueError(f'{photo.name} was annotated and is not among the photos')
    size = sizes[photo.name]
    if photo.size is not None and photo.size != size:
        raise ValueError(
            f'{photo.name} was annotated with {photo.size[1]}x{photo.size[0]} pixels and has '
            f'{size[1]}x{size[0]}; annotate the photo as it is'
        )
    return size
