"""ArUco markers in a photo, and the scale that they give."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from csbsr_mm.photos.camera import CameraFacts
from csbsr_mm.photos.raster import Raster

from .plane_fit import CORNER_STD, LEAST_FOCAL_STD, FocalGuess, fit_plane, quad_area
from .scales import PhotoScale

DICTIONARY = '4X4_50'
MAX_PIXELS = 25_000_000
"""Photos with more are reduced to find markers."""

MOST_MARKERS = 12
LEAST_SIDE = 12.0
"""Sides of a marker in pixels below which its corners are no measure."""


@dataclass(frozen=True)
class MarkerKind:
    """Printed squares of known size.

    Attributes:
        size: Side of the black square in millimetres.
        size_std: Its standard deviation.
        dictionary: Name of OpenCV's predefined set, without ``DICT_``.

    Raises:
        ValueError: The size is not positive, or there is no such set.
    """

    size: float
    size_std: float = 0.0
    dictionary: str = DICTIONARY

    def __post_init__(self) -> None:
        if not 0 < self.size < math.inf or not 0 <= self.size_std < self.size:
            raise ValueError(
                f'the size of a marker must be positive and larger than its standard deviation, got '
                f'{self.size} and {self.size_std} mm'
            )
        if self.dictionary not in dictionaries():
            raise ValueError(f'no set of markers {self.dictionary!r}; there are {", ".join(dictionaries())}')


def dictionaries() -> list[str]:
    """Names of the sets of markers that OpenCV knows."""
    return sorted(name.removeprefix('DICT_') for name in dir(cv2.aruco) if name.startswith('DICT_'))


def find_markers(pixels: Raster, dictionary: str = DICTIONARY) -> dict[int, list[NDArray[np.float64]]]:
    """Find markers whose every bit is right.

    A marker's side must be about one hundredth of the photo's, and it needs its white border.

    Args:
        pixels: The photo.
        dictionary: See :class:`MarkerKind`.

    Returns:
        Corners (4, 2) by the marker's number: x, y in pixels, where (0.5, 0.5) is the middle of the first
        one, clockwise from the upper left corner of the upright marker.

    Example:
        >>> card = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        >>> image = np.full((200, 300, 3), 255, np.uint8)
        >>> image[50:110, 100:160] = cv2.aruco.generateImageMarker(card, 7, 60)[..., None]
        >>> raster = Raster(200, 300, 3, np.uint8)
        >>> raster.write(raster.box, image)
        >>> find_markers(raster)[7][0].round().tolist()
        [[100.0, 50.0], [160.0, 50.0], [160.0, 110.0], [100.0, 110.0]]
    """
    grey, factor = _grey(pixels)
    options = cv2.aruco.DetectorParameters()
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    # A wall has many dark squares: no bit may be wrong.
    options.errorCorrectionRate = 0.0
    card = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f'DICT_{dictionary}'))
    corners, numbers, _ = cv2.aruco.ArucoDetector(card, options).detectMarkers(grey)
    found: dict[int, list[NDArray[np.float64]]] = {}
    for number, square in zip([] if numbers is None else numbers.ravel(), corners, strict=True):
        # OpenCV counts from the middle of the first pixel.
        found.setdefault(int(number), []).append((square.reshape(4, 2).astype(np.float64) + 0.5) * factor)
    return found


def marker_scale(pixels: Raster, kind: MarkerKind, camera: CameraFacts | None = None) -> PhotoScale | None:
    """The scale of a photo from the markers in it.

    Args:
        pixels: The photo, upright.
        kind: What was put on the wall.
        camera: What is known about the camera.

    Returns:
        The scale at the photo's centre with the plane of the wall; None without markers.

    Raises:
        PlaneError: The markers contradict each other.
    """
    squares = [square for found in find_markers(pixels, kind.dictionary).values() for square in found]
    squares = [square for square in squares if math.sqrt(quad_area(square)) >= LEAST_SIDE]
    if not squares:
        return None
    squares = sorted(squares, key=quad_area, reverse=True)
    size, factor = (pixels.height, pixels.width), _reduction(pixels)
    focal = None
    if camera is not None and camera.focal_pixels is not None:
        focal = FocalGuess(camera.focal_pixels, max(camera.focal_std or 0, LEAST_FOCAL_STD))
    plane = fit_plane(squares[:MOST_MARKERS], kind.size, size, focal, CORNER_STD * factor)
    centre = plane.at(size[0] / 2, size[1] / 2)
    relative = math.hypot(centre.relative_std or 0.0, kind.size_std / kind.size)
    count = f'{len(squares)} markers' if len(squares) > 1 else 'marker'
    source = f'{count} of {kind.size:g} mm, wall seen at {plane.tilt:.0f}°'
    return PhotoScale(centre.along, relative * centre.along, source, plane)


def _reduction(pixels: Raster) -> int:
    return max(math.ceil(math.sqrt(pixels.height * pixels.width / MAX_PIXELS)), 1)


def _grey(pixels: Raster) -> tuple[NDArray[np.uint8], int]:
    """Grey picture of 8 bits, and how many pixels of the photo, a side, one of it stands for."""
    factor = _reduction(pixels)
    shape = (pixels.height // factor, pixels.width // factor)
    picture = np.zeros(shape, np.uint8)
    side = factor * 1024
    for box in pixels.blocks(side):
        values = pixels.read(box)
        values = (values >> 8).astype(np.uint8) if values.dtype == np.uint16 else values
        grey = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)
        rows, columns = (length // factor for length in grey.shape)
        if rows and columns:
            grey = cv2.resize(
                grey[: rows * factor, : columns * factor], (columns, rows), interpolation=cv2.INTER_AREA
            )
            place = (slice(box.top // factor, None), slice(box.left // factor, None))
            picture[place][:rows, :columns] = grey
    return picture, factor
