"""Bring data sets of a folder of photos and one of masks into the Khanhha layout.

GAPs384, cracktree200, AEL (Aigle-RN, ESAR, LCMS) and CSSC have no official test photos; they are drawn
with a seed. GAPs384: Eisenbach et al., IJCNN 2017, as cut by Yang et al., 2020. cracktree200: Zou et al.,
Pattern Recognition Letters 2012. AEL: Amhaz et al., IEEE Trans. Intell. Transp. Syst. 2016. CSSC: Yang et
al., IROS 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..image_files import IMAGE_SUFFIXES
from .files import read_image
from .khanhha_layout import Pair, split_names


@dataclass(frozen=True)
class PairedFolders:
    """Where a data set keeps its photos and its masks.

    Attributes:
        prefix: What the stored names begin with, which tells the set they come from.
        folders: Folders of photos and of masks below the source.
        photo_prefix: What stands in front of the mask's name in the photo's.
        photo_suffixes: What may stand behind the mask's name in the photo's, in front of the type.
        dark_cracks: Whether masks show cracks dark on bright ground.
    """

    prefix: str
    folders: Sequence[tuple[str, str]]
    photo_prefix: str = ''
    photo_suffixes: Sequence[str] = ('',)
    dark_cracks: bool = False


LAYOUTS = {
    'gaps384': PairedFolders('GAPS384', [('croppedimg', 'croppedgt')]),
    'cracktree200': PairedFolders('cracktree200', [('cracktree200rgb', 'cracktree200_gt')]),
    'ael': PairedFolders(
        'AEL',
        [(f'IMAGES/{name}', f'GROUND_TRUTH/{name}') for name in ('AIGLE_RN', 'ESAR', 'LCMS')],
        photo_prefix='Im_',
        photo_suffixes=('or', ''),
        dark_cracks=True,
    ),
    'cssc': PairedFolders('CSSC', [('images', 'masks')]),
}


def find_pairs(source: Path, layout: PairedFolders, test_share: float, seed: int) -> list[Pair]:
    """Photos that have a mask, divided at random.

    Args:
        source: Folder of the unpacked data set, or the one above it.
        layout: Where photos and masks lie.
        test_share: Share of test photos, in (0, 1).
        seed: Seed of the draw.
    """
    found = [
        (f'{layout.prefix}_{photo.name.removeprefix(layout.photo_prefix)}', photo, mask)
        for photos, masks in layout.folders
        for photo, mask in _matches(_folder(source, photos), _folder(source, masks), layout)
    ]
    if not found:
        return []
    _, test = split_names([name for name, *_ in found], test_share, seed)
    return [
        Pair('test' if name in test else 'train', name, photo, mask) for name, photo, mask in sorted(found)
    ]


def read_bright(path: Path) -> np.ndarray:
    """Mask (H, W): crack wherever the file is not black; thin curves are drawn in any brightness."""
    return read_image(path, cv2.IMREAD_GRAYSCALE) > 0


def read_dark(path: Path) -> np.ndarray:
    """Mask (H, W): crack where the file is darker than 128."""
    return read_image(path, cv2.IMREAD_GRAYSCALE) < 128


def _folder(source: Path, name: str) -> Path:
    """The folder of that name, also one level deeper, and once more inside itself, as archives unpack."""
    for folder in (source / name, *source.glob(f'*/{name}')):
        if folder.is_dir():
            inner = folder / folder.name
            return inner if inner.is_dir() else folder
    return source / name


def _matches(photos: Path, masks: Path, layout: PairedFolders) -> Iterator[tuple[Path, Path]]:
    """Photo and mask of each mask that has a photo."""
    if not (photos.is_dir() and masks.is_dir()):
        return
    by_stem = {path.stem: path for path in photos.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    for mask in sorted(path for path in masks.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES):
        stems = [f'{layout.photo_prefix}{mask.stem}{suffix}' for suffix in layout.photo_suffixes]
        photo = next((by_stem[stem] for stem in stems if stem in by_stem), None)
        if photo is not None:
            yield photo, mask
