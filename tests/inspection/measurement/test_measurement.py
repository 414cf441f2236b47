"""Crack measures against drawings whose geometry is known."""

import math

import numpy as np
import pytest
from helpers.crack_shapes import straight_crack
from scipy import ndimage

from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel
from csbsr_mm.inspection.measurement.cracks import WIDTH_BIAS, kernel_spread, measure_cracks
from csbsr_mm.photos.raster import Box

WHOLE = Box(0, 0, 500, 700)


@pytest.mark.parametrize('width', [1.5, 2, 3, 4, 6, 10, 16, 32])
def test_width_bias(width):
    """The bias that is stated, over all angles; each single crack is right within a pixel."""
    angles = np.arange(0, 180, 15 if width < 10 else 30)
    shape = dict(length=110 + 8 * width, size=160 + 8 * int(width))
    cracks = [straight_crack(width, angle, shift, **shape) for angle in angles for shift in (0.0, 0.3)]
    totals = [measure_cracks(crack, min_area=0).total for crack in cracks]
    errors = np.array([total.mean_width for total in totals]) - width
    assert WIDTH_BIAS[0] <= errors.mean() <= WIDTH_BIAS[1]
    assert np.abs(errors).max() <= 1.01
    assert all(total.width_95 <= total.max_width <= width + 0.8 for total in totals)
    lengths = np.array([total.length for total in totals])
    assert lengths.mean() == pytest.approx(shape['length'], rel=0.004)
    assert np.abs(lengths / shape['length'] - 1).max() <= 0.01


@pytest.mark.parametrize('degrees', [0, 10, 30, 45, 75, 90, 120, 170])
def test_orientation_length_and_area(degrees):
    """Length of the centre line is that of the crack, at every angle."""
    crack = straight_crack(4, degrees)
    total = measure_cracks(crack).total
    error = (total.orientation - degrees + 90) % 180 - 90
    assert abs(error) <= 0.5
    assert abs(120 - total.length) <= 1
    assert total.area == crack.sum()


def test_arc_length():
    """A quarter of a ring of radius 60 and width 6."""
    rows, columns = np.mgrid[:100, :100] + 0.5
    radius = np.hypot(rows, columns)
    total = measure_cracks(np.abs(radius - 60) < 3).total
    assert total.length == pytest.approx(math.pi * 60 / 2, rel=0.05)
    assert total.mean_width == pytest.approx(6, abs=0.2)
    assert total.orientation == pytest.approx(45, abs=2)


def test_scale_gives_photo_pixels_and_millimetres():
    mask = straight_crack(12, 30)
    at_output, at_photo = measure_cracks(mask).total, measure_cracks(mask, scale=4).total
    in_mm = at_photo.in_millimetres(0.5)
    for name in ('length', 'mean_width', 'width_95', 'max_width'):
        assert getattr(at_photo, name) == pytest.approx(getattr(at_output, name) / 4)
        assert getattr(in_mm, name) == pytest.approx(getattr(at_photo, name) / 2)
    assert at_photo.area == pytest.approx(at_output.area / 16)
    assert in_mm.area == pytest.approx(at_photo.area / 4)
    assert in_mm.orientation == at_photo.orientation == at_output.orientation


def test_each_crack_by_itself():
    mask = np.zeros((200, 200), bool)
    mask[20:24, 10:150] = True
    mask[60:160, 30:36] = True
    mask[180, 180] = True
    result = measure_cracks(mask)
    horizontal, vertical = result.cracks
    assert (round(horizontal.mean_width), round(vertical.mean_width)) == (4, 6)
    assert (round(horizontal.orientation) % 180, round(vertical.orientation)) == (0, 90)
    assert horizontal.box == (20, 10, 24, 150)
    assert vertical.box == (60, 30, 160, 36)
    assert result.ignored == 1
    assert result.total.area == horizontal.area + vertical.area == 4 * 140 + 6 * 100
    assert result.total.length == pytest.approx(horizontal.length + vertical.length)
    assert measure_cracks(mask, min_area=0).cracks[-1].area == 1


def test_spurs_do_not_lengthen_a_rough_crack():
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 300), bool)
    for column in range(20, 280):
        mask[20 - rng.integers(0, 3) : 32 + rng.integers(0, 3), column] = True
    assert 240 <= measure_cracks(mask).total.length <= 275


def test_junction_does_not_count_as_widest():
    mask = np.zeros((200, 200), bool)
    mask[98:104, 20:180] = mask[20:180, 98:104] = True
    total = measure_cracks(mask).total
    assert total.max_width == pytest.approx(6, abs=0.3)
    assert total.mean_width == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize('degrees', [45, 135])
def test_thin_diagonal_cracks_do_not_vanish(degrees):
    """120 pixels, corner by corner."""
    for width in (0.3, 1.5, 2, 3):
        for shift in (0.0, 0.25, 0.5):
            crack = straight_crack(width, degrees, shift)
            if crack.sum() > 100:
                assert measure_cracks(crack, min_area=0).total.length == pytest.approx(120, rel=0.02)


def ragged_band(rng, width, length=500, roughness=0, correlation=0.0, holes=0.0):
    """A horizontal band whose two borders and inside are disturbed."""
    offsets = rng.standard_normal((2, length))
    if correlation:
        offsets = ndimage.gaussian_filter1d(offsets, correlation, axis=1)
    offsets = np.rint(roughness * (offsets / np.abs(offsets).max()))
    rows = np.arange(width + 80)[:, None]
    inside = (rows >= 40 + offsets[0]) & (rows < 40 + width + offsets[1])
    band = np.pad(inside, ((0, 0), (40, 40)))
    return band & (rng.random(band.shape) >= holes)


