"""Files of predictions and masks: matched by name, read with their range checked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.metrics.images import shown_values

SUFFIXES = ('.png', '.npy', '.tif', '.tiff', '.bmp', '.jpg', '.jpeg', '.webp')
LOSSY = ('.jpg', '.jpeg', '.webp')


class Pair(NamedTuple):
    """A prediction and its true mask.

    Attributes:
        name: Name of both files without the suffix.
        prediction: File of probabilities, or of a mask.
        mask: File of the true mask.
    """

    name: str
    prediction: Path
    mask: Path


def match(predictions: Path, masks: Path) -> list[Pair]:
    """Predictions and masks of one name, in the order of the names.

    Args:
        predictions: Folder.
        masks: Folder; what it holds decides what is scored. Predictions without a mask are left alone.

    Raises:
        FileNotFoundError: A folder is missing or empty, or a mask has no prediction.
        ValueError: Two files of a folder have one name.
    """
    found, true = files_by_name(predictions), files_by_name(masks)
    missing = [name for name in true if name not in found]
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(true)} masks of {masks} have no prediction in {predictions}: '
            f'{", ".join(missing[:3])}'
        )
    return [Pair(name, found[name], path) for name, path in true.items()]


def files_by_name(folder: Path) -> dict[str, Path]:
    """Pictures and arrays of a folder by their name without the suffix.

    Raises:
        FileNotFoundError: There is no such folder, or nothing in it.
        ValueError: Two files have one name.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder {folder}')
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in files:
                raise ValueError(f'{files[path.stem]} and {path} have one name; leave one of them')
            files[path.stem] = path
    if not files:
        raise FileNotFoundError(f'there are no images in {folder} (looked for {", ".join(SUFFIXES)})')
    return files


def read_prediction(path: Path) -> NDArray[np.float32]:
    """Probabilities of a file.

    Args:
        path: An ``.npy`` array of floating-point probabilities, or a picture of 8 or 16 bits whose largest
            value is 1. A picture of nothing but 0 and 1 is a mask.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        ValueError: The file holds something else.
    """
    values = _values(path)
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if values.dtype.kind == 'f':
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(
                f'{path} must hold probabilities (H, W) in [0, 1], got {values.min():.3g} to '
                f'{values.max():.3g}; apply the sigmoid or the softmax to logits'
            )
        return values.astype(np.float32)
    if values.max() <= 1:
        return values.astype(np.float32)
    return (values / _largest(values, path)).astype(np.float32)


def read_mask(
    path: Path, ignore_value: int | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """A true mask and the pixels to ignore.

    Args:
        path: A picture or array of 0 and 1 or of 0 and the largest value of its kind, such as 255. Lossy
            formats may be off by some; what is brighter than half is a crack.
        ignore_value: Value of pixels that do not count, or None.

    Returns:
        (H, W) bool, and the same of what to ignore or None.

    Raises:
        ValueError: There are other values.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'a.npy'
        >>> np.save(path, np.array([[0, 128, 255]], np.uint8))
        >>> read_mask(path, ignore_value=128)
        (array([[False, False,  True]]), array([[False,  True, False]]))
    """
    values = _values(path)
    ignore = None if ignore_value is None else values == ignore_value
    known = values if ignore is None else np.where(ignore, 0, values)
    if known.max() <= 1 and values.dtype.kind != 'f':
        mask = known > 0
    else:
        largest = 1 if values.dtype.kind == 'f' else _largest(values, path)
        if path.suffix.lower() not in LOSSY:
            _refuse_other_values(known, largest, path)
        mask = known > largest / 2
    return mask, ignore if ignore is not None and ignore.any() else None


def _refuse_other_values(values: NDArray, largest: int, path: Path) -> None:
    if ((values == 0) | (values == largest)).all():
        return
    raise ValueError(
        f'{path} holds the values {shown_values(values)}; masks are of 0 and 1 or 0 and '
        f'{largest}; give the value of pixels that do not count with --ignore-value, and threshold the rest'
    )


def _values(path: Path) -> NDArray:
    """(H, W) values as they are in the file."""
    if path.suffix.lower() == '.npy':
        values = np.load(path, allow_pickle=False)
    else:
        from csbsr_mm._extras import need

        need('Reading pictures', 'PIL')
        from PIL import Image

        with Image.open(path) as image:
            # Palettes hold class indices; converting would turn them into the brightness of their colours.
            keep = image.mode.startswith(('I', 'F')) or image.mode == 'P'
            values = np.asarray(image if keep else image.convert('L'))
    if values.ndim != 2 or not values.size or values.dtype.kind not in 'buif':
        raise ValueError(f'{path} must hold one map (H, W), got {values.dtype} of shape {values.shape}')
    return values


def _largest(values: NDArray, path: Path) -> int:
    """Largest value of a picture's kind."""
    if values.dtype == np.uint8:
        return 255
    if values.min() >= 0 and values.max() <= 65535:
        return 65535
    raise ValueError(f'{path} holds {values.min()} to {values.max()}; pictures are of 8 or 16 bits')
