"""Exact Euclidean distance maps of crack masks: the distance to the crack, and the signed map.

With D_out(x) the distance of pixel x to the nearest crack pixel (0 on the crack), D_in(x) its
distance to the nearest background pixel (0 off the crack) and E the crack's inner edge, its pixels
with D_in = 1::

    phi(x) = D_out(x) / max D_out - D_in(x) / max D_in      (normalised: in [-1, 1])
    phi(x) = D_out(x) - D_in(x)                             (in pixels)
    phi(x) = 0 on E

Distances lie between pixel centres, in pixels; the image's border is no boundary. Where a side is
missing there is no boundary and no distance: an image without cracks, or all crack, gets 0
everywhere.

Every path gives the same float32 numbers, to the bit for distances below 4,096 pixels: compiled
kernels on the CPU, SciPy where Numba is not installed, tensor operations on an accelerator
(nothing travels to the host).

Reference: signed distance map of the boundary loss, defined after Eq. 4 of Kondo and Ukita, Joint Learning of
Blind Super-Resolution and Crack Segmentation for Realistic Degraded Images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional._numba import numba_kernels
from csbsr_mm.functional._tensors import ArrayOrTensor, is_compiling, is_on_device, is_tensor

if TYPE_CHECKING:
    from torch import Tensor

_SCAN_LIMIT = 8  # above 1/8 of crack pixels an envelope beats scanning from each of them


def distance_to(mask: ArrayOrTensor) -> ArrayOrTensor:
    """Euclidean distance of every pixel to the nearest non-zero pixel of its image.

    Args:
        mask: (..., H, W) array or tensor on any device; non-zero = crack.

    Returns:
        (..., H, W) float32 of the same kind, on the same device, in pixels; 0 on the crack, and 0
        everywhere in an image without a crack.

    Equation:
        D_out(x) = min over crack pixels c of ||x - c||.

    Example:
        >>> distance_to(np.array([[0, 0, 1, 0]]))
        array([[2., 1., 0., 1.]], dtype=float32)
    """
    if is_tensor(mask) and is_on_device(mask):
        from . import _torch

        return _torch.distance_to(_images(mask) != 0).view(mask.shape)
    if is_tensor(mask) and is_compiling():
        from . import _custom_op

        return _custom_op.distance_to(mask.detach())
    images = _images(_numpy(mask))
    distances = np.zeros(images.shape, np.float32)
    for image, distance in zip(images != 0, distances, strict=True):
        if image.any():
            _write_distance(image, distance)
    return _like(mask, distances)


def signed_distance(
    mask: ArrayOrTensor, normalize: bool = True, ignore: ArrayOrTensor | None = None
) -> ArrayOrTensor:
    """Signed distance to the crack's boundary: positive outside, negative inside, 0 on its edge.

    Args:
        mask: (..., H, W) array or tensor on any device; non-zero = crack.
        normalize: Divide either side by its largest distance in the image, so that the map lies in
            [-1, 1]; otherwise it is in pixels.
        ignore: (..., H, W) bool of pixels whose class is unknown, or None. They count neither as crack nor
            as background, whatever ``mask`` says there, and get 0.

    Returns:
        (..., H, W) float32 of the same kind, on the same device. All 0 for an image without a crack
        pixel or without a background pixel.

    Raises:
        ValueError: If ``mask`` has fewer than two dimensions or ``ignore`` has another shape.

    Equation:
        phi(x) = D_out(x) / max D_out - D_in(x) / max D_in, and 0 where D_in(x) = 1.

    Example:
        >>> signed_distance(np.array([[0, 0, 1, 1, 1, 0]]), normalize=False)
        array([[ 2.,  1.,  0., -2.,  0.,  1.]], dtype=float32)
    """
    if ignore is not None and ignore.shape != mask.shape:
        raise ValueError(
            f'ignore has shape {tuple(ignore.shape)}, mask {tuple(mask.shape)}; give both the same'
        )
    if is_tensor(mask) and is_on_device(mask):
        from . import _torch

        crack = _images(mask) != 0
        known = None if ignore is None else _images(ignore) == 0
        crack, background = _sides(crack, known)
        return _torch.signed_distance(crack, background, normalize).view(mask.shape)
    if is_tensor(mask) and is_compiling():
        from . import _custom_op

        return _custom_op.signed_distance(mask.detach(), normalize, ignore)
    images = _images(_numpy(mask)) != 0
    known = None if ignore is None else _images(_numpy(ignore)) == 0
    cracks, backgrounds = _sides(images, known)
    distances = np.zeros(images.shape, np.float32)
    for crack, background, distance in zip(cracks, backgrounds, distances, strict=True):
        if crack.any() and background.any():
            _write_signed_distance(crack, background, normalize, distance)
    return _like(mask, distances)


def _images(mask: ArrayOrTensor) -> ArrayOrTensor:
    """View (..., H, W) as (N, H, W)."""
    if mask.ndim < 2:
        raise ValueError(f'mask has shape {tuple(mask.shape)}; it needs height and width, (..., H, W)')
    return mask.reshape((-1, *mask.shape[-2:]))


def _numpy(mask: NDArray | Tensor) -> NDArray:
    """The mask as an array, without a copy."""
    return mask.detach().numpy() if is_tensor(mask) else mask


def _like(mask: ArrayOrTensor, distances: NDArray) -> ArrayOrTensor:
    """Give ``distances`` the shape and the kind of ``mask``, without a copy."""
    distances = distances.reshape(mask.shape)
    if not is_tensor(mask):
        return distances
    import torch

    return torch.from_numpy(distances)


def _sides(crack: ArrayOrTensor, known: ArrayOrTensor | None) -> tuple[ArrayOrTensor, ArrayOrTensor]:
    """Split boolean images into known crack and known background."""
    if known is None:
        return crack, ~crack
    return crack & known, ~crack & known


def _work_arrays(shape: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    """Column distances and squared distances, of the smallest integer types that hold them."""
    small = 2 * max(shape) < 1 << 16
    column = np.empty(shape, np.uint16 if small else np.uint32)
    return column, np.empty(shape, np.int32 if small else np.int64)


def _squared_distance_scipy(feature: NDArray) -> NDArray:
    """Squared distances without Numba; SciPy's roots of integers square back exactly."""
    from scipy.ndimage import distance_transform_edt

    return np.rint(np.square(distance_transform_edt(~feature))).astype(np.int64)