@pytest.mark.parametrize(
    ('width', 'disturbance'),
    [
        (16, dict(holes=0.01)),
        (16, dict(holes=0.05)),
        (8, dict(roughness=2)),
        (8, dict(roughness=2, correlation=1.0)),
        (8, dict(roughness=2, correlation=4.0)),
        (16, dict(roughness=3, correlation=2.0, holes=0.05)),
        (300, dict(roughness=3, correlation=1.0, holes=0.01, length=1500)),
    ],
)
def test_ragged_masks_keep_length_and_width(width, disturbance):
    """Within 5 % of what was disturbed; the area agrees with length times width."""
    rng = np.random.default_rng(0)
    length = disturbance.get('length', 500)
    band = ragged_band(rng, width, **disturbance)
    crack = measure_cracks(band).cracks[0]
    assert crack.length == pytest.approx(length, rel=0.05)
    assert crack.mean_width == pytest.approx(width, rel=0.05)
    assert crack.length * crack.mean_width == pytest.approx(band.sum(), rel=0.06)


def test_widest_is_no_spike_and_says_where():
    """A tooth of one pixel is no width; a stretch that is wider is, and it is found."""
    mask = np.zeros((120, 400), bool)
    mask[50:60, 20:380] = True
    mask[40:50, 100] = True
    assert measure_cracks(mask).total.max_width == pytest.approx(10, abs=0.3)
    mask[46:64, 250:300] = True
    total = measure_cracks(mask, scale=2).total
    assert total.max_width == pytest.approx(9, rel=0.06)
    row, column = total.widest_at
    assert (row, column) == (pytest.approx(27.5, abs=1), pytest.approx(137.5, abs=12))


def test_a_wedge_at_the_edge_of_the_photo_keeps_its_length():
    """Its line ends at its widest place; nothing of it is cut off."""
    rows, columns = np.mgrid[:120, :150]
    wedge = np.abs(rows - 60) < 3 + 0.2 * columns
    for image in (wedge, wedge[:, ::-1], wedge.T):
        total = measure_cracks(image).total
        assert total.length == pytest.approx(150, rel=0.05)


def test_islands_between_branches_are_no_holes():
    """A ring keeps its inside; a pinhole in its wall does not count."""
    rows, columns = np.mgrid[:200, :200] - 100.0
    ring = np.abs(np.hypot(rows, columns) - 60) < 8
    ring[100, 160] = False
    total = measure_cracks(ring).total
    assert total.length == pytest.approx(2 * math.pi * 60, rel=0.02)
    assert total.area == ring.sum() + 1


def labyrinth():
    """Straight, curved and crossing cracks, and specks, over several blocks."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:500, :700].astype(float)
    mask = np.abs(rows - 250 - 120 * np.sin(columns / 90)) < 4
    mask |= np.abs(columns - 350 - 0.3 * rows) < 3
    mask |= np.abs(np.hypot(rows - 250, columns - 600) - 60) < 2
    mask[rng.integers(0, 500, 40), rng.integers(0, 700, 40)] = True
    # Two cracks that meet at a corner where four blocks meet.
    mask[480:490, 100:128] = mask[470:480, 128:150] = False
    return mask


@pytest.mark.parametrize('block', [64, 100, 128, 333])
def test_blocks_give_what_the_whole_gives(block):
    mask = labyrinth()
    whole = measure_cracks(mask)
    parts = measure_cracks(
        lambda box: mask[box.top : box.bottom, box.left : box.right], mask.shape, block=block
    )
    assert len(parts.cracks) == len(whole.cracks) >= 1
    assert parts.ignored == whole.ignored > 0
    for one, other in zip(parts.cracks, whole.cracks, strict=True):
        assert one.area == other.area
        assert one.box == other.box
        for name in ('length', 'mean_width', 'width_95', 'max_width'):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=0.02)


@pytest.mark.parametrize('corner', ['\\', '/'])
def test_cracks_connect_across_corners_of_blocks(corner):
    mask = np.zeros((40, 40), bool)
    steps = np.arange(40)
    mask[steps, steps if corner == '\\' else 39 - steps] = True
    result = measure_cracks(mask, block=10, halo=8, min_area=0)
    assert len(result.cracks) == 1
    assert result.total.area == 40


def test_nothing_and_everything():
    nothing = measure_cracks(np.zeros((30, 40), bool))
    assert nothing.cracks == []
    assert nothing.total.area == nothing.total.length == nothing.total.max_width == 0
    assert nothing.total.orientation is None
    everything = measure_cracks(np.ones((30, 40), bool))
    assert everything.total.area == 1200
    assert math.isfinite(everything.total.max_width)


@pytest.mark.parametrize(('first', 'second'), [(0.8, 0.8), (1, 3), (2, 2), (2.5, 2.5)])
def test_kernel_spread(first, second):
    kernel = anisotropic_gaussian_kernel(first, second, 0.4, 21)
    expected = math.sqrt((first**2 + second**2) / 2)
    assert kernel_spread(kernel) == pytest.approx(expected, rel=0.02)
    shifted = np.pad(kernel, ((3, 0), (0, 5)))
    assert kernel_spread(shifted) == pytest.approx(kernel_spread(kernel))


def test_kernel_without_weight():
    assert kernel_spread(-np.ones((3, 3))) == math.inf
