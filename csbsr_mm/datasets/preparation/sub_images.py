"""Cut DIV2K and Flickr2K photos into overlapping sub-images, which load much faster in training.

From DATA/DIV2K/DIV2K_train_HR and DATA/Flickr2K/Flickr2K_HR (PNG) it writes DATA/DIV2K/DIV2K_train_HR_sub and
DATA/Flickr2K/Flickr2K_HR_sub, where configs/_base_/datasets/div2k_flickr2k.py looks for them. A run
that was interrupted goes on where it stopped.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from csbsr_mm.datasets.image_files import list_images

from .files import read_image, write_image
from .parallel import run_parallel

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
        ValueError: The photo is smaller than a sub-image.
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


def cut_folders(
    data_root: Path, folders: Sequence[str], size: int, step: int, workers: int | None = None
) -> dict[Path, tuple[int, int]]:
    """Cut all photos of some folders; sub-images that are there already stay.

    Args:
        data_root: Folder that holds ``folders``.
        folders: Folders of photos; the sub-images go to ``FOLDER_sub`` beside each.
        size: Side of a sub-image in pixels.
        step: Distance between sub-images in pixels.
        workers: Processes; as many as cores if None.

    Returns:
        Numbers of sub-images and of photos by the folder written.

    Raises:
        OSError: A folder or photo cannot be read.
        ValueError: A photo is smaller than a sub-image.
    """
    written = {}
    for folder in folders:
        source, target = data_root / folder, data_root / f'{folder}_sub'
        work = partial(cut, source=source, target=target, size=size, step=step)
        counts = run_parallel(work, list_images(source), f'Cutting {source}', workers)
        written[target] = sum(counts), len(counts)
    return written
