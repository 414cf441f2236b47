"""Intervals around corrected widths, on simulated models whose errors are known."""

import math

import numpy as np
import pytest
from scipy.special import expit, ndtr

from csbsr_mm.inspection.measurement.profiles import profile_widths
from csbsr_mm.inspection.widths.errors import (
    SUFFIX,
    WIDTHS,
    ErrorCurve,
    Estimate,
    WidthErrors,
    find_errors,
    fit_curve,
    geometry_errors,
)
from csbsr_mm.weights.library import FOLDER


def simulated(true, seed):
    """Widths that a model would give: it blurs, thickens, is more or less sure, and trembles.

    Each row of the image is the profile of a crack of its own, and is measured like one.
    """
    rng = np.random.default_rng(seed)
    columns = np.arange(80) - 40
    blur = rng.choice([0.5, 1.0, 1.8], len(true))[:, None]
    border = (1.25 * true / 2 + 0.2 + 0.12 * rng.standard_normal(len(true)))[:, None]
    image = ndtr((columns + border) / blur) - ndtr((columns - border) / blur)
    image = expit(8 * (image - 0.4)) + 0.005 * rng.standard_normal(image.shape)
    places = np.column_stack([np.arange(len(true)), np.full(len(true), 40.0)])
    along = np.tile([1.0, 0.0], (len(true), 1))
    return profile_widths(image, places, along, np.maximum(border[:, 0], 1)).area


def drawn(count, seed):
    return np.exp(np.random.default_rng(seed).uniform(math.log(1.0), math.log(12), count))


def test_intervals_cover_what_they_say():
    """On widths that the correction has not seen, over 40 tables of 100 cracks each."""
    unseen, estimates = [], []
    for seed in range(40):
        true, others = drawn(100, 4 * seed), drawn(100, 4 * seed + 1)
        curve = fit_curve(true, simulated(true, 4 * seed + 2))
        unseen.append(others)
        estimates += [curve.estimate(width) for width in simulated(others, 4 * seed + 3)]
    unseen = np.concatenate(unseen)
    ends = np.array([estimate.interval() for estimate in estimates])
    covered = (ends[:, 0] <= unseen) & (unseen <= ends[:, 1])
    assert 0.88 <= covered.mean() <= 0.92
    for low, high in ((1, 2), (2, 4), (4, 8), (8, 12)):
        assert 0.84 <= covered[(unseen >= low) & (unseen < high)].mean() <= 0.96
    chances = np.array([estimate.chance_above(3.0) for estimate in estimates])
    assert chances.mean() == pytest.approx((unseen > 3).mean(), abs=0.02)
    sure = chances > 0.95
    assert (unseen[sure] > 3).mean() > 0.95


def test_correction_removes_the_bias():
    true, unseen = drawn(150, 5), drawn(2000, 6)
    measured = simulated(unseen, 7)
    corrected = fit_curve(true, simulated(true, 8)).corrected(measured)
    assert abs((measured - unseen).mean()) > 0.5
    assert abs((corrected - unseen).mean()) < 0.1


def test_estimate():
    """Against tables of the normal distribution."""
    estimate = Estimate(10.0, 2.0)
    assert estimate.interval(0.95) == pytest.approx((10 - 1.959964 * 2, 10 + 1.959964 * 2))
    assert estimate.chance_above(12) == pytest.approx(0.1586553)
    assert Estimate(0.1, 1.0).interval()[0] == 0
    assert (Estimate(1.0, 0.0).chance_above(0.9), Estimate(1.0, 0.0).chance_above(1.0)) == (1, 0)


def test_scale_adds_its_part():
    """A product of independent factors, by sampling."""
    rng = np.random.default_rng(0)
    sample = (5 + 0.3 * rng.standard_normal(200_000)) * (0.4 + 0.02 * rng.standard_normal(200_000))
    width = Estimate(5.0, 0.3).scaled(0.4, 0.02)
    assert width.value == pytest.approx(sample.mean(), rel=0.002)
    assert width.std == pytest.approx(sample.std(), rel=0.01)
    assert Estimate(5.0, 0.3).scaled(0.4).std == pytest.approx(0.12)


def test_curve_beyond_its_ends():
    curve = ErrorCurve([1.0, 2.0], [0.4, 0.2], [0.1, 0.2])
    widths = np.linspace(0, 6, 61)
    corrected = curve.corrected(widths)
    assert corrected[0] == 0
    assert (np.diff(corrected) > 0).all()
    np.testing.assert_allclose(curve.corrected([1.0, 1.5, 2.0, 4.0]), [0.6, 1.2, 1.8, 3.8])
    assert curve.estimate(4.0).std == pytest.approx(0.4)


def test_file_keeps_the_table(tmp_path):
    path = tmp_path / 'a.widths.json'
    about = dict(weights='ab', threshold=0.5, source='rendered cracks', widths=[0.4, 6], blurs=[1, 4])
    errors = WidthErrors({'mean_width': ErrorCurve([1.0, 2.0], [0.1, 0.2], [0.1, 0.1])}, 0.01, 0.02, about)
    errors.write(path)
    again = WidthErrors.read(path)
    assert again.estimate('mean_width', 1.5) == pytest.approx(errors.estimate('mean_width', 1.5))
    assert again.estimate('length', 100.0) == pytest.approx((99.0, 2.0))
    assert again.estimate('subpixel_max', 1.0) is None
    assert again.suits(0.5)
    assert not again.suits(0.4)
    assert find_errors(tmp_path / 'a.safetensors', 'ab') == again
    assert find_errors(tmp_path / 'a.safetensors', 'cd') is None
    assert find_errors(tmp_path / 'b.safetensors', 'ab') is None
    WidthErrors(errors.curves, about=dict(threshold=0.5)).write(path)
    with pytest.raises(ValueError, match='nothing is said about source, widths, blurs'):
        WidthErrors.read(path)
    path.write_text('{"a": 1}')
    with pytest.raises(ValueError, match='no table of width errors'):
        WidthErrors.read(path)


@pytest.mark.parametrize('table', [*FOLDER.glob(f'*{SUFFIX}')], ids=lambda path: path.name)
def test_tables_on_board(table):
    """Their intervals hold on the cracks they were made from, and correction keeps the order of widths."""
    errors = WidthErrors.read(table)
    assert set(errors.curves) == set(WIDTHS)
    assert errors.about['cracks'] >= 40
    assert all(0.8 <= part <= 1 for part in errors.about['coverage_of_intervals'].values())
    widths = np.linspace(0, 10, 200)
    assert all((np.diff(curve.corrected(widths)) >= 0).all() for curve in errors.curves.values())


def test_geometry_alone():
    errors = geometry_errors(4)
    thin, wide = (errors.estimate('mean_width', width) for width in (0.3, 50.0))
    assert (thin.value, wide.value) == (pytest.approx(0.3), pytest.approx(50))
    assert thin.std == wide.std > errors.estimate('subpixel_mean', 2.0).std > 0


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        (([2.0, 1.0], [0, 0], [0, 0]), 'ascend'),
        (([0.0], [0], [0]), 'positive'),
        (([1.0], [0], [-1]), 'negative'),
        (([1.0], [0, 1], [0]), 'as many'),
    ],
)
def test_bad_curves(rows, message):
    with pytest.raises(ValueError, match=message):
        ErrorCurve(*rows)


def test_too_few_cracks():
    with pytest.raises(ValueError, match='at least 8'):
        fit_curve(np.ones(3), np.ones(3))
