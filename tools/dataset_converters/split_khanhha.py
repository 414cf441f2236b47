"""Divide the training photos of a crack data set into train and validation lists.

The authors of CSBSR trained on 9,122 of the 9,603 Khanhha training photos and validated on the other
481; which ones is not known. Here the names are sorted and shuffled with a seed, so that everybody who
has the same files gets the same lists: DATA/splits/train.txt and DATA/splits/val.txt.
"""

import argparse
import sys
from pathlib import Path

from csbsr_mm.datasets.image_files import list_images
from csbsr_mm.datasets.preparation.files import write_bytes
from csbsr_mm.datasets.preparation.khanhha_layout import split_names


def main(argv: list[str]) -> None:
    """Write both lists."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', type=Path, help='data set with train/images')
    parser.add_argument('--val-share', type=float, default=0.05, help='share of validation photos')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args(argv)
    try:
        train, val = split_names(list_images(args.data_root / 'train/images'), args.val_share, args.seed)
        for name, names in (('train', train), ('val', val)):
            write_bytes(args.data_root / 'splits' / f'{name}.txt', '\n'.join([*names, '']).encode())
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    sys.stdout.write(f'{args.data_root}/splits: {len(train)} training and {len(val)} validation photos\n')


if __name__ == '__main__':
    main(sys.argv[1:])
