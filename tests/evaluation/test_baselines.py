"""Baselines that learn nothing, on pictures where the answer is plain."""

import numpy as np
import pytest

from csbsr_mm.evaluation.baselines import frangi_cracks, otsu_cracks


def wall(width=5):
    """A dark line of a given width on a bright, slightly noisy wall, and its mask."""
    image = np.random.default_rng(0).normal(0.7, 0.01, (80, 96, 3))
    mask = np.zeros((80, 96), bool)
    mask[40 : 40 + width] = True
    image[mask] = 0.2
    return image.clip(0, 1), mask


def test_otsu_finds_the_dark_side():
    image, mask = wall()
    found = otsu_cracks(image, smoothing=0.5)
    assert set(np.unique(found)) == {0, 1}
    assert (found == mask).mean() > 0.98
    brighter = otsu_cracks(0.5 * image + 0.3, smoothing=0.5)
    assert np.array_equal(brighter, found)


def test_frangi_finds_dark_lines_alone():
    image, _ = wall()
    found = frangi_cracks(image)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    assert found[42].mean() > 0.8
    assert found[:30].mean() < 0.05
    assert frangi_cracks(1 - image)[42].mean() < 0.1  # a bright line is no crack


@pytest.mark.parametrize('baseline', [otsu_cracks, frangi_cracks])
def test_nothing_on_an_even_wall(baseline):
    found = baseline(np.full((40, 50, 3), 0.6))
    assert found.shape == (40, 50)
    assert not found.any()
