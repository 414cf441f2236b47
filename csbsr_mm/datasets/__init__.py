from . import transforms
from .batch_parcel import parcel_collate
from .crack_dataset import CrackDataset
from .drawn_drive_dataset import DrawnDRIVEDataset
from .image_folder import ImageFolderSRDataset
from .samplers import DrawIndex, KeyedInfiniteSampler

__all__ = [
    'CrackDataset',
    'DrawIndex',
    'DrawnDRIVEDataset',
    'ImageFolderSRDataset',
    'KeyedInfiniteSampler',
    'parcel_collate',
    'transforms',
]
