"""Measures on a wall that is seen at an angle, against the same cracks drawn on the wall itself."""

import cv2
import numpy as np
import pytest

from csbsr_mm.inspection.measurement.cracks import measure_cracks
from csbsr_mm.inspection.scale.millimetres import in_millimetres, total_in_millimetres
from csbsr_mm.inspection.scale.scales import PhotoScale
from csbsr_mm.inspection.scale.wall_plane import WallPlane

SIZE = (600, 800)
WALL_TO_PHOTO = np.array([[1.2, 0.1, 60], [0.05, 0.9, 40], [0.0006, 0.0001, 1.0]])


def seen(lines):
    """Mask of lines (x, y, x, y, width in mm) on a wall of which the photo's pixels show a projection."""
    mask = np.zeros(SIZE, bool)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    pixels = np.stack([columns.ravel(), rows.ravel()], -1)[None]
    x, y = cv2.perspectiveTransform(pixels, np.linalg.inv(WALL_TO_PHOTO))[0].T.reshape(2, *SIZE)
    for x1, y1, x2, y2, width in lines:
        length = np.hypot(x2 - x1, y2 - y1)
        along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length
        aside = ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / length
        mask |= (along >= 0) & (along <= length) & (np.abs(aside) <= width / 2)
    return mask


@pytest.fixture
def scale():
    to_wall = np.linalg.inv(WALL_TO_PHOTO)
    plane = WallPlane(tuple(map(tuple, to_wall)), SIZE, ((0.01,) * 5,) * 5, 30.0)
    centre = plane.at(300, 400)
    return PhotoScale(centre.along, 0.01 * centre.along, 'marker', plane)


@pytest.mark.parametrize(
    'line', [(50, 80, 350, 80, 12), (500, 60, 500, 330, 12), (90, 300, 330, 110, 12), (420, 80, 620, 330, 14)]
)
def test_one_crack(scale, line):
    """Width and length are those on the wall, wherever and in whatever direction the crack lies."""
    (crack,) = measure_cracks(seen([line])).cracks
    found = in_millimetres(vars(crack), scale)
    length = np.hypot(line[2] - line[0], line[3] - line[1])
    assert found['length'] == pytest.approx(length, rel=0.02)
    assert found['mean_width'] == pytest.approx(line[4], rel=0.04)
    assert found['area'] == pytest.approx(length * line[4], rel=0.05)
    twin = dict(vars(crack), subpixel_mean=crack.mean_width, subpixel_max=crack.max_width)
    twin['subpixel_max_at'] = crack.widest_at
    also = in_millimetres(twin, scale)
    assert (also['subpixel_mean'], also['subpixel_max']) == (found['mean_width'], found['max_width'])
    assert 'subpixel_median' not in also
    one_number = PhotoScale(scale.mm_per_pixel)
    assert abs(in_millimetres(vars(crack), one_number)['mean_width'] / line[4] - 1) > 0.05


def test_all_cracks_together(scale):
    lines = [(50, 80, 350, 80, 12), (500, 60, 500, 330, 12), (90, 300, 330, 190, 8)]
    measures = measure_cracks(seen(lines))
    total = total_in_millimetres(vars(measures.total), [vars(crack) for crack in measures.cracks], scale)
    lengths = [np.hypot(x2 - x1, y2 - y1) for x1, y1, x2, y2, _ in lines]
    area = sum(length * line[4] for length, line in zip(lengths, lines, strict=True))
    assert total['length'] == pytest.approx(sum(lengths), rel=0.02)
    assert total['area'] == pytest.approx(area, rel=0.04)
    assert total['mean_width'] == pytest.approx(area / sum(lengths), rel=0.04)
    assert total['max_width'] == pytest.approx(12, rel=0.1)


def test_one_number_for_the_photo():
    crack = dict(area=30.0, length=10.0, mean_width=3.0, width_95=3.5, max_width=4.0, box=(1, 2, 3, 4))
    assert total_in_millimetres(crack, [crack], PhotoScale(0.5)) == dict(
        area=7.5, length=5, mean_width=1.5, width_95=1.75, max_width=2
    )
