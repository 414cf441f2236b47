"""Pixels on the earth: tags that tifffile writes, and cameras whose views are known."""

import numpy as np
import pytest
import tifffile

from csbsr_mm.inspection.places.georeference import (
    GEO_KEYS,
    PIXEL_SCALE,
    TIE_POINT,
    TRANSFORMATION,
    georeference_camera,
    georeference_tiff,
)

KEYS = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32654)


def write(path, *tags):
    names = {PIXEL_SCALE: 'd', TIE_POINT: 'd', TRANSFORMATION: 'd', GEO_KEYS: 'H'}
    extra = [(tag, names[tag], len(values), values, True) for tag, values in tags]
    tifffile.imwrite(path, np.zeros((20, 30, 3), np.uint8), photometric='rgb', extratags=extra)
    return path


@pytest.mark.parametrize(('raster_type', 'shift'), [(1, 0.0), (2, 0.5)])
def test_geotiff_of_pixel_size_and_tie_point(tmp_path, raster_type, shift):
    keys = list(KEYS)
    keys[11] = raster_type
    tags = [(PIXEL_SCALE, (0.01, 0.02, 0.0)), (TIE_POINT, (10.0, 5.0, 0.0, 5e5, 4e6, 0.0)), (GEO_KEYS, keys)]
    found = georeference_tiff(write(tmp_path / 'a.tif', *tags))
    assert (found.epsg, found.source) == (32654, 'GeoTIFF')
    points = np.array([[10.0, 5.0], [20.0, 15.0]]) + shift
    assert np.allclose(found.to_world(points), [[5e5, 4e6], [5e5 + 0.1, 4e6 - 0.2]], atol=1e-6, rtol=0)


def test_geotiff_of_a_transformation(tmp_path):
    """Turned by 90 degrees: columns go north, rows east."""
    matrix = (0, 0.1, 0, 700, 0.1, 0, 0, 900, 0, 0, 0, 0, 0, 0, 0, 1.0)
    keys = (1, 1, 0, 1, 2048, 0, 1, 4326)
    found = georeference_tiff(write(tmp_path / 'a.tif', (TRANSFORMATION, matrix), (GEO_KEYS, keys)))
    assert found.epsg == 4326
    assert np.allclose(found.to_world(np.array([[10.0, 0.0], [0.0, 10.0]])), [[700, 901], [701, 900]])


def test_tiffs_that_say_nothing(tmp_path):
    assert georeference_tiff(write(tmp_path / 'a.tif')) is None
    assert georeference_tiff(tmp_path / 'missing.tif') is None
    (tmp_path / 'broken.tif').write_text('no TIFF')
    assert georeference_tiff(tmp_path / 'broken.tif') is None
    user_defined = (1, 1, 0, 1, 3072, 0, 1, 32767)
    tags = [(PIXEL_SCALE, (1.0, 1.0, 0.0)), (TIE_POINT, (0.0,) * 6), (GEO_KEYS, user_defined)]
    assert georeference_tiff(write(tmp_path / 'b.tif', *tags)).epsg is None


def record(**camera):
    facts = dict(heading=0.0, pitch=0.0, roll=0.0, distance=None, focal_pixels=None) | camera
    return dict(latitude=35.0, longitude=139.0, altitude=50.0, width=4000, height=3000, camera=facts)


def earth_centred(longitude, latitude, height):
    """Cartesian coordinates on the ellipsoid of WGS 84, by its axes."""
    major, flattening = 6_378_137.0, 1 / 298.257223563
    minor = major * (1 - flattening)
    turn, tilt = np.radians(longitude), np.radians(latitude)
    across = major**2 / np.sqrt((major * np.cos(tilt)) ** 2 + (minor * np.sin(tilt)) ** 2)
    up = (minor / major) ** 2 * across + height
    around = (across + height) * np.cos(tilt)
    return np.stack([around * np.cos(turn), around * np.sin(turn), up * np.sin(tilt)], -1)


def in_metres(found, points):
    """East, north and up of the camera."""
    offsets = earth_centred(*found.to_world(np.array(points, float)).T) - earth_centred(139.0, 35.0, 50.0)
    turn, tilt = np.radians([139.0, 35.0])
    east = (-np.sin(turn), np.cos(turn), 0)
    up = (np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt))
    return offsets @ np.stack([east, np.cross(up, east), up], -1)


@pytest.mark.parametrize(
    ('camera', 'expected'),
    [
        # The wall to the north, 8 m away: right is east.
        (dict(heading=0.0, focal_pixels=4000.0), [(0, 8, 0), (4, 8, 0), (0, 8, -3)]),
        # To the west: right is north.
        (dict(heading=270.0, distance=5.0), [(-5, 0, 0), (-5, 4, 0), (-5, 0, -3)]),
        # Straight down with the upper side to the east: right is south, down is west.
        (dict(heading=90.0, pitch=-90.0, distance=10.0), [(0, 0, -10), (0, -4, -10), (-3, 0, -10)]),
        # Turned by 90 degrees clockwise: the photo's right side is below, its lower side west.
        (dict(heading=0.0, roll=90.0), [(0, 0, 0), (0, 0, -4), (-3, 0, 0)]),
    ],
)
def test_what_a_camera_saw(camera, expected):
    """2 mm per pixel: the middle, the middle of the right side, the middle of the lower side."""
    found = georeference_camera(record(**camera), 2.0)
    assert found.epsg == 4326
    points = [(2000, 1500), (4000, 1500), (2000, 3000)]
    assert np.allclose(in_metres(found, points), expected, atol=2e-3)


def test_what_must_be_known():
    assert georeference_camera(record(), None) is None
    assert georeference_camera(record(heading=None), 1.0) is None
    assert georeference_camera({**record(), 'latitude': None}, 1.0) is None
    flat = georeference_camera({**record(), 'altitude': None}, 1.0)
    assert flat.to_world(np.array([[0.0, 0.0]])).shape == (1, 2)
