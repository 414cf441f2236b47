"""Degrade a test set once and store it, so that every method sees the same LR photos.

Writes DATA/test_blured/NAME/{lr_images,kernels,hr_images} in the layout of the authors' set, a float
copy and a manifest. A run that was interrupted goes on where it stopped.
"""

import json
from functools import partial
from pathlib import Path

import csbsr_mm
from csbsr_mm.datasets.degraded_store import DegradedStore
from csbsr_mm.datasets.image_files import list_images
from csbsr_mm.datasets.transforms import BlindDegradation

from .files import read_image, write_bytes, write_image
from .parallel import run_parallel


def degrade_image(name: str, images: Path, root: Path, settings: dict) -> dict:
    """Store one degraded photo, unless it exists.

    Returns:
        The parameters of its kernel.
    """
    degradation, store = BlindDegradation(**settings), DegradedStore(root)
    sample = {'img_path': str(images / name)}
    hr_path = root / 'hr_images' / name
    if store.is_complete(name) and (hr_path.is_file() or hr_path.with_suffix('.png').is_file()):
        return degradation.draw_kernel(degradation.generator(sample))[1]
    photo = read_image(images / name)
    sample = degradation.transform(sample | {'img': photo})
    if sample['hr_img'].shape == photo.shape:
        write_bytes(hr_path, (images / name).read_bytes())
    else:
        write_image(hr_path.with_suffix('.png'), sample['hr_img'])
    store.write(name, sample['img'], sample['gt_blur_kernel'])
    return sample['blur_parameters']


def write_degraded_set(
    data_root: Path, images: str, name: str, settings: dict, workers: int | None = None
) -> tuple[Path, int]:
    """Degrade all photos of a folder; photos that are stored already stay.

    Args:
        data_root: Folder of the data set.
        images: Folder of the HR photos below it.
        name: Name of the degraded set below ``test_blured``.
        settings: Arguments of :class:`BlindDegradation`, as JSON values.
        workers: Processes; as many as cores if None.

    Returns:
        Folder of the degraded set, and its number of photos.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: Settings are out of range, or other than those of a set that has been begun.
    """
    BlindDegradation(**settings)
    root = data_root / 'test_blured' / name
    manifest = root / 'manifest.json'
    names = list_images(data_root / images)
    if manifest.is_file() and json.loads(manifest.read_text(encoding='utf-8'))['settings'] != settings:
        raise ValueError(f'{root} was made with other settings; choose another --name or delete it')
    header = {'csbsr_mm': csbsr_mm.__version__, 'images': images, 'settings': settings}
    # Written first too: an interrupted set must not be continued with other settings.
    write_bytes(manifest, json.dumps(header, indent=1).encode())
    degrade = partial(degrade_image, images=data_root / images, root=root, settings=settings)
    records = run_parallel(degrade, names, f'Degrading into {root}', workers)
    header['kernels'] = dict(zip(names, records, strict=True))
    write_bytes(manifest, json.dumps(header, indent=1).encode())
    return root, len(names)
