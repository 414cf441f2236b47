"""Planes fitted to the corners of squares that a known camera saw."""

import cv2
import numpy as np
import pytest

from csbsr_mm.inspection.scale.plane_fit import FocalGuess, PlaneError, fit_plane
from csbsr_mm.inspection.scale.wall_plane import plane_jacobian

SIZE, FOCAL, SIDE = (1200, 1600), 1300.0, 100.0
PLACES = np.array([(300, 250), (1300, 900), (800, 600), (1500, 100)])


def wall_to_photo(tilt, distance=1200.0, turn=25.0):
    """Homography of a camera whose axis goes through the wall's origin."""
    focal = np.array([[FOCAL, 0, SIZE[1] / 2], [0, FOCAL, SIZE[0] / 2], [0, 0, 1]])
    around, aside = (cv2.Rodrigues(np.radians(axis))[0] for axis in ((0.0, 0.0, turn), (0.0, tilt, 0.0)))
    rotation = around @ aside
    return focal @ np.column_stack([rotation[:, :2], (0, 0, distance)])


def squares(homography, centres, side=SIDE, noise=0.0, rng=None):
    found = []
    for number, centre in enumerate(centres):
        angle = 0.7 * number
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2 @ turn + centre
        seen = cv2.perspectiveTransform(corners[None], homography)[0]
        found.append(seen if rng is None else seen + rng.normal(0, noise, (4, 2)))
    return found


def true_scale(homography, x, y, direction=None):
    """Millimetres of a step of one pixel, from the map itself."""
    to_wall = np.linalg.inv(homography)
    if direction is None:
        return np.sqrt(abs(np.linalg.det(plane_jacobian(to_wall, x, y))))
    step = 0.5 * np.array([np.cos(np.radians(direction)), -np.sin(np.radians(direction))])
    ends = cv2.perspectiveTransform(np.array([[np.subtract((x, y), step), np.add((x, y), step)]]), to_wall)[0]
    return np.linalg.norm(ends[1] - ends[0])


@pytest.mark.parametrize('tilt', [0.0, 30.0, 50.0])
def test_scale_at_each_place_in_each_direction(tilt):
    homography = wall_to_photo(tilt)
    plane = fit_plane(squares(homography, [(-300, -200), (250, 200), (300, -150)]), SIDE, SIZE)
    assert plane.tilt == pytest.approx(tilt, abs=0.5)
    for x, y in PLACES:
        for direction in (None, 0, 30, 90, 135):
            expected = true_scale(homography, x, y, direction)
            assert plane.at(y, x, direction).along == pytest.approx(expected, rel=2e-3)
        local = plane.at(y, x, 30)
        assert local.along * local.across == pytest.approx(true_scale(homography, x, y) ** 2, rel=4e-3)
    low, high = plane.extremes()
    assert low <= min(true_scale(homography, x, y) for x, y in PLACES) * 1.01
    assert high >= max(true_scale(homography, x, y) for x, y in PLACES) * 0.99


@pytest.mark.parametrize(('tilt', 'centres'), [(20.0, [(150, 100)]), (35.0, [(-250, -150), (250, 150)])])
def test_standard_deviation_is_that_of_the_errors(tilt, centres):
    """Twelve times the same wall with noisy corners: errors are as large as they are said to be."""
    rng, ratios = np.random.default_rng(0), []
    homography = wall_to_photo(tilt)
    for _ in range(12):
        plane = fit_plane(
            squares(homography, centres, noise=0.3, rng=rng), SIDE, SIZE, FocalGuess(FOCAL, 0.02)
        )
        for x, y in PLACES[:2]:
            local = plane.at(y, x)
            ratios.append((local.along / true_scale(homography, x, y) - 1) / local.relative_std)
    assert 0.5 < np.sqrt(np.mean(np.square(ratios))) < 1.6


def test_one_square_says_little_far_away():
    homography = wall_to_photo(0)
    plane = fit_plane(squares(homography, [(-350, -250)], side=60), 60, SIZE)
    x, y = cv2.perspectiveTransform(np.array([[(-350.0, -250.0)]]), homography)[0, 0]
    near, far = plane.at(y, x), plane.at(1150, 1550)
    assert near.along == pytest.approx(true_scale(homography, x, y), rel=0.01)
    assert near.relative_std < 0.02
    assert far.relative_std > 4 * near.relative_std


def test_squares_that_are_not_in_one_plane_are_refused():
    there, elsewhere = wall_to_photo(0), wall_to_photo(50)
    mixed = [*squares(there, [(-300, -200), (300, 200)]), *squares(elsewhere, [(300, -150)])]
    with pytest.raises(PlaneError, match='the 3 markers do not lie in one plane or differ in size'):
        fit_plane(mixed, SIDE, SIZE)
    sizes = [*squares(there, [(-300, -200)]), *squares(there, [(300, 200)], side=2 * SIDE)]
    with pytest.raises(PlaneError, match='differ in size'):
        fit_plane(sizes, SIDE, SIZE)


def test_a_horizon_in_the_photo_is_refused():
    homography = wall_to_photo(80, turn=0)
    with pytest.raises(PlaneError, match='horizon'):
        fit_plane(squares(homography, [(0, -100), (0, 100), (150, 0)]), SIDE, SIZE)
