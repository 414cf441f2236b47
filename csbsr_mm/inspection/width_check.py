"""How wide a model sees cracks whose width is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from csbsr_mm.apis.inferencer import CrackInferencer
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel, degrade

from .measurement import measure_cracks

SIDE = 96
KERNEL_SIZE = 21
ANGLES = (10.0, 35.0, 60.0, 80.0, 125.0, 160.0)


class WidthBias(NamedTuple):
    """Measured minus true width over some rendered cracks; lengths in photo pixels.

    Attributes:
        width: True width.
        blur: Standard deviation of the blur, in pixels of the HR image.
        found: Part of the cracks that was found, over at least half of their length.
        bias: Mean error of the mean width of those that were found; NaN if none was.
        spread: Standard deviation of that error.
    """

    width: float
    blur: float
    found: float
    bias: float
    spread: float


def measure_width_bias(
    inferencer: CrackInferencer,
    widths: Sequence[float] = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    blurs: Sequence[float] = (1.0, 2.5, 4.0),
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Iterator[WidthBias]:
    """Render straight cracks of known width on a rough wall, degrade, predict and measure them.

    Args:
        inferencer: The model.
        widths: True widths in photo pixels.
        blurs: Standard deviations of an isotropic Gaussian blur, in pixels of the enlarged image.
        seed: Of the walls' texture.
        progress: Called with 1 after each photo.

    Yields:
        The bias for each blur and width, over six directions.
    """
    for blur in blurs:
        for width in widths:
            errors = []
            for number, angle in enumerate(ANGLES):
                rng = np.random.default_rng([seed, number])
                photo, place = render_crack(width, angle, blur, inferencer.backend.scale, rng)
                errors.append(_error(inferencer, photo, place, width))
                if progress is not None:
                    progress(1)
            found = [error for error in errors if error is not None]
            bias, spread = (np.mean(found), np.std(found)) if found else (math.nan, math.nan)
            yield WidthBias(width, blur, len(found) / len(errors), float(bias), float(spread))


def render_crack(
    width: float, angle: float, blur: float, scale: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A photo of one straight crack, and the distance of each pixel of its enlargement from the crack.

    Args:
        width: Width of the crack in photo pixels.
        angle: Direction in degrees, counted upwards.
        blur: Standard deviation of the blur in pixels of the enlarged image.
        scale: Enlargement.
        rng: Source of the wall's texture.

    Returns:
        (h, w, 3) RGB, and (s h, s w) distances from the crack's centre line.
    """
    side = scale * SIDE
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    radians = math.radians(angle)
    distance = np.abs(math.sin(radians) * columns + math.cos(radians) * rows)
    crack = np.clip(scale * width / 2 - distance + 0.5, 0, 1)
    stains = ndimage.gaussian_filter(rng.standard_normal((side, side)), 24 * scale / 4)
    wall = 0.55 + 0.04 * stains / stains.std() + 0.03 * rng.standard_normal((side, side))
    image = 255 * ((1 - crack) * wall + crack * 0.15)
    kernel = anisotropic_gaussian_kernel(blur, blur, 0.0, KERNEL_SIZE).astype(np.float32)
    planes = np.repeat(image[None].astype(np.float32), 3, 0)
    photo = degrade(planes, kernel, scale, padding='reflect').transpose(1, 2, 0)
    return np.clip(np.rint(photo), 0, 255).astype(np.uint8), distance


def _error(
    inferencer: CrackInferencer, photo: NDArray[np.uint8], distance: NDArray[np.float64], width: float
) -> float | None:
    """Error of the mean width near the crack, or None if it was not found."""
    scale = inferencer.backend.scale
    result = inferencer(photo)
    near = distance < scale * (width / 2 + 4)
    measures = measure_cracks(result.mask & near, scale=scale)
    result.close()
    if measures.total.length < SIDE / 2:
        return None
    return measures.total.mean_width - width
