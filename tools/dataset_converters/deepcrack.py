"""Bring DeepCrack into the Khanhha layout: DATA/{train,test}/{images,masks}.

SOURCE holds train_img, train_lab, test_img and test_lab: photos X.jpg and masks X.png.
DeepCrack: Liu et al., Neurocomputing 2019; for non-commercial research and education.
"""

import sys
from pathlib import Path

from csbsr_mm.datasets.preparation.command_line import convert, converter_parser
from csbsr_mm.datasets.preparation.khanhha_layout import Pair


def find_pairs(source: Path) -> list[Pair]:
    """Photos of both splits with their masks."""
    return [
        Pair(split, f'DeepCrack_{image.name}', image, source / f'{split}_lab' / f'{image.stem}.png')
        for split in ('train', 'test')
        for image in sorted((source / f'{split}_img').glob('*.jpg'))
    ]


def main(argv: list[str]) -> None:
    """Convert."""
    args = converter_parser(__doc__).parse_args(argv)
    convert(args, lambda: find_pairs(args.source))


if __name__ == '__main__':
    main(sys.argv[1:])
