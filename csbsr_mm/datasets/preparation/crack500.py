"""Bring CRACK500 into the Khanhha layout: DATA/{train,test}/{images,masks}.

SOURCE holds the folders traincrop, valcrop and testcrop (also one level deeper, as in the archives
traindata/traincrop), each with photos X.jpg and masks X.png. Training and validation photos become
training photos. CRACK500: Yang et al., IEEE Trans. Intell. Transp. Syst. 2020.
"""

from pathlib import Path

from .khanhha_layout import Pair

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
