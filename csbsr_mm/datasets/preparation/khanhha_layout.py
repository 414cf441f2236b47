"""Bringing foreign crack data sets into the layout DATA/{train,test}/{images,masks}/X.jpg."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ..image_files import list_images
from .files import read_image, write_bytes, write_image, write_mask
from .parallel import run_parallel


@dataclass(frozen=True)
class Pair:
    """One photo of a foreign data set and where its mask comes from.

    Attributes:
        split: ``'train'`` or ``'test'``.
        name: File name to store both under, with the image's suffix.
        image: The photo.
        mask: The file that holds the mask.
    """

    split: str
    name: str
    image: Path
    mask: Path


def read_grey_mask(path: Path) -> np.ndarray:
    """Mask (H, W) of an image file: crack where brighter than 127."""
    return read_image(path, cv2.IMREAD_GRAYSCALE) > 127


def store_pairs(
    pairs: Sequence[Pair],
    target: Path,
    size: int | None = None,
    read_mask: Callable[[Path], np.ndarray] = read_grey_mask,
    workers: int | None = None,
) -> int:
    """Write pairs in the Khanhha layout; pairs that are there already are left alone.

    Args:
        pairs: What to write.
        target: Root of the new data set.
        size: Side length to resize to (448 as in the Khanhha set); None keeps each image's size and bytes.
        read_mask: Gives the mask of a mask file as (H, W), true on cracks.
        workers: Processes; as many as cores if None.

    Returns:
        Number of pairs written.

    Raises:
        FileNotFoundError: There are no pairs.
        ValueError: A photo and its mask differ in size.
    """
    if not pairs:
        raise FileNotFoundError('no photo with a mask found; is this the folder of the unpacked data set?')
    missing = [pair for pair in pairs if not all(path.exists() for path in stored_paths(pair, target))]
    store = partial(_store, target=target, size=size, read_mask=read_mask)
    run_parallel(store, missing, 'Writing pairs', workers)
    return len(missing)


def stored_paths(pair: Pair, target: Path) -> tuple[Path, Path]:
    """Where image and mask of a pair go."""
    return tuple(target / pair.split / kind / pair.name for kind in ('images', 'masks'))


def _store(pair: Pair, target: Path, size: int | None, read_mask: Callable[[Path], np.ndarray]) -> None:
    image, mask = read_image(pair.image), np.asarray(read_mask(pair.mask))
    if image.shape[:2] != mask.shape:
        raise ValueError(
            f'{pair.image} is {image.shape[0]}x{image.shape[1]}, but its mask {pair.mask} is '
            f'{mask.shape[0]}x{mask.shape[1]} (height x width); leave the pair out'
        )
    image_path, mask_path = stored_paths(pair, target)
    if size is None:
        write_bytes(image_path, pair.image.read_bytes())
    else:
        write_image(image_path, cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), quality=95)
        share = cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        mask = share >= 0.5
    write_mask(mask_path, mask)
    shutil.copystat(pair.image, image_path)


def split_names(names: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Divide names at random, the same way on every machine.

    Args:
        names: File names in any order.
        share: Share of the second part, in (0, 1).
        seed: Seed of the draw.

    Returns:
        Both parts, sorted: ``floor((1 - share) * n)`` names, and the rest.

    Example:
        >>> train, val = split_names([f'{i}.jpg' for i in range(9603)], share=0.05, seed=0)
        >>> len(train), len(val)
        (9122, 481)
    """
    if not 0 < share < 1:
        raise ValueError(f'share must be within (0, 1), got {share}')
    order = np.random.default_rng(seed).permutation(len(names))
    shuffled = [sorted(names)[i] for i in order]
    first = int((1 - share) * len(names) + 1e-9)
    return sorted(shuffled[:first]), sorted(shuffled[first:])


def write_split(data_root: Path, val_share: float = 0.05, seed: int = 0) -> tuple[int, int]:
    """Divide the training photos into ``splits/train.txt`` and ``splits/val.txt``.

    The authors of CSBSR trained on 9,122 of the 9,603 Khanhha training photos and validated on the other 481;
    which ones is not known. Here the names are sorted and shuffled with a seed, so that everybody who has
    the same files gets the same lists.

    Args:
        data_root: Data set with ``train/images``.
        val_share: Share of validation photos.
        seed: Seed of the shuffle.

    Returns:
        Numbers of training and of validation photos.

    Raises:
        OSError: There is no ``train/images``, or the lists cannot be written.
        ValueError: ``val_share`` leaves one of the lists empty.
    """
    train, val = split_names(list_images(data_root / 'train/images'), val_share, seed)
    for name, names in (('train', train), ('val', val)):
        write_bytes(data_root / 'splits' / f'{name}.txt', '\n'.join([*names, '']).encode())
    return len(train), len(val)
