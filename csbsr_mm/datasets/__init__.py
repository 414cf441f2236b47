from .._extras import need

need('csbsr_mm.datasets', 'mmseg')

from . import transforms
from .crack_dataset import CrackDataset
from .image_folder import ImageFolderSRDataset
from .keyed_drive_dataset import KeyedDRIVEDataset
from .packed_collate import packed_collate
from .samplers import KeyedIndex, KeyedInfiniteSampler

__all__ = [
    'CrackDataset',
    'ImageFolderSRDataset',
    'KeyedDRIVEDataset',
    'KeyedIndex',
    'KeyedInfiniteSampler',
    'packed_collate',
    'transforms',
]
