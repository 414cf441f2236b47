"""PSNR and SSIM against golden figures, scikit-image and sums written out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from csbsr_mm.functional.image_quality import psnr, ssim

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'blind_sr.npz')
rng = np.random.default_rng(0)


def test_equal_golden():
    image, hr = GOLDEN['quality_image'], GOLDEN['hr']
    assert np.abs(psnr(image, hr) - GOLDEN['psnr_of_quality_image']).max() < 1e-5
    assert np.abs(ssim(image, hr) - GOLDEN['ssim_of_quality_image']).max() < 1e-6
    kernels = psnr(GOLDEN['kernel_pred'], GOLDEN['kernel_gt'])
    assert np.abs(kernels - GOLDEN['kernel_psnr']).max() < 1e-5


def test_psnr_equals_scikit_image():
    image, reference = rng.random((2, 3, 20, 31))
    expected = peak_signal_noise_ratio(reference, image, data_range=1.0)
    assert psnr(image, reference) == pytest.approx(expected, 1e-9)
    assert psnr(255 * image, 255 * reference, peak=255) == pytest.approx(expected, 1e-9)
    assert psnr(image, image) == np.inf


def test_ssim_equals_written_out_windows():
    image, reference = rng.random((2, 1, 9, 13))
    offset = np.arange(-5, 6)
    window = np.exp(-(offset[:, None] ** 2 + offset[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = (np.pad(plane[0], 5) for plane in (image, reference))
    values = []
    for i in range(9):
        for j in range(13):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mu_a, mu_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * a * a).sum() - mu_a**2, (window * b * b).sum() - mu_b**2
            cov = (window * a * b).sum() - mu_a * mu_b
            values.append(
                (2 * mu_a * mu_b + 1e-4)
                * (2 * cov + 9e-4)
                / ((mu_a**2 + mu_b**2 + 1e-4) * (var_a + var_b + 9e-4))
            )
    assert ssim(image, reference) == pytest.approx(np.mean(values), 1e-9)


def test_forms_and_precision():
    image, reference = torch.rand(2, 4, 3, 16, 16)
    values = ssim(image, reference)
    assert values.shape == (4,)
    assert values[2] == pytest.approx(float(ssim(image[2], reference[2])), 1e-5)
    assert isinstance(psnr(image[0], reference[0]), torch.Tensor)
    assert psnr(image.half(), reference.half()).dtype == torch.float32
    assert ssim(image, image).allclose(torch.ones(4))


def test_clear_error():
    with pytest.raises(ValueError, match=r'\(3, 8, 8\) and \(3, 8, 9\)'):
        psnr(np.zeros((3, 8, 8)), np.zeros((3, 8, 9)))
