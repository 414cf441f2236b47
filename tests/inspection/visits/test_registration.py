"""Registrations against the camera movement that a photo was rendered with."""

import numpy as np
import pytest
from helpers.visits import MOVED, SIZE, line, photo

from csbsr_mm.inspection.visits.registration import Registration, describe, inside, register

SHAPE = (SIZE, SIZE)
CRACK = line((30, 60), (190, 80), 3, 4)


@pytest.fixture(scope='module')
def first():
    return describe(photo([CRACK], light=1), SHAPE)


@pytest.fixture(scope='module')
def truth():
    return Registration(MOVED, 0, 0.0, SHAPE, SHAPE)


def test_known_movement(first, truth):
    found = register(first, describe(photo([CRACK, line((40, 200), (200, 180), 4)], MOVED, light=2), SHAPE))
    points = np.random.default_rng(0).uniform(0, SIZE, (200, 2))
    points = points[inside(truth.to_new(points), SHAPE)]
    error = np.linalg.norm(found.to_new(points) - truth.to_new(points), axis=1)
    assert error.max() < 0.4
    assert found.residual < 1
    assert found.magnification() == pytest.approx(truth.magnification(), rel=0.01)
    assert found.overlap() == pytest.approx(truth.overlap(), abs=0.02)
    assert np.allclose(found.to_old(found.to_new(points)), points)


def test_a_reduced_picture_speaks_of_photo_pixels(truth):
    """The photo is twice as large as the pictures that are compared."""
    large = (2 * SIZE, 2 * SIZE)
    pictures = photo([CRACK], light=1), photo([CRACK], MOVED, light=2)
    found = register(*(describe(picture, large) for picture in pictures))
    points = np.array([[60.0, 60.0], [180.0, 200.0]])
    assert np.allclose(found.to_new(2 * points), 2 * truth.to_new(points), atol=0.8)


def test_other_places_do_not_register(first):
    for wall in (2, 3):
        assert register(first, describe(photo([CRACK], wall=wall, light=2), SHAPE)) is None


def test_a_mirror_image_does_not_register(first):
    mirrored = np.ascontiguousarray(photo([CRACK], light=1)[:, ::-1])
    assert register(first, describe(mirrored, SHAPE)) is None


def test_nothing_to_see(first):
    blank = describe(np.full((60, 80, 3), 128, np.uint8), (60, 80))
    assert register(first, blank) is None
    assert register(blank, first) is None


def test_jacobian_is_the_derivative(truth):
    points = np.random.default_rng(1).uniform(0, SIZE, (20, 2))
    step = 1e-4
    for axis in (0, 1):
        moved = points + step * np.eye(2)[axis]
        slope = (truth.to_new(moved) - truth.to_new(points)) / step
        assert np.allclose(truth.jacobian(points)[:, :, axis], slope, atol=1e-3)


def test_behind_the_camera_is_nowhere():
    tilted = Registration(np.array([[1, 0, 0], [0, 1, 0], [0.02, 0, 1.0]]), 0, 0.0, SHAPE, SHAPE)
    assert np.isnan(tilted.to_new(np.array([[-100.0, 5.0]]))).all()
