"""Degradation (Eq. 1) against golden figures, OpenCV, brute force and finite differences."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.functional.degradation import (
    SCALES,
    anisotropic_gaussian_kernel,
    compose_kernels,
    defocus_kernel,
    degrade,
    downsample,
    motion_kernel,
)

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'blind_sr.npz')
rng = np.random.default_rng(0)


def blur_by_loops(image, kernel, padding):
    """Eq. 1's blur as sums written out: out[y, x] = Σ kernel[i, j] · image[y+i-r, x+j-r]."""
    r = len(kernel) // 2
    padded = np.pad(image, r, mode={'zeros': 'constant', 'reflect': 'reflect'}[padding])
    height, width = image.shape
    out = np.zeros_like(image)
    for i in range(len(kernel)):
        for j in range(len(kernel)):
            out += kernel[i, j] * padded[i : i + height, j : j + width]
    return out


def cubic(x, a=-0.75):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def bicubic_by_loops(image, scale):
    """Plain bicubic downsampling, one axis after the other, edge pixels repeated."""
    for _ in range(2):
        out = np.zeros((image.shape[0] // scale, image.shape[1]))
        for i in range(len(out)):
            centre = (i + 0.5) * scale - 0.5
            for p in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
                out[i] += cubic(centre - p) * image[min(max(p, 0), len(image) - 1)]
        image = out.T
    return image


def test_kernels_equal_golden():
    params = GOLDEN['kernel_params_sigmax_sigmay_theta']
    batch = anisotropic_gaussian_kernel(*params.T)
    assert np.abs(batch - GOLDEN['kernels']).max() < 1e-15
    for (sigma_x, sigma_y, theta), expected in zip(params, GOLDEN['kernels'], strict=True):
        kernel = anisotropic_gaussian_kernel(sigma_x, sigma_y, theta)
        assert isinstance(kernel, np.ndarray)
        assert np.abs(kernel - expected).max() < 1e-15
    as_tensor = anisotropic_gaussian_kernel(*torch.from_numpy(params).float().T)
    assert as_tensor.dtype == torch.float32
    assert np.abs(as_tensor.numpy() - GOLDEN['kernels']).max() < 1e-6


@pytest.mark.parametrize('antialias', [False, True])
def test_degradation_equals_golden(antialias):
    kernels = GOLDEN['kernels']
    hr = np.broadcast_to(GOLDEN['degrade_hr'], (4, 3, 64, 96)).copy()
    batch = degrade(hr, kernels, 4, antialias=antialias)
    for i, kernel in enumerate(kernels):
        expected = GOLDEN[f'degrade_lr_kernel{i}_antialias{int(antialias)}']
        single = degrade(GOLDEN['degrade_hr'], kernel, 4, antialias=antialias)
        assert np.abs(single - expected).max() < 1e-12
        assert np.abs(batch[i] - expected).max() < 1e-12
    sr, kernel = torch.from_numpy(GOLDEN['sr']), torch.from_numpy(GOLDEN['kernel_pred'])
    pseudo_lr = degrade(sr, kernel, 4, antialias=antialias)
    assert np.abs(pseudo_lr.numpy() - GOLDEN[f'pseudo_lr_antialias{int(antialias)}']).max() < 1e-12
    low = degrade(sr.float(), kernel.float(), 4, antialias=antialias)
    assert np.abs(low.numpy() - GOLDEN[f'pseudo_lr_antialias{int(antialias)}']).max() < 1e-6


@pytest.mark.parametrize('padding', ['zeros', 'reflect'])
@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('size', [1, 3, 9])
def test_degradation_equals_written_out_sums(scale, size, padding):
    image = rng.normal(size=(3, 32, 48)) * 100
    kernel = rng.random((size, size))
    expected = [blur_by_loops(plane, kernel, padding) for plane in image]
    if scale > 1:
        expected = [bicubic_by_loops(plane, scale) for plane in expected]
    lr = degrade(image, kernel, scale, padding=padding)
    assert lr.shape == (3, 32 // scale, 48 // scale)
    assert np.abs(lr - expected).max() < 1e-11 * np.abs(expected).max()


@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('size', [(32, 40), (72, 104), (40, 24)])
def test_one_image_and_a_batch_agree(size, scale):
    """A single image is computed in blocks of 4x4 LR pixels, also where these do not cover it evenly."""
    images = rng.integers(0, 256, (2, 3, *size)).astype(np.float32)
    kernels = anisotropic_gaussian_kernel([3.5, 0.3], [0.8, 0.3], [1.0, 0.0])
    batch = degrade(images, kernels, scale)
    exact = degrade(images.astype(np.float64), kernels.astype(np.float32).astype(np.float64), scale)
    for i in range(2):
        single = degrade(images[i], kernels[i], scale)
        assert single.shape == batch[i].shape
        assert np.abs(single - exact[i]).max() < 255 * 2e-6
        assert np.abs(single - batch[i]).max() < 255 * 2e-6


@pytest.mark.parametrize('padding', ['zeros', 'reflect'])
def test_degradation_equals_opencv(padding):
    image = rng.integers(0, 256, (60, 84, 3)).astype(np.float32)
    kernel = anisotropic_gaussian_kernel(3.1, 0.7, 0.6).astype(np.float32)
    border = {'zeros': cv2.BORDER_CONSTANT, 'reflect': cv2.BORDER_REFLECT_101}[padding]
    blurred = cv2.filter2D(image, -1, kernel, borderType=border)
    expected = cv2.resize(blurred, (21, 15), interpolation=cv2.INTER_CUBIC)
    lr = degrade(image.transpose(2, 0, 1), kernel, 4, padding=padding)
    assert np.abs(lr.transpose(1, 2, 0) - expected).max() < 255 * 1e-5


def test_antialiased_downsampling_equals_pillow_like_filter():
    """The wide filter: a = -0.5 stretched by the scale, normalised inside the image."""
    line = rng.normal(size=32)
    expected = np.empty(8)
    for i in range(8):
        weights = np.array([cubic((p - (i * 4 + 1.5)) / 4, a=-0.5) for p in range(32)])
        expected[i] = weights @ line / weights.sum()
    image = np.tile(line, (1, 32, 1))
    assert np.abs(downsample(image, 4, antialias=True)[0] - expected).max() < 1e-12


@given(sigma_x=st.floats(0.2, 4), sigma_y=st.floats(0.2, 4), theta=st.floats(0, 3.14), size=st.just(21))
@settings(max_examples=40, deadline=None)
def test_gaussian_kernel_properties(sigma_x, sigma_y, theta, size):
    kernel = anisotropic_gaussian_kernel(sigma_x, sigma_y, theta, size)
    assert abs(kernel.sum() - 1) < 1e-12
    assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-15)
    turned = anisotropic_gaussian_kernel(sigma_x, sigma_y, theta + np.pi / 2, size)
    assert np.allclose(turned, np.rot90(kernel), atol=1e-12)
    swapped = anisotropic_gaussian_kernel(sigma_y, sigma_x, theta + np.pi / 2, size)
    assert np.allclose(swapped, kernel, atol=1e-12)


def test_gaussian_moments():
    """Covariance of a kernel that fits its window is R diag(σ²) Rᵀ; positive θ turns upwards."""
    kernel = anisotropic_gaussian_kernel(3.0, 1.5, 0.5, size=41)
    y, x = np.mgrid[-20:21, -20:21]
    covariance_xy = (kernel * x * y).sum()
    assert (kernel * x * x).sum() == pytest.approx(9 * np.cos(0.5) ** 2 + 2.25 * np.sin(0.5) ** 2, 1e-6)
    assert covariance_xy == pytest.approx(-(9 - 2.25) * np.sin(0.5) * np.cos(0.5), 1e-6)


def test_motion_kernel_equals_fine_sampling():
    for length, angle in [(0.0, 0.3), (7.3, 0.0), (13.0, 1.0), (20.0, 2.4)]:
        t = np.linspace(-length / 2, length / 2, 200_001)
        column, row = 10 + t * np.cos(angle), 10 - t * np.sin(angle)
        expected = np.zeros((23, 23))
        j, i = np.floor(column).astype(int), np.floor(row).astype(int)
        fj, fi = column - j, row - i
        for di, wi in ((0, 1 - fi), (1, fi)):
            for dj, wj in ((0, 1 - fj), (1, fj)):
                np.add.at(expected, (i + di, j + dj), wi * wj)
        expected = expected[:21, :21] / expected.sum()
        kernel = motion_kernel(length, angle)
        assert abs(kernel.sum() - 1) < 1e-12
        assert np.abs(kernel - expected).max() < 2e-4
    assert np.allclose(motion_kernel([4.0, 9.0], [0.1, 0.2])[1], motion_kernel(9.0, 0.2))


def test_defocus_kernel_close_to_area_coverage():
    fine = (np.arange(21 * 50) + 0.5) / 50 - 10.5
    distance = np.hypot(*np.meshgrid(fine, fine))
    for radius in (1.0, 2.5, 6.2, 10.0):
        coverage = (distance <= radius).reshape(21, 50, 21, 50).mean((1, 3))
        kernel = defocus_kernel(radius)
        assert abs(kernel.sum() - 1) < 1e-12
        assert np.abs(kernel - coverage / coverage.sum()).max() < 0.12 / (np.pi * radius**2)
    assert defocus_kernel(0.0)[10, 10] == 1


def test_composed_kernels_blur_one_after_the_other():
    first, second = motion_kernel(4.0, 0.4, size=13), anisotropic_gaussian_kernel(0.7, 0.4, 1, 7)
    both = compose_kernels(first, second)
    image = rng.random((1, 64, 64))
    stepwise = degrade(degrade(image, first, 1), second, 1)
    # A correlation by both is a correlation by their convolution; away from the border only.
    assert np.abs(stepwise - degrade(image, both, 1))[:, 16:-16, 16:-16].max() < 1e-6
    batch = compose_kernels(np.stack([first, first]), np.stack([second, second]))
    assert np.allclose(batch, both)


@pytest.mark.parametrize('images', [1, 2])
@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize(('scale', 'padding'), [(4, 'zeros'), (8, 'reflect'), (2, 'reflect')])
def test_gradients(scale, padding, antialias, images):
    hr = torch.rand(images, 2, 8, 16, dtype=torch.float64, requires_grad=True)
    kernel = torch.rand(images, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *a: degrade(*a, scale, antialias, padding), (hr, kernel))
    parameters = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, 1.1, 0.4)]
    assert torch.autograd.gradcheck(lambda *p: anisotropic_gaussian_kernel(*p, size=7), parameters, atol=1e-6)


