"""Where on the earth the pixels of a photo are: by GeoTIFF tags, a world file, or GPS and heading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm._extras import need

WGS_84 = 4326
SEMI_MAJOR, ECCENTRICITY_2 = 6_378_137.0, 0.00669437999014
"""The ellipsoid of WGS 84."""

PIXEL_SCALE, TIE_POINT, TRANSFORMATION, GEO_KEYS = 33550, 33922, 34264, 34735
RASTER_TYPE, GEOGRAPHIC, PROJECTED, USER_DEFINED = 1025, 2048, 3072, 32767
POINT = 2
"""Value of the raster type whose coordinates are those of the middles of pixels."""


@dataclass(frozen=True)
class Georeference:
    """A map from pixels to the world.

    Attributes:
        to_world: From x and y in pixels (N, 2), where (0.5, 0.5) is the middle of the first one, to (N, 2),
            or (N, 3) with the height.
        source: What it is known from.
        epsg: Number of the reference system; None if it is not known.
    """

    to_world: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    source: str
    epsg: int | None = None


def georeference_tiff(path: str | Path) -> Georeference | None:
    """The reference of a GeoTIFF (OGC 19-008r4); None where the file has none.

    A transformation, or one tie point and the size of pixels; in the reference system that the keys name.
    """
    path = Path(path)
    if path.suffix.lower() not in ('.tif', '.tiff') or not path.is_file():
        return None
    need('Reading GeoTIFF', 'tifffile')
    import tifffile

    with suppress(tifffile.TiffFileError, OSError, ValueError), tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        values = {
            name: tags[name].value
            for name in (PIXEL_SCALE, TIE_POINT, TRANSFORMATION, GEO_KEYS)
            if name in tags
        }
        matrix = _affine(values)
        if matrix is None:
            return None
        keys = _keys(values.get(GEO_KEYS, ()))
        shift = 0.5 if keys.get(RASTER_TYPE) == POINT else 0.0
        system = keys.get(PROJECTED) or keys.get(GEOGRAPHIC)
        return Georeference(
            lambda points: (
                np.column_stack([np.asarray(points)[:, :2] - shift, np.ones(len(points))]) @ matrix.T
            ),
            'GeoTIFF',
            None if system in (None, USER_DEFINED) else system,
        )
    return None


def georeference_camera(record: Mapping[str, Any], mm_per_pixel: float | None) -> Georeference | None:
    """Longitude, latitude and, where the photo has it, height of what a camera saw.

    The wall is taken to be at right angles to the direction of view. How far it is follows from the scale and
    the focal length, or is what the photo says; where neither is known, the wall is put at the camera. The
    error is that of the receiver, metres as a rule; distances on the wall are those of the scale.

    Args:
        record: A record of a report: ``latitude``, ``longitude``, ``altitude``, ``camera``, ``height`` and
            ``width``. Without a pitch the camera looks horizontally.
        mm_per_pixel: The photo's scale.

    Returns:
        The reference, in WGS 84; None if place, heading or scale is unknown.
    """
    camera = record.get('camera') or {}
    latitude, longitude = record.get('latitude'), record.get('longitude')
    if None in (latitude, longitude, mm_per_pixel, camera.get('heading')):
        return None
    distance, focal = camera.get('distance') or 0.0, camera.get('focal_pixels')
    if focal:
        distance = mm_per_pixel * focal / 1000
    forward, right, down = view_axes(camera['heading'], camera.get('pitch') or 0.0, camera.get('roll') or 0.0)
    middle = np.array([record['width'], record['height']]) / 2
    per_degree = metres_per_degree(latitude)
    altitude = record.get('altitude')

    def to_world(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = ((np.asarray(points)[:, :2] - middle) * mm_per_pixel / 1000).T[..., None]
        metres = distance * forward + x * right + y * down
        world = (longitude, latitude) + metres[:, :2] / per_degree
        return world if altitude is None else np.column_stack([world, altitude + metres[:, 2]])

    return Georeference(to_world, 'GPS, heading and scale', WGS_84)


def view_axes(heading: float, pitch: float, roll: float) -> tuple[NDArray, NDArray, NDArray]:
    """Where a camera looks, and where the right and the lower side of its photos are.

    Args:
        heading: Degrees clockwise from north.
        pitch: Degrees above the horizon.
        roll: Degrees by which the right side hangs lower.

    Returns:
        Three unit vectors: east, north, up.

    Example:
        >>> [axis.round().tolist() for axis in view_axes(90, 0, 0)]
        [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]
    """
    yaw, tilt, turn = (math.radians(angle) for angle in (heading, pitch, roll))
    forward = np.array([math.sin(yaw) * math.cos(tilt), math.cos(yaw) * math.cos(tilt), math.sin(tilt)])
    level = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
    low = -np.cross(level, forward)
    right = math.cos(turn) * level + math.sin(turn) * low
    return forward + 0.0, right + 0.0, math.cos(turn) * low - math.sin(turn) * level + 0.0


def metres_per_degree(latitude: float) -> NDArray[np.float64]:
    """Metres of a degree of longitude and of latitude on the ellipsoid of WGS 84."""
    sine = math.sin(math.radians(latitude))
    root = 1 - ECCENTRICITY_2 * sine**2
    meridian = SEMI_MAJOR * (1 - ECCENTRICITY_2) / root**1.5
    parallel = SEMI_MAJOR / math.sqrt(root) * math.cos(math.radians(latitude))
    return np.radians([parallel, meridian])


def _affine(tags: Mapping[int, Any]) -> NDArray[np.float64] | None:
    """(2, 3): from pixels to the world."""
    transformation = tags.get(TRANSFORMATION)
    if transformation is not None and len(transformation) == 16:
        return np.array(transformation, np.float64).reshape(4, 4)[:2, [0, 1, 3]]
    scale, tie = tags.get(PIXEL_SCALE), tags.get(TIE_POINT)
    if scale is None or tie is None or len(scale) < 2 or len(tie) != 6:
        return None
    (across, up), (column, row), (x, y) = scale[:2], tie[:2], tie[3:5]
    return np.array([[across, 0, x - across * column], [0, -up, y + up * row]], np.float64)


def _keys(directory: tuple[int, ...]) -> dict[int, int]:
    """The keys whose values stand in the directory itself."""
    entries = [directory[start : start + 4] for start in range(4, len(directory) - 3, 4)]
    return {key: value for key, location, count, value in entries if location == 0 and count == 1}
