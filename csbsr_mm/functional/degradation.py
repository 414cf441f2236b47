"""Degradation of a photo to low resolution: blur by a kernel, then bicubic downsampling (Eq. 1).

    I^L = (I^H * K) ↓s                                                            (Eq. 1)

The kernel (PSF) is anisotropic Gaussian in the paper; motion and defocus kernels are there for
experiments. Everything here works on NumPy arrays and on torch tensors (CPU or GPU), one kernel
for all images or one per image, and is differentiable in torch with respect to image and kernel,
so that the same function makes the training data and the pseudo-LR image of the blind-SR loss.

Conventions, which the golden figures fix:

* Blurring is a *correlation*: the kernel is not flipped.
* Angles are in radians, counter-clockwise on the screen (rows grow downwards).
* Bicubic weights are those of half-pixel centres: a = -0.75 without antialiasing, a = -0.5
  (and four times the support at scale 4) with it, as in ``torch.nn.functional.interpolate``.
* No clipping and no rounding: values may leave the range of the input slightly.
"""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F

from csbsr_mm.utils.checks import check_choice

Array = TypeVar('Array', np.ndarray, torch.Tensor)
Parameter = float | np.ndarray | torch.Tensor

SCALES = (1, 2, 4, 8)
PADDINGS = {'zeros': 'constant', 'reflect': 'reflect'}
HALFWAY_CUBIC = (-0.09375, 0.59375, 0.59375, -0.09375)
"""Bicubic weights (a = -0.75) of the four pixels around a point halfway between two pixels."""

MOTION_SAMPLES_PER_PIXEL = 16

BLOCK = 4
"""Side of the blocks of neighbouring pixels that a correlation on the CPU computes at once."""


def anisotropic_gaussian_kernel(
    sigma_x: Parameter, sigma_y: Parameter, theta: Parameter, size: int = 21
) -> np.ndarray | torch.Tensor:
    """Gaussian blur kernel with its own width along two rotated axes.

    Args:
        sigma_x: Standard deviation in pixels along the first axis, > 0; a number or an array (...).
        sigma_y: Standard deviation in pixels along the second axis, > 0; likewise.
        theta: Angle of the first axis against the image's rows, radians, counter-clockwise.
        size: Side length K of the kernel in pixels, odd.

    Returns:
        Kernels (..., K, K) of unit sum: a tensor if any parameter is a tensor, else float64 NumPy.

    Raises:
        ValueError: ``size`` is even, or a standard deviation is not positive.

    Equation:
        u = x cos θ - y sin θ, v = x sin θ + y cos θ, k ∝ exp(-(u²/σx² + v²/σy²)/2)

    Example:
        >>> kernel = anisotropic_gaussian_kernel(3.0, 0.5, 0.0)
        >>> kernel.shape, bool(kernel[10, 7] > kernel[7, 10])
        ((21, 21), True)
    """
    (sigma_x, sigma_y, theta), as_tensor = _parameters(sigma_x, sigma_y, theta)
    if not bool((torch.minimum(sigma_x, sigma_y) > 0).all()):
        raise ValueError(
            f'standard deviations must be positive, got sigma_x={sigma_x.tolist()}, '
            f'sigma_y={sigma_y.tolist()}'
        )
    x, y = _pixel_offsets(size, theta)
    u = x * torch.cos(theta) - y * torch.sin(theta)
    v = x * torch.sin(theta) + y * torch.cos(theta)
    return _normalize_kernel(torch.exp(-0.5 * ((u / sigma_x) ** 2 + (v / sigma_y) ** 2)), as_tensor)


