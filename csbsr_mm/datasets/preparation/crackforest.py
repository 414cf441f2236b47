"""Bring CrackForest into the Khanhha layout: DATA/{train,test}/{images,masks}.

SOURCE holds image/X.jpg and groundTruth/X.mat. In the .mat files, `groundTruth.Segmentation` labels
pixels: 1 is background, 2 is crack (a few files mark other things with 3 and 4). CrackForest has no
official test photos; they are drawn with a seed. CrackForest: Shi et al., IEEE Trans. Intell. Transp.
Syst. 2016; for non-commercial research.
"""

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from .khanhha_layout import Pair, split_names

CRACK_LABEL = 2


def find_pairs(source: Path, test_share: float, seed: int) -> list[Pair]:
    """Photos that have labels, divided at random."""
    images = {image.name: image for image in sorted((source / 'image').glob('*.jpg'))}
    labels = {name: source / 'groundTruth' / f'{image.stem}.mat' for name, image in images.items()}
    labelled = [name for name in images if labels[name].is_file()]
    _, test = split_names(labelled, test_share, seed)
    return [
        Pair('test' if name in test else 'train', f'CFD_{name}', images[name], labels[name])
        for name in labelled
    ]


def read_labels(path: Path) -> np.ndarray:
    """Mask (H, W) of a .mat file, true on cracks.

    Raises:
        ValueError: The file has no segmentation.
    """
    content = loadmat(path, squeeze_me=True, struct_as_record=False)
    segmentation = getattr(content.get('groundTruth'), 'Segmentation', None)
    if segmentation is None:
        raise ValueError(f'{path} holds no groundTruth.Segmentation; is it from CrackForest?')
    return np.asarray(segmentation) == CRACK_LABEL
