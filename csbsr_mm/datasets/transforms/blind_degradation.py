"""Make the LR photo: draw a blur kernel, blur, downsample."""

from __future__ import annotations

import math

import cv2
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
from csbsr_mm.utils.checks import check_choice

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
        cut_border: Cut the margin that the blur fills from beyond the border: half the kernel, rounded up
            to LR pixels, at each side of LR image, HR image and masks. Real photos have no such rim, and
            its darkness reveals the blur (``docs/degradation.md``). Crop larger to keep a size.
        noise: Range of the standard deviation of Gaussian sensor noise in the LR image, in 8-bit levels.
        jpeg_quality: Range of the quality with which the LR image is compressed, 1 to 100; None for not.
        quantize: Round to 8 bits, as a stored LR image is; otherwise float32, not clipped.
        only_dataset_images: Let photos that come from no data set (those of MMSegmentation's
            inferencers, which are LR already) pass unchanged.
        seed: See :class:`KeyedTransform`.

    Raises:
        ValueError: A parameter or the image is out of range.

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
        cut_border: bool = False,
        noise: tuple[float, float] = (0.0, 0.0),
        jpeg_quality: tuple[int, int] | None = None,
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
        self.cut_border, self.noise = cut_border, tuple(noise)
        self.jpeg_quality = None if jpeg_quality is None else tuple(jpeg_quality)
        self.only_dataset_images = only_dataset_images
        self._check()

    def transform(self, results: dict) -> dict:
        """Degrade ``img``."""
        if self.only_dataset_images and 'sample_idx' not in results:
            return results
        crop_to_multiple(results, self.scale)
        rng = self.generator(results)
        kernel, results['blur_parameters'] = self.draw_kernel(rng)
        results['hr_img'] = results['img']
        results['gt_blur_kernel'] = kernel.astype(np.float32)
        results['img'] = self._degrade(results['img'], results['gt_blur_kernel'])
        if self.cut_border:
            self._cut(results)
        results['img'] = self._record(rng, results['img'])
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
        lr = degrade(planes, kernel, self.scale, self.antialias, self.padding)
        return np.ascontiguousarray(lr.transpose(1, 2, 0))

    def _cut(self, results: dict) -> None:
        """Crop the pixels into which the blur mixed values from beyond the border."""
        margin = -(-(self.kernel_size // 2) // self.scale)
        height, width = results['img'].shape[:2]
        if min(height, width) <= 2 * margin:
            raise ValueError(
                f'{results.get("img_path", "the image")} is {height}x{width} after downsampling, too small '
                f'to cut {margin} pixels at each side; use a larger crop or cut_border=False'
            )
        for key in ('img', 'hr_img', *results.get('seg_fields', [])):
            cut = margin * (1 if key == 'img' else self.scale)
            results[key] = np.ascontiguousarray(results[key][cut:-cut, cut:-cut])

    def _record(self, rng: np.random.Generator, lr: np.ndarray) -> np.ndarray:
        """Add noise, rounding and compression."""
        if self.noise[1] > 0:
            lr = lr + np.float32(rng.uniform(*self.noise)) * rng.standard_normal(lr.shape, dtype=np.float32)
        if self.quantize or self.jpeg_quality is not None:
            lr = np.clip(np.rint(lr), 0, 255).astype(np.uint8)
        if self.jpeg_quality is not None:
            quality = int(rng.integers(self.jpeg_quality[0], self.jpeg_quality[1] + 1))
            content = cv2.imencode('.jpg', lr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            lr = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
        return lr if self.quantize else lr.astype(np.float32)

    def _check(self) -> None:
        check_choice('scale', self.scale, SCALES)
        if self.kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {self.kernel_size}')
        check_choice('padding', self.padding, PADDINGS)
        if set(self.kinds) - set(KINDS) or not sum(self.kinds.values()) > 0:
            raise ValueError(f'kinds must give positive weight to some of {KINDS}, got {self.kinds}')
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f'sigma must be a range of positive numbers, got {self.sigma}')
        if not 0 <= self.noise[0] <= self.noise[1]:
            raise ValueError(f'noise must be a range of standard deviations >= 0, got {self.noise}')
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality[0] <= self.jpeg_quality[1] <= 100:
            raise ValueError(f'jpeg_quality must be a range within 1..100, got {self.jpeg_quality}')

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale={self.scale}, kernel_size={self.kernel_size}, '
            f'sigma={self.sigma}, kinds={self.kinds}, antialias={self.antialias}, '
            f'padding={self.padding!r}, cut_border={self.cut_border}, noise={self.noise}, '
            f'jpeg_quality={self.jpeg_quality}, quantize={self.quantize}, seed={self.seed})'
        )


def crop_to_multiple(results: dict, scale: int) -> None:
    """Cut image and maps to multiples of the scale, keeping the upper left corner.

    Raises:
        ValueError: The image is smaller than one block of ``scale`` pixels.
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