def _write_distance(feature: NDArray, distance: NDArray) -> None:
    """Distance map of one image that has a feature."""
    kernels = numba_kernels('distance._numba')
    if kernels is None:
        np.sqrt(_squared_distance_scipy(feature).astype(np.float32), out=distance)
        return
    column, squared = _work_arrays(feature.shape)
    kernels.squared_distance(feature, column, squared)
    kernels.square_root(squared, distance)


def _write_signed_distance(crack: NDArray, background: NDArray, normalize: bool, distance: NDArray) -> None:
    """Signed map of one image that has both sides."""
    kernels = numba_kernels('distance._numba')
    outer = inner = np.float32(1)
    if kernels is None:
        to_crack = np.where(background, _squared_distance_scipy(crack), 0)
        to_background = np.where(crack, _squared_distance_scipy(background), 0)
        if normalize:
            outer, inner = (np.sqrt(np.float32(s.max())) for s in (to_crack, to_background))
        inside = np.sqrt(np.where(to_background == 1, 0, to_background).astype(np.float32)) / inner
        distance[:] = np.sqrt(to_crack.astype(np.float32)) / outer - inside
        return
    column, squared = _work_arrays(crack.shape)
    kernels.squared_distance(crack, column, squared)
    if np.count_nonzero(crack) * _SCAN_LIMIT < crack.size:
        kernels.squared_distance_at(crack, background, column, squared)
    else:
        to_background = np.empty_like(squared)
        kernels.squared_distance(background, column, to_background)
        np.copyto(squared, to_background, where=crack)
    if normalize:
        outer = np.sqrt(np.float32(kernels.largest_on(background, squared)))
        inner = np.sqrt(np.float32(kernels.largest_on(crack, squared)))
    kernels.signed_root(crack, background, squared, outer, inner, distance)
