"""Shapes of blur kernels, against the parameters that they were made from and against SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel, motion_kernel
from csbsr_mm.functional.kernel_shape import best_constant, compare_shapes, kernel_psnr, kernel_shape


def turn_between(first, second):
    difference = abs(first - second) % math.pi
    return min(difference, math.pi - difference)


@settings(max_examples=60, deadline=None)
@given(long=st.floats(1.2, 5.0), ratio=st.floats(1.2, 4.0), theta=st.floats(0.0, math.pi))
def test_gaussian_has_the_shape_that_it_was_made_with(long, ratio, theta):
    short = max(long / ratio, 0.6)
    shape = kernel_shape(anisotropic_gaussian_kernel(long, short, theta, 61))
    assert shape.size == pytest.approx(math.sqrt((long**2 + short**2) / 2), rel=0.01)
    assert shape.elongation == pytest.approx(long / short, rel=0.02)
    if long > 1.05 * short:
        assert turn_between(float(shape.angle), theta) < 0.02


@pytest.mark.parametrize('angle', [0.0, 0.4, 1.3, math.pi / 2, 2.8])
def test_motion_is_a_line(angle):
    shape = kernel_shape(motion_kernel(16.0, angle, 21))
    assert shape.elongation > 8
    assert turn_between(float(shape.angle), angle) < 0.02


def test_moments_are_numpys():
    kernel = np.random.default_rng(0).random((9, 11))
    rows, columns = np.indices(kernel.shape)
    covariance = np.cov(np.stack([columns.ravel(), -rows.ravel()]), aweights=kernel.ravel(), bias=True)
    values, vectors = np.linalg.eigh(covariance)
    shape = kernel_shape(kernel)
    assert shape.size == pytest.approx(math.sqrt(values.mean()))
    assert shape.elongation == pytest.approx(math.sqrt(values[1] / values[0]))
    assert turn_between(float(shape.angle), math.atan2(vectors[1, 1], vectors[0, 1])) < 1e-9


def test_place_scale_and_batch_do_not_matter():
    kernel = anisotropic_gaussian_kernel(3.0, 1.0, 0.5, 21)
    margins = (((0, 5), (0, 5)), ((3, 2), (1, 4)))
    batch = np.stack([factor * np.pad(kernel, m) for factor, m in zip((1, 7), margins, strict=True)])
    for field in kernel_shape(batch[None]):
        assert field.shape == (1, 2)
        assert field[0, 1] == pytest.approx(field[0, 0])


def test_kernels_without_extent_or_weight():
    spot = np.zeros((5, 5))
    spot[1, 3] = 2
    assert tuple(map(float, kernel_shape(spot))) == (0.0, 1.0, 0.0)
    assert kernel_shape(-np.ones((3, 3))).size == math.inf
    assert kernel_shape(spot - 1).size == 0


def test_agreement():
    rng = np.random.default_rng(0)
    true = kernel_shape(
        anisotropic_gaussian_kernel(rng.uniform(2, 4, 50), rng.uniform(0.5, 1.2, 50), rng.uniform(0, 3, 50))
    )
    assert tuple(compare_shapes(true, true)) == pytest.approx((1, 0, 0))
    mean = true._replace(size=np.full(50, true.size.mean()), angle=true.angle + math.pi / 2)
    agreement = compare_shapes(mean, true)
    assert agreement.size_r2 == pytest.approx(0)
    assert agreement.size_error == pytest.approx(np.abs(true.size - true.size.mean()).mean())
    assert agreement.angle_error == pytest.approx(90)
    around = true._replace(angle=true.angle + math.pi - 0.1)
    assert compare_shapes(around, true).angle_error == pytest.approx(math.degrees(0.1))


def test_agreement_that_is_not_defined():
    round_ones = kernel_shape(np.stack([anisotropic_gaussian_kernel(2.0, 2.0, 0.0)] * 2))
    agreement = compare_shapes(round_ones, round_ones)
    assert math.isnan(agreement.size_r2)
    assert math.isnan(agreement.angle_error)


def test_random_directions_are_45_degrees_off():
    rng = np.random.default_rng(1)
    true = kernel_shape(anisotropic_gaussian_kernel(np.full(4000, 3.0), 1.0, 0.3))
    random = true._replace(angle=rng.uniform(0, math.pi, 4000))
    assert compare_shapes(random, true).angle_error == pytest.approx(45, abs=1)


def test_best_constant_is_scipys():
    rng = np.random.default_rng(2)
    true = anisotropic_gaussian_kernel(*rng.uniform(0.2, 4.0, (2, 40)), rng.uniform(0, 3, 40))

    def loss(sigma):
        error = ((true - anisotropic_gaussian_kernel(sigma, sigma, 0.0)) ** 2).mean((1, 2))
        return 10 * np.log10(error).mean()

    found = minimize_scalar(loss, bounds=(1.0, 5.0), method='bounded')
    sigma, score = best_constant(true)
    assert sigma == pytest.approx(found.x, abs=0.05)
    assert score == pytest.approx(-found.fun, abs=0.01)
    assert score > kernel_psnr(true.mean(0), true).mean()
