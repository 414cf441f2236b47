"""Names and results of DeepMind's package, in two and three dimensions."""

import numpy as np
import pytest
from helpers import deepmind
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.functional import surface_distance
from csbsr_mm.functional.surface import _contour, _surface_area

pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning', 'ignore::RuntimeWarning')

SPACINGS = st.sampled_from([1.0, 0.25, 2.0, 3.0])  # exact products: ties are ties in both


@st.composite
def cases(draw):
    dimensions = draw(st.sampled_from([2, 3]))
    shape = draw(st.tuples(*[st.integers(1, 16 if dimensions == 2 else 7)] * dimensions))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    masks = [rng.random(shape) < draw(st.sampled_from([0, 0.05, 0.3, 0.8, 1])) for _ in range(2)]
    return masks, draw(st.tuples(*[SPACINGS] * dimensions))


@settings(max_examples=150, deadline=None)
@given(case=cases(), percent=st.floats(0, 100), tolerance=st.floats(0, 5))
def test_every_function_equals_the_package(case, percent, tolerance):
    (target, pred), spacing = case
    package = deepmind.surface_distance()
    ours = surface_distance.compute_surface_distances(target, pred, spacing)
    theirs = package.compute_surface_distances(target, pred, spacing)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=0, atol=1e-9, err_msg=name)
    for name, arguments in {
        'compute_average_surface_distance': (),
        'compute_robust_hausdorff': (percent,),
        'compute_surface_overlap_at_tolerance': (tolerance,),
        'compute_surface_dice_at_tolerance': (tolerance,),
    }.items():
        expected = getattr(package, name)(theirs, *arguments)
        actual = getattr(surface_distance, name)(ours, *arguments)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9, err_msg=name)
    dice = surface_distance.compute_dice_coefficient(target, pred)
    np.testing.assert_allclose(dice, package.compute_dice_coefficient(target, pred))


@pytest.mark.parametrize('spacing', [(1, 1, 1), (1, 1.3, 1.7), (2, 0.7, 1.1), (0.01, 5, 1)])
def test_surface_areas_are_those_of_the_packages_table(spacing):
    deepmind.surface_distance()
    from surface_distance import lookup_tables

    expected = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    np.testing.assert_allclose(_surface_area.element_areas(spacing), expected, rtol=0, atol=1e-12)


def test_contour_lengths_are_those_of_the_packages_table():
    deepmind.surface_distance()
    from surface_distance import lookup_tables

    expected = lookup_tables.create_table_neighbour_code_to_contour_length((0.5, 2.0))
    np.testing.assert_allclose(_contour.element_lengths((0.5, 2.0)), expected)


def test_area_of_a_box():
    """Faces of a box away from its edges have exactly the area of their voxels' faces."""
    box = np.zeros((20, 20, 20), bool)
    box[4:16, 4:16, 4:16] = True
    areas = surface_distance.compute_surface_distances(box, box, (1, 2, 3))['surfel_areas_gt']
    assert np.isclose(areas, 6).sum() == 2 * 11**2  # 2 x 3, across the first axis
    assert np.isclose(areas, 3).sum() >= 2 * 11**2
    assert np.isclose(areas, 2).sum() >= 2 * 11**2


def test_bad_arguments_are_named():
    mask = np.ones((3, 4), bool)
    with pytest.raises(ValueError, match='mask_pred must be a bool array, got int64'):
        surface_distance.compute_surface_distances(mask, mask.astype(np.int64), (1, 1))
    with pytest.raises(ValueError, match=r'got \(3, 4\), \(3, 4\) and \(1, 1, 1\)'):
        surface_distance.compute_surface_distances(mask, mask, (1, 1, 1))
