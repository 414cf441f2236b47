"""Runs side by side: what is drawn, and which part is enlarged."""

import numpy as np
import pytest

from csbsr_mm.visualization.comparison import ComparedPhoto, ComparedRun, draw_comparison, most_disputed


def photo(masks, target=None, **changes):
    target = np.zeros(masks[0].shape, np.uint8) if target is None else target
    rng = np.random.default_rng(0)
    sr_image = rng.random((*target.shape, 3))
    runs = {
        f'run {k}': ComparedRun(mask, sr_image if k == 0 else None, f'note {k}')
        for k, mask in enumerate(masks)
    }
    lr_image = rng.random((target.shape[0] // 4, target.shape[1] // 4, 3))
    return ComparedPhoto('photo.jpg', target, lr_image, **{'runs': runs, **changes})


def mask(*places, size=(64, 96)):
    drawn = np.zeros(size, bool)
    for top, left in places:
        drawn[top : top + 4, left : left + 4] = True
    return drawn


def shows(window, top, left):
    rows, columns = window
    return rows.start <= top and top + 4 <= rows.stop and columns.start <= left and left + 4 <= columns.stop


def test_enlarged_is_where_runs_disagree():
    agreed = (4, 4)
    window = most_disputed(photo([mask(agreed, (40, 80)), mask(agreed)]))
    assert shows(window, 40, 80)
    assert (window[0].stop - window[0].start, window[1].stop - window[1].start) == (16, 24)


def test_enlarged_is_where_all_are_wrong():
    target = mask((4, 4), (50, 20)).astype(np.uint8)
    assert shows(most_disputed(photo([mask((4, 4))] * 2, target)), 50, 20)


def test_pixels_that_nobody_knows_do_not_count():
    target = np.zeros((64, 96), np.uint8)
    target[:, 48:] = 255
    assert shows(most_disputed(photo([mask((8, 8), (40, 80), (44, 80)), mask()], target)), 8, 8)


def test_enlarged_stays_inside():
    for place in ((0, 0), (0, 92), (60, 0), (60, 92)):
        assert shows(most_disputed(photo([mask(place), mask()])), *place)


@pytest.mark.parametrize('zoom', [1, 4])
def test_errors_are_in_their_colours(zoom):
    """White found, orange missed, blue false: each shows in the picture."""
    target = mask((4, 4), (30, 30)).astype(np.uint8)
    drawn = draw_comparison([photo([mask((4, 4), (50, 70)), mask()], target)] * 2, zoom=zoom)
    colors = {tuple(color) for color in drawn.reshape(-1, 3)}
    assert {(255, 255, 255), (230, 97, 0), (64, 176, 255)} <= colors
    assert drawn.shape[0] > drawn.shape[1] / 4 * zoom / 4


def test_columns_that_no_run_has_are_left_out():
    with_sr = photo([mask(), mask()])
    for run in with_sr.runs.values():
        run.sr_image = None
    hr_image = np.zeros((64, 96, 3))
    narrow, wide = (draw_comparison([p]) for p in (with_sr, photo([mask(), mask()], hr_image=hr_image)))
    assert wide.shape[1] / narrow.shape[1] == pytest.approx(6 / 4, rel=0.02)


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match='at least one photo'):
        draw_comparison([])
    with pytest.raises(ValueError, match='same runs'):
        draw_comparison([photo([mask()]), photo([mask(), mask()])])
