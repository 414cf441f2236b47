"""Bring DeepCrack into the Khanhha layout: DATA/{train,test}/{images,masks}.

SOURCE holds train_img, train_lab, test_img and test_lab: photos X.jpg and masks X.png.
DeepCrack: Liu et al., Neurocomputing 2019; for non-commercial research and education.
"""

from pathlib import Path

from .khanhha_layout import Pair


def find_pairs(source: Path) -> list[Pair]:
    """Photos of both splits with their masks."""
    return [
        Pair(split, f'DeepCrack_{image.name}', image, source / f'{split}_lab' / f'{image.stem}.png')
        for split in ('train', 'test')
        for image in sorted((source / f'{split}_img').glob('*.jpg'))
    ]
