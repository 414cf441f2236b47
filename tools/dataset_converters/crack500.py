"""Bring CRACK500 into the Khanhha layout: DATA/{train,test}/{images,masks}.

SOURCE holds the folders traincrop, valcrop and testcrop (also one level deeper, as in the archives
traindata/traincrop), each with photos X.jpg and masks X.png. Training and validation photos become
training photos. CRACK500: Yang et al., IEEE Trans. Intell. Transp. Syst. 2020.
"""

import sys
from pathlib import Path

from csbsr_mm.datasets.preparation.command_line import convert, converter_parser
from csbsr_mm.datasets.preparation.khanhha_layout import Pair

SPLITS = {'traincrop': 'train', 'valcrop': 'train', 'testcrop': 'test'}


def find_pairs(source: Path) -> list[Pair]:
    """Photos of all three folders that have a mask."""
    pairs = []
    for folder, split in SPLITS.items():
        for image in sorted([*source.glob(f'{folder}/*.jpg'), *source.glob(f'*/{folder}/*.jpg')]):
            mask = image.with_suffix('.png')
            if mask.is_file():
                pairs.append(Pair(split, f'CRACK500_{image.name}', image, mask))
    return pairs


def main(argv: list[str]) -> None:
    """Convert."""
    args = converter_parser(__doc__).parse_args(argv)
    convert(args, lambda: find_pairs(args.source))


if __name__ == '__main__':
    main(sys.argv[1:])
