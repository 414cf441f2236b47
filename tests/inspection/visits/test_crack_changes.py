"""Changes of drawn centre lines whose growth is known."""

import numpy as np
import pytest

from csbsr_mm.inspection.exports.crack_lines import CrackShape
from csbsr_mm.inspection.visits.crack_changes import Tolerance, compare_cracks
from csbsr_mm.inspection.visits.registration import Registration
from csbsr_mm.inspection.widths.errors import ErrorCurve, WidthErrors

SIZE = (200, 240)
STILL = Registration(np.eye(3), 50, 0.5, SIZE, SIZE)
TILTED = np.array([[1.3, -0.2, 12.0], [0.15, 1.1, -9.0], [8e-4, 3e-4, 1.0]])


def shape(number, *corners, width=3.0, noise=0.0, step=0.25):
    """A crack along corners (x, y); a list of widths goes with the corners."""
    corners = np.array(corners, float)
    reach = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    places = np.arange(0, reach[-1] + step / 2, step)
    x, y = (np.interp(places, reach, corners[:, axis]) for axis in (0, 1))
    jitter = noise * np.sin(places / 5 + number)
    widths = np.interp(places, reach, np.broadcast_to(width, len(corners)))
    return CrackShape(number, {'confidence': 0.9}, [np.column_stack([x, y + jitter, widths])])


def mapped(crack, registration, width):
    """The same crack in the new photo."""
    points = [registration.to_new(line[:, :2]) for line in crack.lines]
    lines = [np.column_stack([line, np.full(len(line), width)]) for line in points]
    return CrackShape(crack.number, crack.measures, lines)


def compare(old, new, registration=STILL, **tolerance):
    return compare_cracks(old, new, registration, Tolerance(**tolerance))


def test_nothing_changed():
    old = [shape(1, (20, 50), (180, 70)), shape(2, (20, 120), (100, 110), (200, 150), width=6)]
    new = [shape(1, (21, 51), (181, 71), noise=0.7), shape(2, (20, 120), (100, 110), (200, 150), width=6.2)]
    assert [change.kinds for change in compare(old, new)] == [[], []]


@pytest.mark.parametrize('extra', [0, 5, 12, 30])
def test_growth_at_an_end(extra):
    (change,) = compare([shape(1, (20, 50), (120, 50))], [shape(1, (20, 51), (120 + extra, 51))])
    assert change.kinds == (['longer'] if extra > 8 else [])
    if extra > 8:
        assert change.grown == pytest.approx(extra, abs=2.5)
    assert change.lost == 0
    assert change.new_length - change.old_length == pytest.approx(extra, abs=0.5)


def test_the_tolerance_grows_with_the_crack():
    old, new = [shape(1, (10, 50), (210, 50))], [shape(1, (10, 50), (222, 50))]
    assert compare(old, new)[0].kinds == ['longer']
    assert compare(old, new, length_share=0.1)[0].kinds == []
    assert compare(old, new, length=15)[0].kinds == []


def test_a_new_branch_is_growth():
    old = [shape(1, (20, 50), (180, 50))]
    branch = shape(1, (100, 50), (130, 100))
    new = [CrackShape(1, {'confidence': 0.9}, [*shape(1, (20, 50), (180, 50)).lines, *branch.lines])]
    (change,) = compare(old, new)
    assert change.kinds == ['longer']
    assert change.grown == pytest.approx(np.hypot(30, 50), abs=5)
    drawn = np.concatenate([line.points for line in change.lines if line.kind == 'grown'])
    assert drawn[:, 1].min() > 50
    assert drawn[:, 1].max() == pytest.approx(100, abs=0.3)


def test_pieces_of_one_crack_are_one():
    old = [shape(1, (20, 50), (90, 50)), shape(2, (100, 50), (180, 50))]
    new = [shape(1, (20, 50), (180, 50))]
    (change,) = compare(old, new, length=12)
    assert (change.kinds, change.old, change.new) == ([], [1, 2], [1])
    assert change.grown == pytest.approx(10, abs=4)


def test_new_and_gone_even_where_they_cross_others():
    old = [shape(1, (20, 100), (200, 100)), shape(2, (30, 20), (80, 20))]
    new = [shape(1, (20, 100), (200, 100)), shape(2, (110, 30), (115, 180))]
    changes = {tuple(change.kinds): change for change in compare(old, new)}
    assert set(changes) == {(), ('new',), ('gone',)}
    assert (changes['new',].new, changes['new',].old) == ([2], [])
    assert changes['new',].new_length == pytest.approx(150, abs=2)
    assert (changes['gone',].old, changes['gone',].new) == ([2], [])
    assert changes['gone',].box == (20.0, 30.0, 20.0, 80.0)


