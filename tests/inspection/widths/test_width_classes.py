"""Lengths per class of width."""

import numpy as np
import pytest

from csbsr_mm.inspection.measurement.cracks import measure_cracks
from csbsr_mm.inspection.widths.classes import PRESETS, WidthClasses, width_classes, width_levels


def test_lengths_of_a_wedge():
    """A crack that grows evenly from 2 to 10 pixels: each class has its share of the length."""
    rows, columns = np.mgrid[:40, :400]
    drawing = np.clip(1 + 4 * columns / 400 - np.abs(rows - 19.3) + 0.5, 0, 1)
    for probability in (None, lambda box: drawing[box.top : box.bottom, box.left : box.right]):
        crack = measure_cracks(drawing > 0.5, probability=probability).total
        classes = WidthClasses((0.3, 0.5, 0.6))
        in_mm = crack.in_millimetres(0.1)
        found = classes.lengths(in_mm.width_levels, in_mm.length)
        assert sum(found) == pytest.approx(in_mm.length)
        np.testing.assert_allclose(found, [5, 10, 5, 20], atol=1.5 if probability else 4)


def test_one_width_is_one_class():
    classes = WidthClasses((0.2, 0.3))
    assert classes.lengths([0.3] * 41, 5.0) == [0, 5, 0]
    assert classes.lengths([0.31] * 41, 5.0) == [0, 0, 5]
    assert classes.lengths([0.1] * 41, 5.0) == [5, 0, 0]


def test_levels_are_quantiles():
    """Against NumPy's, for points that stand for equal lengths."""
    widths = np.random.default_rng(0).gamma(3, size=2000)
    levels = width_levels(widths, np.ones(2000))
    np.testing.assert_allclose(levels[1:-1], np.quantile(widths, np.linspace(0, 1, 41)[1:-1]), rtol=0.02)
    assert width_levels(np.zeros(0), np.zeros(0)) == []


def test_colors_differ():
    for classes in PRESETS.values():
        colors = classes.colors.astype(int)
        assert len(colors) == len(classes.names) == len(classes.limits) + 1
        distance = np.abs(colors[:, None] - colors).sum(-1) + 999 * np.eye(len(colors), dtype=int)
        assert distance.min() > 60


def test_options():
    assert width_classes('eurocode2').limits == (0.2, 0.3, 0.4)
    assert width_classes('0.1,1').source == 'given'
    assert width_classes('none') is None
    for bad in ('thin', '0.3,0.2', '0,1', ''):
        with pytest.raises(ValueError, match='width classes'):
            width_classes(bad)
