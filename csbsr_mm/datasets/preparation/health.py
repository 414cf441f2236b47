"""Defects and statistics of a crack data set on disk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from csbsr_mm.datasets.image_files import (
    IMAGE_SUFFIXES,
    list_images,
    reading_error,
    shared_masks,
    source_of,
)
from csbsr_mm.datasets.transforms.binarize_mask import MOSTLY_CRACK, BinarizeMask

from .fingerprint import alike, fingerprint
from .parallel import run_parallel


@dataclass
class PairHealth:
    """Statistics and defects of one photo and its mask.

    Attributes:
        name: File name.
        problem: What is wrong, or None.
        size: Height and width of the photo.
        crack_share: Share of crack pixels.
        digest: Hash of the photo's file, to find copies.
        print: Fingerprint of what it shows, to find copies that were stored anew; None if it cannot tell.
    """

    name: str
    problem: str | None = None
    size: tuple[int, int] | None = None
    crack_share: float = 0.0
    digest: str = ''
    print: NDArray[np.uint8] | None = None


@dataclass
class SplitHealth:
    """Statistics of the photos of one split; ``lone_masks`` have no photo."""

    name: str
    pairs: list[PairHealth] = field(default_factory=list)
    lone_masks: list[str] = field(default_factory=list)

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
        FileNotFoundError: A folder is missing or empty.
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
    used = {mask for _, mask in work}
    return SplitHealth(name, pairs, [mask for mask in masks if mask not in used])


def copies(splits: Sequence[SplitHealth]) -> list[list[str]]:
    """Groups of photos whose files are equal, within or between splits."""
    groups: dict[str, list[str]] = {}
    for split in splits:
        for pair in split.pairs:
            groups.setdefault(pair.digest, []).append(f'{split.name}/{pair.name}')
    return [names for digest, names in groups.items() if digest and len(names) > 1]


def look_alikes(splits: Sequence[SplitHealth]) -> list[tuple[str, str]]:
    """Pairs of photos that show the same although their files differ, within or between splits."""
    named = [(f'{split.name}/{pair.name}', pair) for split in splits for pair in split.pairs]
    pairs = alike([pair.print for _, pair in named])
    return [
        (named[a][0], named[b][0])
        for a, b in pairs
        if not named[a][1].digest or named[a][1].digest != named[b][1].digest
    ]


def listing_problems(root: Path) -> list[str]:
    """Photos that a list of the data set (``ROOT/*.txt``) names twice, or that two lists name.

    Args:
        root: Root of the data set.

    Returns:
        One line for each kind and list.
    """
    lists = {}
    for path in sorted(root.glob('*.txt')):
        lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
        names = [line.strip() for line in lines if Path(line.strip()).suffix.lower() in IMAGE_SUFFIXES]
        if names:
            lists[path.name] = names
    problems = []
    for name, entries in lists.items():
        twice = [entry for entry, count in Counter(entries).items() if count > 1]
        if twice:
            problems.append(f'{name} names {len(twice)} photos more than once, such as {twice[0]}')
    for (name, entries), (other, others) in combinations(lists.items(), 2):
        common = sorted(set(entries) & set(others))
        if common:
            problems.append(f'{name} and {other} share {len(common)} photos, such as {common[0]}')
    return problems


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
    if health.crack_share > MOSTLY_CRACK:
        health.problem = f'{health.crack_share:.0%} of its pixels are crack; is the mask inverted?'
    health.print = fingerprint(image)
    return health
