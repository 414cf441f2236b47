"""The mathematics of CSBSR on arrays and tensors; imports nothing of MMSegmentation.

Functions of arrays are imported at once, without torch; functions of tensors when they are first used.

    from csbsr_mm.functional import boundary_loss, hausdorff_sweep, iou_sweep, signed_distance

Import two modules by name: :mod:`~csbsr_mm.functional.surface_distance` has the function names of DeepMind's
package, :mod:`~csbsr_mm.functional.soft_masks` the masks that all losses sum over.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .centerline import centerline_sweep, cl_dice, cl_iou, skeletonize
from .distance import distance_to, signed_distance
from .overlap import iou_sweep, overlap_sweep
from .surface import average_surface_distance, hausdorff_sweep, robust_hausdorff, surface_dice, surface_sweep
from .tolerance import tolerance_sweep

if TYPE_CHECKING:
    from .boundary import boundary_loss, boundary_map
    from .degradation import (
        anisotropic_gaussian_kernel,
        compose_kernels,
        defocus_kernel,
        degrade,
        downsample,
        motion_kernel,
    )
    from .image_quality import psnr, ssim
    from .probability import class_probabilities, crack_probability, predicted_labels
    from .region import cross_entropy, dice_loss, generalized_dice_loss, weighted_cross_entropy
    from .topology import centerline_dice_loss, skeleton_recall_loss, soft_skeleton
    from .weights import crack_oriented_weight, fail_oriented_weight

_NEED_TORCH = {
    'boundary': ('boundary_loss', 'boundary_map'),
    'degradation': (
        'anisotropic_gaussian_kernel',
        'compose_kernels',
        'defocus_kernel',
        'degrade',
        'downsample',
        'motion_kernel',
    ),
    'image_quality': ('psnr', 'ssim'),
    'probability': ('class_probabilities', 'crack_probability', 'predicted_labels'),
    'region': ('cross_entropy', 'dice_loss', 'generalized_dice_loss', 'weighted_cross_entropy'),
    'topology': ('centerline_dice_loss', 'skeleton_recall_loss', 'soft_skeleton'),
    'weights': ('crack_oriented_weight', 'fail_oriented_weight'),
}
_MODULE_OF = {name: module for module, names in _NEED_TORCH.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'.{_MODULE_OF[name]}', __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})


__all__ = [
    'anisotropic_gaussian_kernel',
    'average_surface_distance',
    'boundary_loss',
    'boundary_map',
    'centerline_dice_loss',
    'centerline_sweep',
    'cl_dice',
    'cl_iou',
    'class_probabilities',
    'compose_kernels',
    'crack_oriented_weight',
    'crack_probability',
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
    'predicted_labels',
    'psnr',
    'robust_hausdorff',
    'signed_distance',
    'skeleton_recall_loss',
    'skeletonize',
    'soft_skeleton',
    'ssim',
    'surface_dice',
    'surface_sweep',
    'tolerance_sweep',
    'weighted_cross_entropy',
]
