"""Thinning and moving borders against counts of components and holes by another library."""

import numpy as np
import pytest
from helpers.crack_shapes import straight_crack
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from csbsr_mm.inspection.measurement.smoothing import regularize
from csbsr_mm.inspection.measurement.topology import move_border, thin

EIGHT = np.ones((3, 3), int)


def topology(mask):
    """Numbers of components (8-connected) and of pieces of background (4-connected)."""
    padded = np.pad(mask, 1)
    return ndimage.label(padded, EIGHT)[1], ndimage.label(~padded)[1]


def thinned(mask, origin=(0, 0)):
    return thin(mask, ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1], origin)


masks = arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.booleans())


@settings(max_examples=300, deadline=None)
@given(masks, st.integers(0, 1), st.integers(0, 1))
def test_thinning_keeps_components_and_holes(mask, top, left):
    lines = thinned(mask, (top, left))
    assert topology(lines) == topology(mask)
    assert not (lines & ~mask).any()
    # Nothing is left that could go: no square of four pixels but where all four are needed.
    assert topology(thinned(lines)) == topology(mask)
    assert (thinned(lines) == lines).all()


@settings(max_examples=200, deadline=None)
@given(masks, st.data())
def test_moving_borders_keeps_components_and_holes(mask, data):
    wanted = data.draw(arrays(bool, mask.shape, elements=st.booleans()))
    moved = move_border(mask, wanted)
    assert topology(moved) == topology(mask)
    assert ((moved == mask) | (moved == wanted)).all()


@pytest.mark.parametrize('width', [0.5, 1.5, 2, 3, 4, 7])
def test_straight_cracks_at_all_angles_stay_one_line(width):
    """Steps of one degree; shifted and mirrored."""
    for degrees in range(0, 180):
        crack = straight_crack(width, degrees, shift=0.37 * (degrees % 3), length=30, size=40)
        for image in (crack, crack[:, ::-1], crack[::-1], crack.T):
            lines = thinned(image)
            assert topology(lines) == topology(image)


def test_parts_are_thinned_as_the_whole():
    rng = np.random.default_rng(0)
    mask = ndimage.gaussian_filter(rng.standard_normal((120, 160)), 3) > 0.1
    whole, part = thinned(mask), thinned(mask[21:, 33:], (21, 33))
    assert (whole[61:, 73:] == part[40:, 40:]).all()


@settings(max_examples=50, deadline=None)
@given(arrays(bool, (24, 30), elements=st.booleans()))
def test_smoothing_fills_holes_and_changes_nothing_else(mask):
    filled, smooth = regularize(mask)
    assert (filled >= mask).all()
    assert topology(smooth) == topology(filled)
    assert topology(filled)[0] <= topology(mask)[0]
