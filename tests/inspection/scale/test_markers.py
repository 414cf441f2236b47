"""Rendered markers, warped by a known homography, give the scale of the wall."""

import cv2
import numpy as np
import pytest

from csbsr_mm.inspection.scale.markers import MarkerKind, find_markers, marker_scale
from csbsr_mm.photos.camera import CameraFacts
from csbsr_mm.photos.raster import Raster

CARD = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
SIZE, CELL = (900, 1200), 10


def board(numbers, side=60, gap=20):
    """A white board with markers in a row, ``CELL`` pixels per centimetre."""
    picture = np.full((side + 2 * gap, len(numbers) * (side + gap) + gap), 255, np.uint8)
    for index, number in enumerate(numbers):
        left = gap + index * (side + gap)
        picture[gap : gap + side, left : left + side] = cv2.aruco.generateImageMarker(CARD, number, side)
    return picture


def photograph(picture, homography):
    """The board on a grey wall, as an anti-aliased photo: drawn four times as large and reduced."""
    # From pixels' middles of the board to those of the large picture.
    enlarge = np.array([[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1.0]])
    large = cv2.warpPerspective(
        picture, enlarge @ homography, (4 * SIZE[1], 4 * SIZE[0]), flags=cv2.INTER_LINEAR, borderValue=150
    )
    small = cv2.resize(large, SIZE[::-1], interpolation=cv2.INTER_AREA)
    raster = Raster(*SIZE, 3, np.uint8)
    raster.write(raster.box, np.repeat(small[..., None], 3, 2))
    return raster


def seen_from(tilt, focal, distance, board_size):
    """Homography from the board's pixels to the photo's, both counted from the middle of the first."""
    height, width = board_size
    camera = np.array([[focal, 0, SIZE[1] / 2 - 0.5], [0, focal, SIZE[0] / 2 - 0.5], [0, 0, 1]])
    rotation = cv2.Rodrigues(np.radians([5.0, tilt, 8.0]))[0]
    to_middle = np.array([[1, 0, -width / 2 + 0.5], [0, 1, -height / 2 + 0.5], [0, 0, 1]])
    return camera @ np.column_stack([rotation[:, :2], (0, 0, distance)]) @ to_middle


@pytest.mark.parametrize('tilt', [0.0, 30.0, 45.0])
@pytest.mark.parametrize('known', [False, True])
def test_scale_within_one_per_cent(tilt, known):
    """A marker of 60 board pixels is 30 mm: half a millimetre a pixel of the board."""
    picture = board([3, 8, 21])
    homography = seen_from(tilt, 1000.0, 420.0, picture.shape)
    photo = photograph(picture, homography)
    scale = marker_scale(photo, MarkerKind(30), CameraFacts(focal_pixels=1000.0) if known else None)
    to_board = np.linalg.inv(homography)
    for x, y in ((600, 450), (450, 400), (800, 500)):
        for direction in (0, 45, 90):
            step = 0.5 * np.array([np.cos(np.radians(direction)), -np.sin(np.radians(direction))])
            ends = np.array([[np.subtract((x, y), step), np.add((x, y), step)]]) - 0.5
            first, last = cv2.perspectiveTransform(ends, to_board)[0]
            expected = 0.5 * np.linalg.norm(last - first)
            assert scale.at((y, x), direction).along == pytest.approx(expected, rel=0.01)
    assert scale.source.startswith('3 markers of 30 mm, wall seen at')
    assert scale.std < 0.02 * scale.mm_per_pixel


def test_corners(tmp_path):
    picture = board([7])
    homography = seen_from(20.0, 1000.0, 300.0, picture.shape)
    (found,) = find_markers(photograph(picture, homography))[7]
    corners = np.array([[(20, 20), (80, 20), (80, 80), (20, 80)]], np.float64) - 0.5
    expected = cv2.perspectiveTransform(corners, homography)[0] + 0.5
    assert np.abs(found - expected).max() < 0.5


def test_large_photos_are_reduced(monkeypatch):
    picture = board([3, 8, 21])
    photo = photograph(picture, seen_from(0.0, 1000.0, 300.0, picture.shape))
    whole = marker_scale(photo, MarkerKind(30))
    monkeypatch.setattr('csbsr_mm.inspection.scale.markers.MAX_PIXELS', SIZE[0] * SIZE[1] // 4)
    reduced = marker_scale(photo, MarkerKind(30))
    assert reduced.mm_per_pixel == pytest.approx(whole.mm_per_pixel, rel=0.01)
    assert reduced.std > whole.std


def test_size_of_the_marker_counts_into_the_uncertainty():
    picture = board([3, 8, 21])
    photo = photograph(picture, seen_from(0.0, 1000.0, 300.0, picture.shape))
    plain, unsure = marker_scale(photo, MarkerKind(30)), marker_scale(photo, MarkerKind(30, 0.6))
    assert unsure.std**2 == pytest.approx(plain.std**2 + (0.02 * plain.mm_per_pixel) ** 2)


def test_walls_without_markers():
    rng = np.random.default_rng(0)
    raster = Raster(300, 400, 3, np.uint16)
    raster.write(raster.box, rng.integers(0, 65536, (300, 400, 3)).astype(np.uint16))
    assert marker_scale(raster, MarkerKind(30)) is None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(size=0), 'size of a marker must be positive'),
        (dict(size=30, size_std=40), 'larger than its standard deviation'),
        (dict(size=30, dictionary='9X9'), "no set of markers '9X9'; there are .*4X4_50"),
    ],
)
def test_kinds_that_do_not_exist(options, message):
    with pytest.raises(ValueError, match=message):
        MarkerKind(**options)
