"""The mathematics of CSBSR on arrays and tensors; imports nothing of MMSegmentation.

    from csbsr_mm.functional import boundary_loss, hausdorff_sweep, iou_sweep, signed_distance

Two modules are imported as such: :mod:`~csbsr_mm.functional.surface_distance` has the function names of
DeepMind's package, :mod:`~csbsr_mm.functional.soft_masks` what the losses have in common.
"""

from .boundary import boundary_loss, boundary_map
from .degradation import (
    anisotropic_gaussian_kernel,
    compose_kernels,
    defocus_kernel,
    degrade,
    downsample,
    motion_kernel,
)
from .distance import distance_to, signed_distance
from .image_quality import psnr, ssim
from .overlap import iou_sweep, overlap_sweep
from .region import cross_entropy, dice_loss, generalized_dice_loss, weighted_cross_entropy
from .surface import average_surface_distance, hausdorff_sweep, robust_hausdorff, surface_dice
from .weights import crack_oriented_weight, fail_oriented_weight

__all__ = [
    'anisotropic_gaussian_kernel',
    'average_surface_distance',
    'boundary_loss',
    'boundary_map',
    'compose_kernels',
    'crack_oriented_weight',
    'cross_entropy',
    'defocus_kernel',
    'degrade',
    'dice_loss',
    'distance_to',
    'downsample',
    'fail_oriented_weight',
    'generalized_dice_loss',
    'hausdorff_sweep',
    'iou_sweep',
    'motion_kernel',
    'overlap_sweep',
    'psnr',
    'robust_hausdorff',
    'signed_distance',
    'ssim',
    'surface_dice',
    'weighted_cross_entropy',
]
