from . import transforms
from .crack_dataset import CrackDataset
from .image_folder import ImageFolderSRDataset
from .samplers import DrawIndex, KeyedInfiniteSampler

__all__ = [
    'CrackDataset',
    'DrawIndex',
    'ImageFolderSRDataset',
    'KeyedInfiniteSampler',
    'transforms',
]
