"""Degrade a test set once and store it, so that every method sees the same LR photos.

Writes DATA/test_blured/NAME/{lr_images,kernels,hr_images} in the layout of the authors' set, a float
copy and a manifest. A run that was interrupted goes on where it stopped.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import csbsr_mm
from csbsr_mm.datasets.degraded_store import DegradedStore
from csbsr_mm.datasets.image_files import list_images
from csbsr_mm.datasets.preparation.files import read_image, write_bytes, write_image
from csbsr_mm.datasets.preparation.parallel import run_parallel
from csbsr_mm.datasets.transforms import BlindDegradation
from csbsr_mm.datasets.transforms.blind_degradation import KINDS


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', type=Path, help='data set with test/images')
    parser.add_argument('--images', default='test/images', help='folder of the HR photos below it')
    parser.add_argument('--name', default='02_40', help='name of the degraded set')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--scale', type=int, default=4)
    parser.add_argument('--kernel-size', type=int, default=21)
    parser.add_argument('--sigma', type=float, nargs=2, default=(0.2, 4.0), help='range, in HR pixels')
    parser.add_argument('--sigma-is-variance', action='store_true', help='as the text of the paper has it')
    parser.add_argument('--kinds', nargs='+', choices=KINDS, default=['gaussian'], help='kernels drawn')
    parser.add_argument('--antialias', action='store_true', help='low-pass filter when downsampling')
    parser.add_argument('--padding', choices=['zeros', 'reflect'], default='zeros')
    parser.add_argument('--workers', type=int, help='processes; None: as many as cores')
    return parser.parse_args(argv)


def degradation_settings(args: argparse.Namespace) -> dict:
    """The arguments of BlindDegradation that the command line asks for."""
    names = ('seed', 'scale', 'kernel_size', 'sigma', 'sigma_is_variance', 'antialias', 'padding')
    settings = {name: getattr(args, name) for name in names}
    return settings | {'sigma': list(args.sigma), 'kinds': dict.fromkeys(args.kinds, 1.0)}


def degrade_image(name: str, images: Path, root: Path, settings: dict) -> dict:
    """Store one degraded photo, unless it is there already.

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


def main(argv: list[str]) -> None:
    """Degrade all photos of a folder."""
    args = parse_args(argv)
    settings = degradation_settings(args)
    root = args.data_root / 'test_blured' / args.name
    manifest = root / 'manifest.json'
    try:
        BlindDegradation(**settings)
        images = args.data_root / args.images
        names = list_images(images)
        if manifest.is_file() and json.loads(manifest.read_text())['settings'] != settings:
            raise ValueError(f'{root} was made with other settings; choose another --name or delete it')
        header = {'csbsr_mm': csbsr_mm.__version__, 'images': args.images, 'settings': settings}
        # Written first too: an interrupted set must not be continued with other settings.
        write_bytes(manifest, json.dumps(header, indent=1).encode())
        degrade = partial(degrade_image, images=images, root=root, settings=settings)
        records = run_parallel(degrade, names, f'Degrading into {root}', args.workers)
        header['kernels'] = dict(zip(names, records, strict=True))
        write_bytes(manifest, json.dumps(header, indent=1).encode())
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    sys.stdout.write(f'{root}: {len(names)} LR photos and kernels\n')


if __name__ == '__main__':
    main(sys.argv[1:])