def test_precision_follows_the_image():
    kernel = anisotropic_gaussian_kernel(2.0, 1.0, 0.0)
    assert degrade(np.zeros((3, 8, 8), np.uint8), kernel).dtype == np.float32
    assert degrade(np.zeros((3, 8, 8), np.float32), kernel).dtype == np.float32
    assert degrade(torch.zeros(3, 8, 8, dtype=torch.float64), kernel).dtype == torch.float64
    image = torch.rand(1, 3, 16, 16)
    expected = degrade(image, kernel)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(degrade(image, kernel), expected)


def test_linear_not_clipped():
    kernel = np.zeros((3, 3))
    kernel[1, 1] = 1
    image = rng.normal(size=(1, 16, 16)) * 1000
    assert np.allclose(degrade(3 * image + 0, kernel), 3 * degrade(image, kernel))
    assert degrade(image, kernel).min() < -100


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: degrade(np.zeros((3, 9, 9)), np.ones((3, 3)), 3), r'one of 1, 2, 4, 8, got 3'),
        (lambda: degrade(np.zeros((3, 9, 8)), np.ones((3, 3))), 'multiples of the scale 4.*9x8'),
        (lambda: degrade(np.zeros((3, 8, 8)), np.ones((4, 4))), 'must be odd, got 4'),
        (lambda: degrade(np.zeros((3, 8, 8)), np.ones((3, 3)), padding='wrap'), "got 'wrap'"),
        (lambda: degrade(np.zeros((3, 8, 8)), np.ones((21, 21)), padding='reflect'), '8x8; use'),
        (lambda: degrade(np.zeros((3, 3, 8, 8)), np.ones((2, 5, 5))), r'\(3, 3, 8, 8\) and'),
        (lambda: degrade(np.zeros((8, 8)), np.ones((5, 5))), r'expected an image'),
        (lambda: anisotropic_gaussian_kernel(0.0, 1.0, 0.0), 'must be positive, got sigma_x'),
        (lambda: anisotropic_gaussian_kernel(1.0, 1.0, 0.0, size=20), 'must be odd, got 20'),
        (lambda: motion_kernel(30.0, 0.0), r'within \[0, 20\] pixels'),
        (lambda: defocus_kernel(11.0), r'within \[0, 10\] pixels'),
    ],
)
def test_clear_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(('size', 'other'), [(5, 5), (7, 3), (3, 7)])
def test_composition_is_a_convolution(size, other):
    """Against SciPy, with kernels without any symmetry: a correlation would turn the second one round."""
    generator = np.random.default_rng(0)
    first, second = generator.random((size, size)), generator.random((other, other))
    full = scipy.signal.convolve2d(first, second, 'same')
    expected = full / full.sum()
    np.testing.assert_allclose(compose_kernels(first, second), expected, rtol=1e-12)
    assert not np.allclose(compose_kernels(first, second[::-1, ::-1].copy()), compose_kernels(first, second))
