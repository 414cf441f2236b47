"""Outlines against scipy's labelling, pixel counts and Pillow's polygons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from csbsr_mm.inspection.measurement.outlines import join_rings, signed_area, trace_outlines

EIGHT = np.ones((3, 3), int)


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return rng.random((height, width)) < draw(st.floats(0.05, 0.95))


@given(masks())
@settings(max_examples=200, deadline=None)
def test_one_ring_for_each_component_and_each_hole(mask):
    rings = trace_outlines(mask)
    areas = [signed_area(ring) for ring in rings]
    assert sum(area > 0 for area in areas) == ndimage.label(mask, EIGHT)[1]
    assert sum(area < 0 for area in areas) == ndimage.label(np.pad(~mask, 1, constant_values=True))[1] - 1
    assert sum(areas) == mask.sum()


@given(masks())
@settings(max_examples=100, deadline=None)
def test_joined_rings_enclose_the_component(mask):
    """By the winding number at the middle of each pixel."""
    labels, count = ndimage.label(mask, EIGHT)
    for label in range(1, count + 1):
        own = labels == label
        ring = join_rings(trace_outlines(own))
        assert signed_area(ring) == own.sum()
        assert np.array_equal(winding_numbers(ring, own.shape), own)


def winding_numbers(ring, shape):
    """How often a ring along the axes goes around the middle of each pixel: by its vertical edges."""
    winding = np.zeros(shape, int)
    for (x, y), (_, after) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if y != after:
            winding[min(y, after) : max(y, after), :x] += np.sign(after - y)
    return winding


def test_pillow_fills_it():
    mask = np.zeros((20, 30), bool)
    mask[3:15, 4:25] = True
    mask[6:9, 8:12] = mask[6:12, 15:20] = False
    ring = join_rings(trace_outlines(mask))
    drawn = Image.new('1', (300, 200))
    ImageDraw.Draw(drawn).polygon([(10 * x, 10 * y) for x, y in ring.tolist()], fill=1)
    # Pillow paints the border of a polygon as well.
    assert np.array_equal(np.asarray(drawn)[5::10, 5::10], mask)


@pytest.mark.parametrize('mask', [np.zeros((3, 4), bool), np.zeros((0, 4), bool)])
def test_nothing(mask):
    assert trace_outlines(mask) == []
