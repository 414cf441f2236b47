from .binarize_mask import BinarizeMask
from .blind_degradation import BlindDegradation
from .formatting import PackBlindSRInputs
from .keyed_random_crop import KeyedRandomCrop
from .keyed_random_flip import KeyedRandomFlip
from .label_skeletons import SkeletonTubeTransform, SoftSkeletonTransform
from .load_degraded_pair import LoadDegradedPair
from .signed_distance_transform import SignedDistanceTransform

__all__ = [
    'BinarizeMask',
    'BlindDegradation',
    'KeyedRandomCrop',
    'KeyedRandomFlip',
    'LoadDegradedPair',
    'PackBlindSRInputs',
    'SignedDistanceTransform',
    'SkeletonTubeTransform',
    'SoftSkeletonTransform',
]