def motion_kernel(length: Parameter, angle: Parameter, size: int = 21) -> np.ndarray | torch.Tensor:
    """Blur kernel of a camera that moves evenly along a straight line during the exposure.

    Args:
        length: Length of the path in pixels, in [0, K - 1]; a number or an array (...).
        angle: Direction of the path against the image's rows, radians, counter-clockwise.
        size: Side length K of the kernel in pixels, odd.

    Returns:
        Kernels (..., K, K) of unit sum: a tensor if any parameter is a tensor, else float64 NumPy.
        The path is spread over the pixels with bilinear weights.

    Raises:
        ValueError: ``size`` is even, or the path does not fit into the kernel.

    Example:
        >>> motion_kernel(4.0, 0.0, size=5).round(3)[2]
        array([0.125, 0.25 , 0.25 , 0.25 , 0.125])
    """
    (length, angle), as_tensor = _parameters(length, angle)
    if not bool(((length >= 0) & (length <= size - 1)).all()):
        raise ValueError(
            f'motion length must be within [0, {size - 1}] pixels for a {size}x{size} kernel, '
            f'got {length.tolist()}; use a larger size'
        )
    _check_size(size)
    samples = MOTION_SAMPLES_PER_PIXEL * size
    steps = (torch.arange(samples, dtype=length.dtype, device=length.device) + 0.5) / samples - 0.5
    path = length[..., 0] * steps
    grid = torch.arange(size, dtype=length.dtype, device=length.device) - size // 2

    def bilinear_weights(position: torch.Tensor) -> torch.Tensor:
        return (1 - (position[..., None] - grid).abs()).clamp(min=0)

    columns = bilinear_weights(path * torch.cos(angle[..., 0]))
    rows = bilinear_weights(-path * torch.sin(angle[..., 0]))
    return _normalize_kernel(rows.transpose(-1, -2) @ columns, as_tensor)


