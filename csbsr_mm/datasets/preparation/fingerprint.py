"""Fingerprints of photos that stay alike when a photo is compressed or resized: copies under other names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 16
BITS = SIDE * SIDE
MAX_DIFFERENCE = 10
"""Bits in which copies may differ; unrelated photos differ in about half of the 256."""


def fingerprint(image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Whether each of 16x16 cells is darker than its neighbour on the right.

    Args:
        image: (H, W) or (H, W, C) uint8.

    Returns:
        (32,) uint8, 256 bits; None for an image that is too even to tell.

    Example:
        >>> values = np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)
        >>> photo = np.kron(values, np.ones((8, 8), np.uint8))
        >>> smaller = cv2.resize(photo, (50, 50), interpolation=cv2.INTER_AREA)
        >>> difference(fingerprint(photo), fingerprint(smaller)) <= MAX_DIFFERENCE
        True
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    cells = cv2.resize(grey.astype(np.float32), (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA)
    steps = np.diff(cells, axis=1)
    if np.abs(steps).mean() < 0.5:
        return None
    return np.packbits(steps > 0)


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """Number of bits in which two fingerprints differ."""
    return int(np.unpackbits(first ^ second).sum())


def alike(fingerprints: Sequence[NDArray[np.uint8] | None]) -> list[tuple[int, int]]:
    """Pairs of photos whose fingerprints differ in at most :data:`MAX_DIFFERENCE` bits.

    Args:
        fingerprints: One for each photo, None for those without.

    Returns:
        Pairs of indices, the smaller one first, in order.

    Example:
        >>> one = np.zeros(32, np.uint8)
        >>> alike([one, None, one + 255, one])
        [(0, 3)]
    """
    # Of 16 parts at least 6 are equal where at most 10 bits differ: only such photos are compared.
    found = set()
    known = [(index, bits) for index, bits in enumerate(fingerprints) if bits is not None]
    for part in range(0, BITS // 8, 2):
        groups = defaultdict(list)
        for index, bits in known:
            groups[bits[part : part + 2].tobytes()].append((index, bits))
        for members in groups.values():
            for place, (index, bits) in enumerate(members):
                later = members[place + 1 :]
                if not later:
                    continue
                others = np.stack([other for _, other in later])
                near = np.unpackbits(others ^ bits, axis=1).sum(1) <= MAX_DIFFERENCE
                found.update((index, later[k][0]) for k in np.flatnonzero(near))
    return sorted(found)
