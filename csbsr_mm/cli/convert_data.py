"""Bring a data set into the layout of the configs, DATA/{train,test}/{images,masks}, and prepare it.

crack500, deepcrack, crackforest, gaps384, cracktree200, ael and cssc convert published data sets; split
divides the training photos into training and validation; degrade stores a blurred and reduced test set;
sub-images cuts DIV2K and Flickr2K into pieces that load faster. What was interrupted goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from .arguments import add_workers

PHOTO_FOLDERS = ('DIV2K/DIV2K_train_HR', 'Flickr2K/Flickr2K_HR')
SOURCES = {
    'crack500': 'folders traincrop, valcrop and testcrop with X.jpg and X.png',
    'crackforest': 'folders image (X.jpg) and groundTruth (X.mat); test photos are drawn with a seed',
    'deepcrack': 'folders train_img, train_lab, test_img and test_lab with X.jpg and X.png',
    'gaps384': 'folders croppedimg (X.jpg) and croppedgt (X.png)',
    'cracktree200': 'folders cracktree200rgb (X.jpg) and cracktree200_gt (X.png)',
    'ael': 'folders IMAGES and GROUND_TRUTH, each with AIGLE_RN, ESAR and LCMS',
    'cssc': 'a folder of photos and one of masks with the same names; --images and --masks name them',
}
# Sets without official test photos.
DRAWN = ('crackforest', 'gaps384', 'cracktree200', 'ael', 'cssc')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command lines of all conversions."""
    kinds = parser.add_subparsers(dest='kind', metavar='KIND', required=True)
    for name, layout in SOURCES.items():
        sub = kinds.add_parser(name, help=layout, description=f'SOURCE holds {layout}.')
        _add_converter(sub)
        if name == 'cssc':
            sub.add_argument('--images', default='images', help='folder of photos (%(default)s)')
            sub.add_argument('--masks', default='masks', help='folder of masks (%(default)s)')
            sub.add_argument('--dark-cracks', action='store_true', help='masks show cracks dark on bright')
        if name in DRAWN:
            sub.add_argument(
                '--test-share', type=float, default=0.4, help='share of test photos (%(default)s)'
            )
            sub.add_argument('--seed', type=int, default=0, help='of what is drawn (0)')
    _add_split(kinds.add_parser('split', help='lists of training and validation photos'))
    _add_degrade(kinds.add_parser('degrade', help='store a degraded test set, the same for every method'))
    _add_sub_images(kinds.add_parser('sub-images', help='overlapping pieces of DIV2K and Flickr2K photos'))


def _add_converter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('source', type=Path, help='folder of the unpacked data set')
    parser.add_argument('target', type=Path, help='folder to write {train,test}/{images,masks} into')
    parser.add_argument('--size', type=int, help='resize to squares, 448 as in the Khanhha set')
    add_workers(parser)


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('data_root', type=Path, help='data set with train/images')
    parser.add_argument(
        '--val-share', type=float, default=0.05, help='share of validation photos (%(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of what is drawn (0)')


def _add_degrade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('data_root', type=Path, help='data set with test/images')
    parser.add_argument('--images', default='test/images', help='folder of the HR photos (%(default)s)')
    parser.add_argument('--name', default='02_40', help='name of the degraded set (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of what is drawn (0)')
    parser.add_argument('--scale', type=int, default=4, help='HR pixels to an LR pixel (%(default)s)')
    parser.add_argument('--kernel-size', type=int, default=21, help='side in HR pixels (%(default)s)')
    parser.add_argument(
        '--sigma', type=float, nargs=2, default=(0.2, 4.0), help='range, in HR pixels (0.2 4.0)'
    )
    parser.add_argument('--sigma-is-variance', action='store_true', help='as the text of the paper has it')
    parser.add_argument(
        '--kinds', nargs='+', default=['gaussian'], help='kernels drawn: gaussian, motion, defocus (gaussian)'
    )
    parser.add_argument('--antialias', action='store_true', help='low-pass filter when downsampling')
    parser.add_argument(
        '--padding', choices=['zeros', 'reflect'], default='zeros', help='of the blur (zeros)'
    )
    add_workers(parser)


def _add_sub_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'data_root', type=Path, nargs='?', default=Path('data'), help='holds both sets (data)'
    )
    parser.add_argument('--folders', nargs='+', default=PHOTO_FOLDERS, help='folders of photos below it')
    parser.add_argument('--size', type=int, default=480, help='side of a sub-image in pixels (%(default)s)')
    parser.add_argument(
        '--step', type=int, default=240, help='distance between sub-images in pixels (%(default)s)'
    )
    add_workers(parser)


def run(args: argparse.Namespace) -> None:
    """Convert, and say how much."""
    steps = {'split': _split, 'degrade': _degrade, 'sub-images': _cut}
    for line in steps.get(args.kind, _convert)(args):
        sys.stdout.write(f'{line}\n')


def _convert(args: argparse.Namespace) -> list[str]:
    from csbsr_mm.datasets.preparation import crack500, crackforest, deepcrack, paired_folders
    from csbsr_mm.datasets.preparation.khanhha_layout import read_grey_mask, store_pairs

    read_mask = read_grey_mask
    if args.kind == 'crackforest':
        pairs = crackforest.find_pairs(args.source, args.test_share, args.seed)
        read_mask = crackforest.read_labels
    elif args.kind in paired_folders.LAYOUTS:
        layout = paired_folders.LAYOUTS[args.kind]
        if args.kind == 'cssc':
            folders = [(args.images, args.masks)]
            layout = dataclasses.replace(layout, folders=folders, dark_cracks=args.dark_cracks)
        pairs = paired_folders.find_pairs(args.source, layout, args.test_share, args.seed)
        read_mask = paired_folders.read_dark if layout.dark_cracks else paired_folders.read_bright
    else:
        pairs = {'crack500': crack500, 'deepcrack': deepcrack}[args.kind].find_pairs(args.source)
    written = store_pairs(pairs, args.target, args.size, read_mask, args.workers)
    train, test = (sum(pair.split == split for pair in pairs) for split in ('train', 'test'))
    return [f'{args.target}: {train} training and {test} test pairs, {written} written now']


def _split(args: argparse.Namespace) -> list[str]:
    from csbsr_mm.datasets.preparation.khanhha_layout import write_split

    train, val = write_split(args.data_root, args.val_share, args.seed)
    return [f'{args.data_root}/splits: {train} training and {val} validation photos']


def _degrade(args: argparse.Namespace) -> list[str]:
    from csbsr_mm.datasets.preparation.degraded_set import write_degraded_set

    names = ('seed', 'scale', 'kernel_size', 'sigma_is_variance', 'antialias', 'padding')
    settings = {name: getattr(args, name) for name in names}
    settings |= {'sigma': list(args.sigma), 'kinds': dict.fromkeys(args.kinds, 1.0)}
    root, count = write_degraded_set(args.data_root, args.images, args.name, settings, args.workers)
    return [f'{root}: {count} LR photos and kernels']


def _cut(args: argparse.Namespace) -> list[str]:
    from csbsr_mm.datasets.preparation.sub_images import cut_folders

    written = cut_folders(args.data_root, args.folders, args.size, args.step, args.workers)
    return [
        f'{target}: {pieces} sub-images of {photos} photos' for target, (pieces, photos) in written.items()
    ]
