"""Finding image files in folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff')


def list_images(folder: Path, recursive: bool = False) -> list[str]:
    """Names of the images in a folder, sorted, relative to it.

    Args:
        folder: Folder to look into.
        recursive: Look into subfolders too.

    Raises:
        FileNotFoundError: The folder does not exist or holds no image.

    Example:
        >>> list_images(Path('nowhere'))
        Traceback (most recent call last):
            ...
        FileNotFoundError: there is no folder nowhere; set data_root to where the data lie
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder {folder}; set data_root to where the data lie')
    files = folder.rglob('*') if recursive else folder.iterdir()
    names = [file.relative_to(folder).as_posix() for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if not names:
        raise FileNotFoundError(
            f'no image in {folder} (looked for {", ".join(IMAGE_SUFFIXES)}); set data_root to where '
            'the data lie'
        )
    return sorted(names)


def source_of(name: str) -> str:
    """The set that a photo of a collection comes from: its name up to the first ``_`` or ``.``.

    Example:
        >>> source_of('CRACK500_20160222_081011.jpg'), source_of('noncrack_concrete_wall_3.jpg')
        ('CRACK500', 'noncrack')
    """
    return re.split(r'[_.]', name, maxsplit=1)[0]


def shared_masks(masks: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Masks that stand for several photos, as ``a.jpg`` and ``a.png`` would share ``a.png``.

    Args:
        masks: Name of the mask, or None, by the photo's name.

    Returns:
        Names of the photos by their common mask.

    Example:
        >>> shared_masks({'a.jpg': 'a.png', 'a.png': 'a.png', 'b.jpg': 'b.png', 'c.jpg': None})
        {'a.png': ['a.jpg', 'a.png']}
    """
    photos: dict[str, list[str]] = {}
    for photo, mask in masks.items():
        if mask is not None:
            photos.setdefault(mask, []).append(photo)
    return {mask: sharing for mask, sharing in photos.items() if len(sharing) > 1}


def reading_error(path: str) -> str | None:
    """Why an image file cannot be read to its end, or None if it can."""
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None
