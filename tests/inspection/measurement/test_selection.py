"""What counts as a crack, on drawings of cracks, pores, joints and faint stains."""

import numpy as np
import pytest

from csbsr_mm.inspection.measurement.cracks import measure_cracks
from csbsr_mm.inspection.measurement.selection import SelectionRules

RULES = SelectionRules(4, 5, 3)


def probability():
    """A sure crack, a faint one, a pore, a speck, and a joint across the photo."""
    image = np.zeros((300, 400))
    image[40:44, 30:200] = 0.9
    image[80:84, 30:200] = 0.4
    rows, columns = np.mgrid[:300, :400]
    image[np.hypot(rows - 150, columns - 100) < 12] = 0.95
    image[200:203, 300:302] = 0.9
    image[260:266] = 0.6
    return image


def measure(image, threshold=0.3, **rules):
    rules = SelectionRules(**{**RULES.__dict__, **rules})
    read = lambda box: image[box.top : box.bottom, box.left : box.right]  # noqa: E731
    return measure_cracks(lambda box: read(box) > threshold, image.shape, rules=rules, probability=read)


def test_pieces_are_told_apart():
    found = measure(probability())
    assert [(crack.kind, round(crack.confidence, 2)) for crack in found.cracks] == [
        ('crack', 0.9), ('joint?', 0.6), ('crack', 0.4),
    ]  # fmt: skip
    assert (found.blobs, found.ignored) == (1, 1)
    assert found.total.area == sum(crack.area for crack in found.cracks)
    assert found.total.length == pytest.approx(170 + 170 + 400, rel=0.01)


def test_hysteresis_keeps_whole_cracks_that_are_sure_somewhere():
    image = probability()
    image[80:84, 100] = 0.8
    assert len(measure(image, peak=0.7).cracks) == 2
    found = measure(image, peak=0.75).cracks
    assert [round(crack.length) for crack in found] == [170, 170]


def test_without_rules_all_pieces_count():
    image = probability()
    found = measure_cracks(image > 0.3, min_area=0)
    assert len(found.cracks) == 5
    assert found.cracks[0].confidence is None
    assert [crack.length for crack in found.cracks] == sorted((c.length for c in found.cracks), reverse=True)


@pytest.mark.parametrize(('name', 'value'), [('min_area', -1), ('min_length', float('nan')), ('peak', 1.0)])
def test_rules_out_of_range(name, value):
    with pytest.raises(ValueError, match=f'{name} must'):
        SelectionRules(**{name: value})
