"""Widths between pixels, on drawings that hold the exact part of each pixel that is crack."""

import math

import numpy as np
import pytest
from scipy import ndimage

from csbsr_mm.inspection.measurement.cracks import measure_cracks
from csbsr_mm.inspection.measurement.exact_cracks import SHAPES, curved, straight
from csbsr_mm.inspection.measurement.profiles import profile_widths

SIDE = 96


def measured(drawing, width):
    """A pixel counts as crack from a third of what a thin crack fills of it."""
    return measure_cracks(drawing > min(0.5, width / 3), min_area=0, probability=reader(drawing)).total


def reader(drawing):
    return lambda box: drawing[box.top : box.bottom, box.left : box.right].astype(np.float32)


@pytest.mark.parametrize('degrees', [0, 33, 45, 80, 150])
def test_drawings_are_exact(degrees):
    """Against 24 x 24 samples a pixel."""
    samples, width, shift = 24, 1.3, 0.2
    rows, columns = (np.mgrid[: SIDE // 3 * samples, : SIDE // 3 * samples] + 0.5) / samples - SIDE / 6
    angle = math.radians(degrees)
    inside = np.abs(math.sin(angle) * columns + math.cos(angle) * rows - shift) < width / 2
    expected = inside.reshape(SIDE // 3, samples, SIDE // 3, samples).mean((1, 3))
    assert np.abs(straight(width, degrees, SIDE // 3, shift) - expected).max() < 0.03
    assert straight(width, degrees, SIDE // 3, shift).sum() == pytest.approx(expected.sum(), rel=0.01)


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('width', [0.3, 0.8, 1.5, 3, 8])
def test_mean_and_spread(shape, width):
    """The target of the project: 0.1 pixels of mean error, 0.15 of spread, at all angles."""
    totals = [measured(SHAPES[shape](width, angle, SIDE, 0.3), width) for angle in range(0, 180, 15)]
    for name in ('subpixel_mean', 'subpixel_median'):
        errors = np.array([getattr(total, name) for total in totals]) - width
        assert abs(errors.mean()) <= 0.03
        assert errors.std() <= 0.04
    assert max(total.subpixel_max for total in totals) <= width + 0.1


def test_blur_and_noise_do_not_widen():
    """An even blur spreads what a pixel holds and keeps the sum; noise averages out."""
    rng = np.random.default_rng(0)
    for width in (0.5, 2.0, 6.0):
        drawing = ndimage.gaussian_filter(straight(width, 25, SIDE), 1.0)
        drawing += 0.02 * rng.standard_normal(drawing.shape)
        total = measured(drawing, min(width, 1.0))
        assert total.subpixel_mean == pytest.approx(width, abs=0.15)


def test_the_neighbour_is_another_crack():
    drawing = straight(2, 30, SIDE, -3) + straight(2, 30, SIDE, 3)
    assert measured(drawing, 2).subpixel_mean == pytest.approx(2, abs=0.05)


def test_a_hole_does_not_end_a_crack():
    drawing = straight(9, 0, SIDE)
    drawing[SIDE // 2, 20:30] = 0.3
    row = np.full(5, SIDE / 2 - 0.5)
    places = np.column_stack([row, np.arange(22, 27)])
    widths = profile_widths(drawing, places, np.tile([0.0, 1.0], (5, 1)), np.full(5, 4.5))
    np.testing.assert_allclose(widths.edges, 9, atol=0.1)


def test_an_unsure_crack_keeps_its_width():
    """A wide crack of probability 0.7 is as wide as one of 1; its edges are at half of that."""
    drawing = 0.7 * straight(8, 60, SIDE)
    assert measured(drawing, 8).subpixel_mean == pytest.approx(8, abs=0.1)


def test_where_it_is_widest():
    drawing = np.zeros((60, 300))
    drawing[28:31, 10:290] = 1
    drawing[27:32, 200:230] = 0.75
    drawing[28:31, 200:230] = 1
    total = measure_cracks(drawing > 0.5, scale=2, probability=reader(drawing)).total
    row, column = total.subpixel_max_at
    assert total.subpixel_max == pytest.approx((3 + 2 * 0.75) / 2, abs=0.05)
    assert (row, column) == (pytest.approx(14.75, abs=0.5), pytest.approx(107.5, abs=8))
    assert total.in_millimetres(0.5).subpixel_max == 0.5 * total.subpixel_max


def test_only_junction_or_only_a_mask_gives_none():
    assert measure_cracks(straight(3, 0, SIDE) > 0.5).total.subpixel_mean is None
    dot = np.zeros((20, 20))
    dot[9:11, 9:11] = 1
    assert measure_cracks(dot > 0.5, min_area=0, probability=reader(dot)).total.subpixel_max is None


@pytest.mark.parametrize('block', [40, 64])
def test_blocks_give_what_the_whole_gives(block):
    drawing = np.maximum(curved(3, 70, 150), straight(1.5, 20, 150))
    whole, parts = (
        measure_cracks(
            lambda box: reader(drawing)(box) > 0.4,
            drawing.shape,
            block=size,
            halo=40,
            probability=reader(drawing),
        ).total
        for size in (150, block)
    )
    assert parts.subpixel_mean == pytest.approx(whole.subpixel_mean, rel=0.02)
