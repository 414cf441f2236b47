"""Count the pixels of each class in a folder of masks and print the loss's class weights (Eq. 8).

python tools/dataset_converters/count_class_weights.py data/crack_segmentation_dataset/train/masks
python tools/dataset_converters/count_class_weights.py MASKS --num-classes 4    # masks of class numbers
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

import csbsr_mm  # noqa: F401
from csbsr_mm.datasets.image_files import list_images
from csbsr_mm.datasets.preparation.parallel import run_parallel
from csbsr_mm.datasets.transforms import BinarizeMask

IGNORE_INDEX = 255


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('masks', type=Path, help='folder of masks')
    parser.add_argument('--names', type=Path, help='text file with one mask (or image) file name a line')
    parser.add_argument('--threshold', type=int, default=127, help='grey value above which a pixel is crack')
    parser.add_argument(
        '--num-classes',
        type=int,
        default=2,
        help='more than 2: masks hold class numbers, and 255 where to ignore',
    )
    parser.add_argument('--workers', type=int, help='processes; as many as cores by default')
    return parser.parse_args()


def count_pixels(path: Path, num_classes: int = 2, threshold: int = 127) -> np.ndarray:
    """Pixels (num_classes,) of each class in one mask file.

    Args:
        path: Image file: grey values for two classes, otherwise class numbers and 255 = ignore.
        num_classes: Number of classes, background included.
        threshold: Grey value above which a pixel is crack, for two classes.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds unexpected values.
    """
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if num_classes == 2 else cv2.IMREAD_UNCHANGED)
    if mask is None:
        raise OSError(f'{path} cannot be read as an image; check that it is complete')
    if num_classes == 2:
        mask = BinarizeMask(threshold).binarize(mask, str(path))
    counts = np.bincount(mask.ravel(), minlength=256)
    unknown = [value for value in np.flatnonzero(counts) if num_classes <= value != IGNORE_INDEX]
    if mask.ndim != 2 or unknown:
        raise ValueError(
            f'{path} must hold class numbers 0..{num_classes - 1} in one channel, got '
            f'{unknown or mask.shape}; choose --num-classes, or map the mask to classes'
        )
    return counts[:num_classes]


def inverse_frequencies(pixels: np.ndarray) -> np.ndarray:
    """Class weights in inverse proportion to the pixels of each class, 1 for the background (Eq. 8).

    The loss divides by their sum, so only their ratios matter.

    Raises:
        ValueError: A class has no pixel.
    """
    absent = np.flatnonzero(pixels == 0)
    if len(absent):
        raise ValueError(f'no pixel of class {absent[0]} in {pixels.sum():,} pixels: its weight is infinite')
    return pixels[0] / pixels


def mask_files(folder: Path, names: Path | None) -> list[Path]:
    """Masks of a folder; those of the list, whatever suffix it gives them, if there is one."""
    found = {Path(name).stem: folder / name for name in list_images(folder)}
    if names is None:
        return list(found.values())
    wanted = [line.strip() for line in names.read_text(encoding='utf-8').splitlines() if line.strip()]
    missing = [name for name in wanted if Path(name).stem not in found]
    if missing:
        raise FileNotFoundError(f'{len(missing)} names of {names} have no mask in {folder}: {missing[:3]}')
    return [found[Path(name).stem] for name in wanted]


def main() -> None:
    """Count, and print a line for the config."""
    args = parse_args()
    try:
        files = mask_files(args.masks, args.names)
        count = partial(count_pixels, num_classes=args.num_classes, threshold=args.threshold)
        pixels = np.sum(run_parallel(count, files, 'counting', args.workers), axis=0)
        weights = inverse_frequencies(pixels)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    console = Console(highlight=False, soft_wrap=True)
    for index, (number, share) in enumerate(zip(pixels, pixels / pixels.sum(), strict=True)):
        console.print(f'class {index}: {number:,} pixels, {share:.3%}')
    console.print(f'\nloss_decode=dict(type="BoundaryComboLoss", class_weight={_rounded(weights)})')


def _rounded(weights: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f'{weight:.4g}') for weight in weights)


if __name__ == '__main__':
    main()
