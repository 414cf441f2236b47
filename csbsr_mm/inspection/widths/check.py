"""How wide a model sees cracks whose width is known: a table over widths, and what corrects them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from csbsr_mm.apis.inferencer import CrackInferencer
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel, degrade
from csbsr_mm.inspection.measurement.cracks import CrackMeasures, measure_cracks

from .errors import WIDTHS, WidthErrors, fit_curve

SIDE = 96
KERNEL_SIZE = 21
GOLDEN = (math.sqrt(5) - 1) / 2
ANGLES = (10.0, 35.0, 60.0, 80.0, 125.0, 160.0)


LEAST_SHARE = 0.5
"""A crack counts as found if so much of its length was."""


class RenderedCrack(NamedTuple):
    """A rendered crack and what was measured of it; lengths in photo pixels.

    Attributes:
        width: True width.
        length: True length within the photo.
        blur: Standard deviation of the blur, in pixels of the enlarged image.
        measures: What was measured near it; None if it was not found.
    """

    width: float
    length: float
    blur: float
    measures: CrackMeasures | None


def measure_rendered_cracks(
    inferencer: CrackInferencer,
    count: int,
    widths: tuple[float, float] = (0.4, 6.0),
    blurs: tuple[float, float] = (1.0, 4.0),
    seed: int = 0,
) -> Iterator[RenderedCrack]:
    """Render straight cracks, predict and measure them.

    Args:
        inferencer: The model.
        count: Number of photos, with one crack each.
        widths: Range of true widths in photo pixels; their logarithms are spread evenly.
        blurs: Range of the standard deviations of the blur in pixels of the enlarged image, spread evenly.
        seed: Of everything that is random: width, blur, direction and the wall's texture.

    Yields:
        The cracks, one after the other.
    """
    scale = inferencer.backend.scale
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        # Even steps in a shuffled order would do as well; the golden ratio needs no order.
        width = widths[0] * (widths[1] / widths[0]) ** ((0.5 + number * GOLDEN) % 1)
        blur, angle = rng.uniform(*blurs), rng.uniform(0, 180)
        photo, distance = render_crack(width, angle, blur, scale, rng)
        length = SIDE / max(abs(math.sin(math.radians(angle))), abs(math.cos(math.radians(angle))))
        yield RenderedCrack(width, length, blur, _measured(inferencer, photo, distance, width, length))


def width_errors_of(cracks: Sequence[RenderedCrack], **about: object) -> WidthErrors:
    """The table of errors that rendered cracks tell.

    Args:
        cracks: Rendered cracks; those that were not found say nothing.
        **about: What to note about the table beside the number of cracks, and how many were found.

    Raises:
        ValueError: Fewer than 8 were found.
    """
    found = [crack for crack in cracks if crack.measures is not None]
    curves = {}
    for name in WIDTHS:
        pairs = [
            (crack.width, value) for crack in found if (value := getattr(crack.measures, name)) is not None
        ]
        true, measured = np.array(pairs or np.zeros((0, 2))).T
        curves[name] = fit_curve(true, measured)
    lengths = np.array([crack.measures.length for crack in found if crack.measures])
    off = 1 - np.array([crack.length for crack in found]) / lengths
    source = f'measured on {len(found)} rendered cracks of known width'
    about = dict(source=source, cracks=len(cracks), found=len(found), **about)
    return WidthErrors(curves, float(off.mean()), float(off.std(ddof=1)), about)


def coverage(cracks: Sequence[RenderedCrack], folds: int = 5) -> dict[str, float]:
    """Part of the true widths inside their intervals, each from a table without them.

    Args:
        cracks: Rendered cracks.
        folds: Number of parts; each in turn is left out.

    Returns:
        The part for each measure of :data:`.width_errors.WIDTHS`.

    Raises:
        ValueError: Too few were found.
    """
    inside: dict[str, list[bool]] = {name: [] for name in WIDTHS}
    for fold in range(folds):
        errors = width_errors_of([crack for i, crack in enumerate(cracks) if i % folds != fold])
        for crack in cracks[fold::folds]:
            for name in WIDTHS:
                value = None if crack.measures is None else getattr(crack.measures, name)
                estimate = None if value is None else errors.estimate(name, value)
                if estimate is not None:
                    low, high = estimate.interval()
                    inside[name].append(low <= crack.width <= high)
    return {name: float(np.mean(values)) for name, values in inside.items()}


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
    measures = _measured(inferencer, photo, distance, width, SIDE)
    return None if measures is None else measures.mean_width - width


def _measured(
    inferencer: CrackInferencer,
    photo: NDArray[np.uint8],
    distance: NDArray[np.float64],
    width: float,
    length: float,
) -> CrackMeasures | None:
    """Measures of what was found near the crack; None if it is not enough of its length."""
    scale = inferencer.backend.scale
    result = inferencer(photo)
    near = distance < scale * (width / 2 + 4)
    probability = result.read_probability(result.box)
    measures = measure_cracks(
        result.mask & near,
        scale=scale,
        probability=lambda box: probability[box.top : box.bottom, box.left : box.right],
    )
    result.close()
    return None if measures.total.length < LEAST_SHARE * length else measures.total