def defocus_kernel(radius: Parameter, size: int = 21) -> np.ndarray | torch.Tensor:
    """Blur kernel of a lens out of focus: an even disk whose rim fades over one pixel.

    Args:
        radius: Radius of the disk in pixels, in [0, (K - 1) / 2]; a number or an array (...).
        size: Side length K of the kernel in pixels, odd.

    Returns:
        Kernels (..., K, K) of unit sum: a tensor if ``radius`` is a tensor, else float64 NumPy.

    Raises:
        ValueError: ``size`` is even, or the disk does not fit into the kernel.

    Example:
        >>> defocus_kernel(1.0, size=5).round(2)[2]
        array([0.  , 0.15, 0.3 , 0.15, 0.  ])
    """
    (radius,), as_tensor = _parameters(radius)
    if not bool(((radius >= 0) & (radius <= size // 2)).all()):
        raise ValueError(
            f'defocus radius must be within [0, {size // 2}] pixels for a {size}x{size} kernel, '
            f'got {radius.tolist()}; use a larger size'
        )
    x, y = _pixel_offsets(size, radius)
    return _normalize_kernel((radius + 0.5 - torch.sqrt(x * x + y * y)).clamp(0, 1), as_tensor)


def compose_kernels(first: Array, second: Array) -> Array:
    """Kernel of two blurs in a row, cut to the size of the first and brought to unit sum again.

    Args:
        first: Kernels (..., K, K), K odd.
        second: Kernels (..., K', K'), K' odd, with the same leading dimensions.

    Returns:
        Kernels (..., K, K): the convolution of both.

    Example:
        >>> spot = np.zeros((5, 5)); spot[2, 2] = 1.0
        >>> bool(np.allclose(compose_kernels(spot, defocus_kernel(1.0, 5)), defocus_kernel(1.0, 5)))
        True
    """
    a, b = _tensors(first, second)
    _check_size(a.shape[-1])
    _check_size(b.shape[-1])
    flat = a.reshape(1, -1, *a.shape[-2:])
    weight = b.flip(-1, -2).reshape(-1, 1, *b.shape[-2:])
    both = F.conv2d(flat, weight, padding=b.shape[-1] // 2, groups=flat.shape[1])
    both = both.reshape(a.shape)
    return _like(first, both / both.sum((-2, -1), keepdim=True))


def degrade(
    hr: Array,
    kernel: Array,
    scale: int = 4,
    antialias: bool = False,
    padding: str = 'zeros',
) -> Array:
    """Blur an image with a kernel and downsample it bicubically (Eq. 1).

    Args:
        hr: Image (C, H, W) or batch (B, C, H, W), any range; H and W multiples of ``scale``.
        kernel: One kernel (K, K) for all images, or one each: (B, K, K) or (B, 1, K, K); K odd.
        scale: Downsampling factor s, one of 1, 2, 4, 8.
        antialias: Low-pass filter when downsampling (wider bicubic filter).
        padding: What lies beyond the border: ``'zeros'``, or ``'reflect'`` (edge not repeated).

    Returns:
        LR image (C, H/s, W/s) or batch (B, C, H/s, W/s) in the image's precision, neither rounded
        nor clipped; integer and half-precision images give float32.

    Raises:
        ValueError: Scale, padding, kernel or image size is none of the above.

    Equation:
        I^L = (I^H * K) ↓s, Eq. 1; ``*`` is a correlation (the kernel is not flipped).

    Example:
        >>> photo = np.full((3, 64, 64), 0.5)
        >>> low = degrade(photo, anisotropic_gaussian_kernel(2.0, 1.0, 0.3), padding='reflect')
        >>> low.shape, round(float(low.mean()), 6)
        ((3, 16, 16), 0.5)
    """
    image, psf = _tensors(hr, kernel)
    batch = image if image.dim() == 4 else image[None]
    psf = _kernel_per_image(psf, batch, hr.shape)
    _check_degradation(batch.shape[-2:], psf.shape[-1], scale, padding)
    # Autocast would round the kernel's weights to 3 digits.
    with torch.autocast(batch.device.type, enabled=False):
        if scale >= 4 and not antialias:
            lr = _blur_and_sample(batch, psf, scale, padding)
        else:
            lr = downsample(_blur(batch, psf, padding), scale, antialias)
    return _like(hr, lr if image.dim() == 4 else lr[0])


def downsample(image: Array, scale: int = 4, antialias: bool = False) -> Array:
    """Bicubic downsampling ↓s with half-pixel centres.

    Args:
        image: (C, H, W) or (B, C, H, W), floating point; H and W multiples of ``scale``.
        scale: Factor s, one of 1, 2, 4, 8.
        antialias: Widen the filter by s, so that it takes in every pixel.

    Returns:
        The same with H/s and W/s.

    Raises:
        ValueError: Scale or image size is none of the above.

    Example:
        >>> downsample(np.ones((3, 8, 16)), 4).shape
        (3, 2, 4)
    """
    (tensor,) = _tensors(image)
    _check_scale(scale, tensor.shape[-2:])
    if scale > 1:
        size = [side // scale for side in tensor.shape[-2:]]
        batch = tensor if tensor.dim() == 4 else tensor[None]
        batch = F.interpolate(batch, size=size, mode='bicubic', align_corners=False, antialias=antialias)
        tensor = batch if tensor.dim() == 4 else batch[0]
    return _like(image, tensor)


def _blur(batch: torch.Tensor, psf: torch.Tensor, padding: str) -> torch.Tensor:
    """Correlate image b of (B, C, H, W) with kernel b of (B, 1, K, K)."""
    return _correlate(_pad(batch, psf, padding), psf, stride=1)


def _pad(batch: torch.Tensor, psf: torch.Tensor, padding: str) -> torch.Tensor:
    return F.pad(batch, (psf.shape[-1] // 2,) * 4, mode=PADDINGS[padding])


def _correlate(batch: torch.Tensor, psf: torch.Tensor, stride: int) -> torch.Tensor:
    """Unpadded correlation; channels travel as the batch, each image is a group with its kernel."""
    planes = batch.transpose(0, 1)
    if len(psf) == 1 and batch.device.type == 'cpu':
        return _correlate_in_blocks(planes, psf, stride).transpose(0, 1)
    return F.conv2d(planes, psf, stride=stride, groups=len(psf)).transpose(0, 1)


def _correlate_in_blocks(planes: torch.Tensor, kernel: torch.Tensor, stride: int) -> torch.Tensor:
    """Correlate (C, 1, H, W) with one kernel (1, 1, K, K): blocks of 4x4 results as 16 channels.

    CPUs work on several output channels at once, and a blur has only one. Here the 16 pixels of a
    block are channels of one convolution, whose weights are the kernel in its 16 positions, with
    zeros around. This needs several times the multiplications and takes a sixth of the time.
    """
    size = [(side - kernel.shape[-1]) // stride + 1 for side in planes.shape[-2:]]
    reach = (BLOCK - 1) * stride
    side = kernel.shape[-1] + reach
    windows = F.pad(kernel, (reach,) * 4).unfold(2, side, stride).unfold(3, side, stride)
    weight = windows.flip(2, 3).reshape(-1, 1, side, side)
    rows, columns = (stride * (-side % BLOCK) for side in size)
    if rows or columns:
        planes = F.pad(planes, (0, columns, 0, rows))
    blocks = F.conv2d(planes, weight, stride=BLOCK * stride)
    return F.pixel_shuffle(blocks, BLOCK)[..., : size[0], : size[1]]


def _blur_and_sample(batch: torch.Tensor, psf: torch.Tensor, scale: int, padding: str) -> torch.Tensor:
    """Blur and plain bicubic downsampling as ONE strided correlation, exactly.

    For an even scale every LR pixel lies halfway between HR pixels, so the bicubic filter is the
    same four taps everywhere; from scale 4 on these stay inside the pixel's own block and never
    meet the border. Blur and taps merge into one kernel of side K + 3. Blurred pixels that are not sampled
    are never computed, which leaves a twelfth of the work at scale 4.
    """
    taps = psf.new_tensor(HALFWAY_CUBIC)
    weight = F.conv2d(psf, torch.outer(taps, taps)[None, None], padding=3)
    padded = _pad(batch, psf, padding)
    unread = scale // 2 - 2
    if unread:
        padded = padded[..., unread:-unread, unread:-unread]
    return _correlate(padded, weight, stride=scale)


def _kernel_per_image(psf: torch.Tensor, batch: torch.Tensor, shape: tuple) -> torch.Tensor:
    """Bring (K, K), (B, K, K) or (B, 1, K, K) to (B, 1, K, K)."""
    kernels = psf.reshape(-1, *psf.shape[-2:])
    shaped = psf.dim() in (2, 3) or (psf.dim() == 4 and psf.shape[1] == 1)
    if batch.dim() != 4 or not shaped or len(kernels) not in (1, len(batch)):
        raise ValueError(
            f'expected an image (C, H, W) or (B, C, H, W) and a kernel (K, K), (B, K, K) or '
            f'(B, 1, K, K), got {tuple(shape)} and {tuple(psf.shape)}'
        )
    return kernels.expand(len(batch), -1, -1)[:, None]


def _check_degradation(size: torch.Size, kernel_size: int, scale: int, padding: str) -> None:
    _check_size(kernel_size)
    _check_scale(scale, size)
    check_choice('padding', padding, PADDINGS)
    if padding == 'reflect' and min(size) <= kernel_size // 2:
        raise ValueError(
            f"padding='reflect' by {kernel_size // 2} pixels needs a larger image than "
            f"{size[0]}x{size[1]}; use padding='zeros'"
        )


def _check_scale(scale: int, size: torch.Size) -> None:
    check_choice('scale', scale, SCALES)
    if any(side % scale for side in size):
        raise ValueError(
            f'image height and width must be multiples of the scale {scale}, got '
            f'{size[0]}x{size[1]}; crop the image first'
        )


def _check_size(size: int) -> None:
    if size < 1 or size % 2 == 0:
        raise ValueError(f'kernel size must be odd, got {size}; a kernel needs a centre pixel')


def _parameters(*values: Parameter) -> tuple[list[torch.Tensor], bool]:
    """Kernel parameters as tensors (..., 1, 1) of one dtype, and whether any came as a tensor."""
    given = [value for value in values if isinstance(value, torch.Tensor)]
    dtype = given[0].dtype if given else torch.float64
    device = given[0].device if given else None
    tensors = [torch.as_tensor(value, dtype=dtype, device=device) for value in values]
    return [t[..., None, None] for t in torch.broadcast_tensors(*tensors)], bool(given)


def _tensors(first: Array, *others: Array) -> list[torch.Tensor]:
    """Arrays as tensors of the first one's precision, single at least."""
    tensor: torch.Tensor = torch.as_tensor(first)
    dtype: torch.dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return [tensor.to(dtype), *(torch.as_tensor(array).to(dtype) for array in others)]


def _like(given: Array, result: torch.Tensor) -> Array:
    """The result as the kind of array that was given."""
    return cast(Array, result if isinstance(given, torch.Tensor) else result.numpy())


def _pixel_offsets(size: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Offsets (x right, y down) of each pixel of a (K, K) kernel from its centre."""
    _check_size(size)
    axis = torch.arange(size, dtype=like.dtype, device=like.device) - size // 2
    return axis[None, :], axis[:, None]


def _normalize_kernel(kernel: torch.Tensor, as_tensor: bool) -> np.ndarray | torch.Tensor:
    kernel = kernel / kernel.sum((-2, -1), keepdim=True)
    return kernel if as_tensor else kernel.numpy()
