"""Enlargement without a network, against OpenCV's."""

import cv2
import numpy as np
import pytest
import torch

from csbsr_mm.models.sr import BicubicUpsampler, IdentitySR


@pytest.mark.parametrize('scale', [1, 2, 3, 4])
def test_opencv_agrees(scale: int) -> None:
    image = np.random.default_rng(0).random((9, 11, 3))
    sr, kernel = BicubicUpsampler(scale)(torch.from_numpy(image).permute(2, 0, 1)[None])
    expected = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(sr[0].permute(1, 2, 0).numpy(), expected, atol=1e-5)
    assert kernel is None


def test_attributes_of_sr_networks_without_a_kernel() -> None:
    assert (BicubicUpsampler(4).scale, BicubicUpsampler(4).kernel_size) == (4, None)
    assert (IdentitySR().scale, IdentitySR().kernel_size) == (1, None)


def test_identity_checks_what_it_hands_through() -> None:
    with pytest.raises(TypeError, match=r'got torch.uint8'):
        IdentitySR()(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))


@pytest.mark.parametrize('scale', [0, 2.5])
def test_refused_scale(scale: float) -> None:
    with pytest.raises(ValueError, match=f'positive integer, got {scale}'):
        BicubicUpsampler(scale)
