"""Make the LR photo: draw a blur kernel, blur, downsample."""

from __future__ import annotations

import math

import numpy as np
from mmseg.registry import TRANSFORMS

from csbsr_mm.functional.degradation import (
    PADDINGS,
    SCALES,
    anisotropic_gaussian_kernel,
    compose_kernels,
    defocus_kernel,
    degrade,
    motion_kernel,
)

from .keyed import KeyedTransform

KINDS = ('gaussian', 'motion', 'defocus', 'mixture')


@TRANSFORMS.register_module()
class BlindDegradation(KeyedTransform):
    """Turn the HR photo into an LR one and keep HR photo and kernel as targets (Eq. 1).

    ``img`` becomes the LR image, ``hr_img`` the HR image, ``gt_blur_kernel`` the kernel (float32,
    unit sum). The mask stays at HR. An HR image whose sides are no multiples of the scale loses
    its last rows and columns, together with the mask.

    Args:
        scale: Downsampling factor s, one of 1, 2, 4, 8.
        kernel_size: Side of the kernel in pixels, odd.
        sigma: Range of the Gaussian's standard deviation per axis, in HR pixels.
        theta: Range of the Gaussian's angle, radians.
        sigma_is_variance: Read ``sigma`` as a variance, as the paper's text has it; the authors'
            code, and the default here, take it as standard deviation.
        kinds: How often each kind of kernel is drawn, as relative weights: ``gaussian``,
            ``motion``, ``defocus`` and ``mixture`` (a Gaussian after a motion or a defocus).
        motion_length: Range of the length of camera paths, in HR pixels; any direction.
        defocus_radius: Range of the radius of defocus disks, in HR pixels.
        antialias: Low-pass filter when downsampling.
        padding: ``'zeros'`` or ``'reflect'`` beyond the border.
        quantize: Round to 8 bits, as a stored LR image is; otherwise float32, not clipped.
        only_dataset_images: Let photos that come from no data set (those of MMSegmentation's
            inferencers, which are LR already) pass unchanged.
        seed: See :class:`KeyedTransform`.

    Raises:
        ValueError: a parameter or the image is out of range.

    Example:
        >>> sample = dict(img=np.full((64, 96, 3), 128, np.uint8), img_path='a.jpg')
        >>> sample = BlindDegradation(padding='reflect').transform(sample)
        >>> sample['img'].shape, sample['hr_img'].shape, sample['gt_blur_kernel'].shape
        ((16, 24, 3), (64, 96, 3), (21, 21))
    """

    def __init__(
        self,
        scale: int = 4,
        kernel_size: int = 21,
        sigma: tuple[float, float] = (0.2, 4.0),
        theta: tuple[float, float] = (0.0, math.pi),
        sigma_is_variance: bool = False,
        kinds: dict[str, float] | None = None,
        motion_length: tuple[float, float] = (2.0, 14.0),
        defocus_radius: tuple[float, float] = (1.0, 7.0),
        antialias: bool = False,
        padding: str = 'zeros',
        quantize: bool = False,
        only_dataset_images: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale, self.kernel_size = scale, kernel_size
        self.sigma, self.theta = tuple(sigma), tuple(theta)
        self.sigma_is_variance = sigma_is_variance
        self.kinds = dict(kinds or {'gaussian': 1.0})
        self.motion_length, self.defocus_radius = tuple(motion_length), tuple(defocus_radius)
        self.antialias, self.padding, self.quantize = antialias, padding, quantize
        self.only_dataset_images = only_dataset_images
        self._check()

    def transform(self, results: dict) -> dict:
        """Degrade ``img``."""
        if self.only_dataset_images and 'sample_idx' not in results:
            return results
        crop_to_multiple(results, self.scale)
        kernel, results['blur_parameters'] = self.draw_kernel(self.generator(results))
        results['hr_img'] = results['img']
        results['gt_blur_kernel'] = kernel.astype(np.float32)
        results['img'] = self._degrade(results['img'], results['gt_blur_kernel'])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def draw_kernel(self, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        """Draw one kernel.

        Args:
            rng: Source of randomness.

        Returns:
            Kernel (K, K) of unit sum, and the parameters that make it, for records.
        """
        weights = np.array([self.kinds.get(kind, 0.0) for kind in KINDS])
        kind = KINDS[rng.choice(len(KINDS), p=weights / weights.sum())]
        if kind != 'mixture':
            return getattr(self, f'_draw_{kind}')(rng)
        first, record = (self._draw_motion if rng.random() < 0.5 else self._draw_defocus)(rng)
        second, gaussian = self._draw_gaussian(rng)
        return compose_kernels(first, second), {**record, **gaussian, 'kind': kind}

    def _draw_gaussian(self, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        widths = rng.uniform(*self.sigma, size=2)
        sigma_x, sigma_y = np.sqrt(widths) if self.sigma_is_variance else widths
        theta = rng.uniform(*self.theta)
        record = {'kind': 'gaussian', 'sigma_x': sigma_x, 'sigma_y': sigma_y, 'theta': theta}
        return anisotropic_gaussian_kernel(sigma_x, sigma_y, theta, self.kernel_size), record

    def _draw_motion(self, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        length, angle = rng.uniform(*self.motion_length), rng.uniform(0, math.pi)
        record = {'kind': 'motion', 'length': length, 'angle': angle}
        return motion_kernel(length, angle, self.kernel_size), record

    def _draw_defocus(self, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        radius = rng.uniform(*self.defocus_radius)
        return defocus_kernel(radius, self.kernel_size), {'kind': 'defocus', 'radius': radius}

    def _degrade(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
        lr = degrade(planes, kernel, self.scale, self.antialias, self.padding).transpose(1, 2, 0)
        if self.quantize:
            lr = np.clip(np.rint(lr), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(lr)

    def _check(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f'scale must be one of {SCALES}, got {self.scale}')
        if self.kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {self.kernel_size}')
        if self.padding not in PADDINGS:
            raise ValueError(f'padding must be one of {sorted(PADDINGS)}, got {self.padding!r}')
        if set(self.kinds) - set(KINDS) or not sum(self.kinds.values()) > 0:
            raise ValueError(f'kinds must give positive weight to some of {KINDS}, got {self.kinds}')
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f'sigma must be a range of positive numbers, got {self.sigma}')

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale={self.scale}, kernel_size={self.kernel_size}, '
            f'sigma={self.sigma}, kinds={self.kinds}, antialias={self.antialias}, '
            f'padding={self.padding!r}, quantize={self.quantize}, seed={self.seed})'
        )


def crop_to_multiple(results: dict, scale: int) -> None:
    """Cut image and maps to multiples of the scale, keeping the upper left corner.

    Raises:
        ValueError: the image is smaller than one block of ``scale`` pixels.
    """
    height, width = (side - side % scale for side in results['img'].shape[:2])
    if min(height, width) == 0:
        raise ValueError(
            f'{results.get("img_path", "the image")} of {results["img"].shape[:2]} pixels is too '
            f'small to downsample by {scale}'
        )
    for key in ('img', *results.get('seg_fields', [])):
        if results[key].shape[:2] != (height, width):
            results[key] = np.ascontiguousarray(results[key][:height, :width])
