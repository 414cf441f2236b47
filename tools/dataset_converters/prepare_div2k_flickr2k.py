"""Cut DIV2K and Flickr2K photos into overlapping sub-images, which load much faster in training.

From DATA/DIV2K/DIV2K_train_HR and DATA/Flickr2K/Flickr2K_HR (PNG) it writes DATA/DIV2K/DIV2K_train_HR_sub and
DATA/Flickr2K/Flickr2K_HR_sub, where configs/_base_/datasets/div2k_flickr2k.py looks for them. A run
that was interrupted goes on where it stopped.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np

from csbsr_mm.datasets.image_files import list_images
from csbsr_mm.datasets.preparation.files import read_image, write_image
from csbsr_mm.datasets.preparation.parallel import run_parallel

FOLDERS = ('DIV2K/DIV2K_train_HR', 'Flickr2K/Flickr2K_HR')


def window_starts(length: int, size: int, step: int) -> list[int]:
    """Where windows begin along a side: every ``step`` pixels, and flush with the end.

    Example:
        >>> window_starts(1000, 480, 240)
        [0, 240, 480, 520]
    """
    starts = list(range(0, length - size + 1, step))
    if starts[-1] + size < length:
        starts.append(length - size)
    return starts


def cut(name: str, source: Path, target: Path, size: int, step: int) -> int:
    """Write the sub-images of one photo as NAME_sRRRR_CCCC.png.

    Returns:
        Their number.

    Raises:
        ValueError: the photo is smaller than a sub-image.
    """
    image = read_image(source / name)
    height, width = image.shape[:2]
    if min(height, width) < size:
        raise ValueError(f'{source / name} of {height}x{width} is smaller than --size {size}; choose less')
    corners = [(y, x) for y in window_starts(height, size, step) for x in window_starts(width, size, step)]
    for y, x in corners:
        path = target / f'{Path(name).stem}_s{y:04d}_{x:04d}.png'
        if not path.exists():
            write_image(path, np.ascontiguousarray(image[y : y + size, x : x + size]))
    return len(corners)


def main(argv: list[str]) -> None:
    """Cut all photos of the folders that are there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', type=Path, nargs='?', default=Path('data'), help='holds both sets')
    parser.add_argument('--folders', nargs='+', default=FOLDERS, help='folders of photos below it')
    parser.add_argument('--size', type=int, default=480, help='side of a sub-image in pixels')
    parser.add_argument('--step', type=int, default=240, help='distance between sub-images in pixels')
    parser.add_argument('--workers', type=int, help='processes; None: as many as cores')
    args = parser.parse_args(argv)
    try:
        for folder in args.folders:
            source, target = args.data_root / folder, args.data_root / f'{folder}_sub'
            work = partial(cut, source=source, target=target, size=args.size, step=args.step)
            counts = run_parallel(work, list_images(source), f'Cutting {source}', args.workers)
            sys.stdout.write(f'{target}: {sum(counts)} sub-images of {len(counts)} photos\n')
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main(sys.argv[1:])
