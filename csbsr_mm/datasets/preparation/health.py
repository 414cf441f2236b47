"""What is wrong with a crack data set on disk, and what it looks like in numbers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from csbsr_mm.datasets.image_files import list_images, reading_error, shared_masks, source_of
from csbsr_mm.datasets.transforms.binarize_mask import BinarizeMask

from .parallel import run_parallel


@dataclass
class PairHealth:
    """What one photo and its mask are like.

    Attributes:
        name: File name.
        problem: What is wrong, or None.
        size: Height and width of the photo.
        crack_share: Share of crack pixels.
        digest: Hash of the photo's file, to find copies.
    """

    name: str
    problem: str | None = None
    size: tuple[int, int] | None = None
    crack_share: float = 0.0
    digest: str = ''


@dataclass
class SplitHealth:
    """What the photos of one split are like."""

    name: str
    pairs: list[PairHealth] = field(default_factory=list)

    @property
    def problems(self) -> list[PairHealth]:
        """Pairs that cannot be used."""
        return [pair for pair in self.pairs if pair.problem]

    def sizes(self) -> Counter:
        """Number of photos per size."""
        return Counter(pair.size for pair in self.pairs if pair.size)

    def sources(self) -> Counter:
        """Number of photos per prefix of their names, which tells the set they come from."""
        return Counter(source_of(pair.name) for pair in self.pairs)

    def crack_shares(self) -> np.ndarray:
        """Share of crack pixels of each usable pair."""
        return np.array([pair.crack_share for pair in self.pairs if not pair.problem])


def inspect_split(
    root: Path, name: str, binarize: BinarizeMask | None = None, workers: int | None = None
) -> SplitHealth:
    """Read every photo and mask of ``root/name/{images,masks}`` to its end.

    Args:
        root: Root of the data set.
        name: Split.
        binarize: What masks are read with; the default takes Khanhha's encoding.
        workers: Processes; as many as cores if None.

    Raises:
        FileNotFoundError: a folder is missing or empty.
    """
    folder = root / name
    images, masks = list_images(folder / 'images'), list_images(folder / 'masks')
    by_stem = {Path(mask).stem: mask for mask in masks} | {mask: mask for mask in masks}
    work = [(image, by_stem.get(image) or by_stem.get(Path(image).stem)) for image in images]
    shared = {photo for photos in shared_masks(dict(work)).values() for photo in photos}
    inspect = partial(_inspect, folder=folder, binarize=binarize or BinarizeMask())
    pairs = run_parallel(inspect, work, f'Reading {folder}', workers)
    for pair in pairs:
        if pair.name in shared and pair.problem is None:
            pair.problem = 'shares its mask with another photo'
    return SplitHealth(name, pairs)


def copies(splits: Sequence[SplitHealth]) -> list[list[str]]:
    """Groups of photos whose files are equal, within or between splits."""
    groups: dict[str, list[str]] = {}
    for split in splits:
        for pair in split.pairs:
            groups.setdefault(pair.digest, []).append(f'{split.name}/{pair.name}')
    return [names for digest, names in groups.items() if digest and len(names) > 1]


def _inspect(item: tuple[str, str | None], folder: Path, binarize: BinarizeMask) -> PairHealth:
    image_name, mask_name = item
    health = PairHealth(image_name)
    image_path = folder / 'images' / image_name
    health.digest = hashlib.sha256(image_path.read_bytes()).hexdigest()
    if mask_name is None:
        health.problem = 'no mask'
        return health
    mask_path = folder / 'masks' / mask_name
    for path in (image_path, mask_path):
        reason = reading_error(str(path))
        if reason:
            health.problem = f'{path.parent.name} file cannot be read: {reason}'
            return health
    image = cv2.imread(str(image_path))
    mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
    health.size = image.shape[:2]
    if image.shape[:2] != mask.shape:
        health.problem = f'image of {image.shape[:2]}, mask of {mask.shape} (height, width)'
        return health
    try:
        health.crack_share = float((binarize.binarize(mask, str(mask_path)) == 1).mean())
    except ValueError as error:
        health.problem = str(error)
    return health
