"""The demo data set: rendered crack photos in the Khanhha layout."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from csbsr_mm.datasets.crack_renderer import render_crack_photo, render_varied_photo

from .files import write_bytes, write_image, write_mask
from .parallel import run_parallel

SETTINGS_FILE = 'rendered.json'
RENDERER_VERSION = 1
"""Raised whenever the renderer draws other pictures, so that old ones are not taken for complete."""


def write_crack_demo(
    root: str | Path,
    train: int = 160,
    test: int = 32,
    size: int = 256,
    seed: int = 0,
    workers: int | None = None,
    varied: bool = False,
) -> int:
    """Render ``root/{train,test}/{images,masks}/demo_NNNN.jpg``; existing files are kept.

    Each photo depends on (seed, split, number) alone. Masks are JPEG, as those of the Khanhha set,
    and exact after thresholding.

    Args:
        root: Folder of the data set.
        train: Number of training photos.
        test: Number of test photos.
        size: Side length in pixels, a multiple of 8.
        seed: Seed of all photos.
        workers: Processes; as many as cores if None.
        varied: Render from near and far, with open and faint cracks; see :func:`render_varied_photo`.

    Returns:
        Number of photos rendered now; 0 if the data set was complete.

    Raises:
        FileExistsError: The folder holds other photos.
    """
    root = Path(root)
    settings = dict(train=train, test=test, size=size, seed=seed, version=RENDERER_VERSION)
    if varied:
        settings['varied'] = True
    numbers = [
        (split, number) for split, count in (('train', train), ('test', test)) for number in range(count)
    ]
    _refuse_foreign_files(root, numbers)
    if _read_settings(root) == settings:
        numbers = [item for item in numbers if not all(path.exists() for path in _paths(root, *item))]
    else:
        write_bytes(root / SETTINGS_FILE, json.dumps(settings, indent=1).encode())
    render = partial(_render, root=root, size=size, seed=seed, varied=varied)
    run_parallel(render, numbers, f'Rendering crack photos into {root}', workers)
    return len(numbers)


def _render(item: tuple[str, int], root: Path, size: int, seed: int, varied: bool) -> None:
    split, number = item
    rng = np.random.default_rng([seed, int(split == 'test'), number])
    photo, mask = (render_varied_photo if varied else render_crack_photo)(rng, size)
    image_path, mask_path = _paths(root, split, number)
    write_image(image_path, photo)
    write_mask(mask_path, mask)


def _paths(root: Path, split: str, number: int) -> tuple[Path, Path]:
    name = f'demo_{number:04d}.jpg'
    return root / split / 'images' / name, root / split / 'masks' / name


def _read_settings(root: Path) -> dict | None:
    file = root / SETTINGS_FILE
    return json.loads(file.read_text(encoding='utf-8')) if file.is_file() else None


def _refuse_foreign_files(root: Path, numbers: list[tuple[str, int]]) -> None:
    """A data set with other photos among ours would train on both, or lose them."""
    ours = {path for item in numbers for path in _paths(root, *item)}
    found = {path for path in root.glob('*/*/*') if path.suffix in ('.jpg', '.png')}
    if found - ours:
        raise FileExistsError(
            f'{root} holds {len(found - ours)} photos that this data set does not have, such as '
            f'{min(found - ours)}; choose an empty folder'
        )
