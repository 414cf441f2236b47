"""The run-length codes of COCO, CVAT and Label Studio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def coco_mask(code: dict) -> NDArray[np.bool_]:
    """Decode a COCO mask.

    Args:
        code: ``size`` (height, width) and ``counts``: run lengths down the columns, from background on, as a
            list or as the text that pycocotools packs them into.

    Returns:
        (H, W).

    Raises:
        ValueError: The runs do not fill the mask.

    Example:
        >>> coco_mask({'size': [2, 3], 'counts': [1, 2, 3]}).astype(int).tolist()
        [[0, 1, 0], [1, 0, 0]]
    """
    height, width = code['size']
    counts = code['counts']
    return _expand(_unpack(counts) if isinstance(counts, str) else counts, (width, height)).T


def cvat_mask(runs: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode the ``rle`` of a CVAT mask: run lengths along the rows of its box, from background on.

    Args:
        runs: Numbers with commas between them.
        size: Height and width of the box.

    Raises:
        ValueError: The runs do not fill the box.
    """
    return _expand([int(run) for run in runs.split(',')], size)


def label_studio_mask(code: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode a brush of Label Studio.

    Its bytes are a stream of bits: 32 for the number of values, 5 for the bits of a value less one, and four
    times 4 for the bits of a run's length less one. Then follow blocks: one bit, 1 for a run of one value and
    0 for values one by one; two bits that choose one of the four lengths; the length less one; the values.
    Values are red, green, blue and opacity of each pixel; the opacity is the mask.

    Args:
        code: Bytes.
        size: Height and width.

    Raises:
        ValueError: The code ends early or has another number of values.
    """
    bits = np.unpackbits(np.array(code, np.uint8))
    place = 0

    def read(count: int) -> int:
        nonlocal place
        if place + count > len(bits):
            raise ValueError('the brush ends early')
        value = int(bits[place : place + count] @ (1 << np.arange(count - 1, -1, -1)))
        place += count
        return value

    total, word = read(32), read(5) + 1
    if total != 4 * size[0] * size[1]:
        raise ValueError(
            f'the brush has {total} values, and a photo of {size[1]}x{size[0]} pixels four times as many'
        )
    lengths = [read(4) + 1 for _ in range(4)]
    values = np.zeros(total, np.uint32)
    filled = 0
    while filled < total:
        is_run = read(1)
        count = read(lengths[read(2)]) + 1
        if filled + count > total:
            raise ValueError('the brush has too many values')
        if is_run:
            values[filled : filled + count] = read(word)
        else:
            block = bits[place : place + count * word]
            if len(block) < count * word:
                raise ValueError('the brush ends early')
            values[filled : filled + count] = block.reshape(count, word) @ (1 << np.arange(word - 1, -1, -1))
            place += count * word
        filled += count
    return values.reshape(*size, 4)[..., 3] > 0


def _expand(runs: Sequence[int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Background and crack in turn, row by row."""
    lengths = np.asarray(runs, np.int64)
    if (lengths < 0).any() or lengths.sum() != shape[0] * shape[1]:
        raise ValueError(f'the runs of a mask fill {lengths.sum()} pixels of {shape[0] * shape[1]}')
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(shape)


def _unpack(text: str) -> list[int]:
    """Run lengths from text.

    A letter holds 5 bits of a number, the lowest first; its sixth bit says that more follow, and the last one
    has the sign. From the fourth number on it is the difference to the run two before.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode():
        group = letter - 48
        value |= (group & 31) << shift
        shift += 5
        if not group & 32:
            if group & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