def test_parallel_cracks_are_two():
    old, new = [shape(1, (20, 50), (180, 50))], [shape(1, (20, 50), (180, 50)), shape(2, (20, 62), (180, 62))]
    assert sorted(change.kinds for change in compare(old, new)) == [[], ['new']]


@pytest.mark.parametrize(('width', 'kinds'), [(3.3, []), (4.0, ['wider']), (2.0, ['narrower'])])
def test_width(width, kinds):
    (change,) = compare([shape(1, (20, 50), (180, 50))], [shape(1, (20, 50), (180, 50), width=width)])
    assert change.kinds == kinds
    assert change.width_change == pytest.approx(width - 3)
    assert (change.old_width, change.new_width) == pytest.approx((3, width))


@pytest.mark.parametrize(('spread', 'kinds'), [(0.2, ['wider']), (0.4, [])])
def test_width_against_the_intervals_of_both_visits(spread, kinds):
    """The corrected widths are 0.7 apart: 2.5 or 1.2 standard deviations of their difference."""
    ends = (1.0, 100.0)
    errors = [
        WidthErrors({'mean_width': ErrorCurve(ends, (bias, bias), (spread, spread))}) for bias in (0.5, 0.3)
    ]
    old, new = [shape(1, (20, 50), (180, 50))], [shape(1, (20, 50), (180, 50), width=3.5)]
    (change,) = compare_cracks(old, new, STILL, Tolerance(width=0), tuple(errors))
    assert change.kinds == kinds
    assert (change.old_width, change.new_width) == pytest.approx((2.5, 3.2))
    assert change.width_tolerance == pytest.approx(1.645 * np.sqrt(2) * spread, rel=1e-3)


def test_length_and_width_are_those_that_the_new_camera_sees():
    """Against the distance of two borders that are mapped themselves."""
    moved = Registration(TILTED, 50, 0.5, SIZE, (300, 360))
    old = shape(1, (30, 60), (150, 120), width=4)
    way = np.array([120, 60]) / np.hypot(120, 60)
    aside = 2 * np.array([-way[1], way[0]])
    middle = old.lines[0][240, :2]
    border = np.array([middle + aside, middle - aside])
    ends = moved.to_new(middle + np.outer([-1e-3, 1e-3], way))
    across = np.array([-(ends[1] - ends[0])[1], (ends[1] - ends[0])[0]]) / np.linalg.norm(ends[1] - ends[0])
    expected = abs((moved.to_new(border[:1]) - moved.to_new(border[1:]))[0] @ across)
    new = mapped(old, moved, width=expected)
    (change,) = compare_cracks([old], [new], moved)
    assert change.kinds == []
    assert change.old_width == pytest.approx(expected, rel=0.02)
    assert change.old_length == pytest.approx(change.new_length, rel=1e-3)
    far = moved.to_new(np.array([[30.0, 60.0], [150.0, 120.0]]))
    assert change.old_length == pytest.approx(np.linalg.norm(far[1] - far[0]), rel=1e-3)


def test_what_only_one_photo_shows_is_no_change():
    shifted = Registration(np.array([[1, 0, -100], [0, 1, 0], [0, 0, 1.0]]), 50, 0.5, SIZE, SIZE)
    # In the new photo the old one ends at x = 140.
    old = [shape(1, (20, 50), (60, 50)), shape(2, (110, 100), (235, 100))]
    new = [shape(1, (10, 100), (230, 100)), shape(2, (160, 30), (220, 30))]
    changes = compare_cracks(old, new, shifted)
    kinds = sorted((change.kinds, change.old, change.new) for change in changes)
    assert kinds == [
        ([], [2], [1]),
        (['not in both photos'], [], [2]),
        (['not in both photos'], [1], []),
    ]


def test_the_largest_change_comes_first():
    old = [shape(1, (20, 20), (180, 20)), shape(2, (20, 60), (60, 60)), shape(3, (20, 100), (180, 100))]
    new = [
        shape(1, (20, 20), (180, 20)),
        shape(2, (20, 60), (140, 60)),
        shape(3, (20, 100), (180, 100), width=5),
    ]
    assert [change.old for change in compare(old, new)] == [[2], [3], [1]]


def test_no_cracks():
    assert compare([], []) == []
    assert [change.kinds for change in compare([], [shape(1, (20, 20), (80, 20))])] == [['new']]
    assert [change.kinds for change in compare([shape(1, (20, 20), (80, 20))], [])] == [['gone']]


def test_impossible_tolerance():
    with pytest.raises(ValueError, match='tolerance of width must not be negative, got -1'):
        Tolerance(width=-1)
