"""The fuzz finds a mistake when there is one, and says how to run its case again."""

import re

import numpy as np
import pytest
from helpers.tools import load_tool

from csbsr_mm.functional.soft_masks import SoftMasks

tool = load_tool('fuzz')


@pytest.mark.parametrize('kind', list(tool.KINDS))
def test_a_few_cases(kind, capsys):
    for case in range(4):
        assert tool.main([kind, '--seed', '3', '--case', str(case)]) == 0
    assert f'1 cases of {kind}, seed 3: no failure' in capsys.readouterr().out


def test_masks_in_another_order_than_their_classes_are_found(monkeypatch, capsys):
    """The one mistake that 17,500 cases once found."""
    remembered = vars(SoftMasks)['prob']
    prob = remembered._compute

    def in_order(masks):
        found = prob(masks)
        return found[:, sorted(range(found.shape[1]), key=masks.classes.__getitem__)]

    monkeypatch.setattr(remembered, '_compute', in_order)
    assert tool.main(['losses', '--seconds', '60']) == 1
    again = re.search(r'again: python tools/fuzz\.py losses --seed 0 --case (\d+)', capsys.readouterr().err)
    assert tool.main(['losses', '--case', again[1]]) == 1
    monkeypatch.undo()
    assert tool.main(['losses', '--case', again[1]]) == 0


@pytest.mark.parametrize(
    ('kind', 'name', 'fault'),
    [
        ('tolerances', 'tolerance_sweep', lambda c: c._replace(found=np.maximum(c.found - 1, 0))),
        ('surfaces', 'surface_sweep', lambda c: c._replace(true_within=0.999 * c.true_within)),
        ('surfaces', 'hausdorff_sweep', lambda distances: distances + (distances > 1)),
        ('centerlines', 'centerline_sweep', lambda c: c._replace(line_found=c.found)),
    ],
)
def test_a_wrong_count_is_found(monkeypatch, capsys, kind, name, fault):
    right = getattr(tool, name)
    monkeypatch.setattr(tool, name, lambda *args, **kwargs: fault(right(*args, **kwargs)))
    assert tool.main([kind, '--seconds', '60']) == 1
    assert f'again: python tools/fuzz.py {kind}' in capsys.readouterr().err


def test_a_wrong_aggregation_is_found(monkeypatch):
    monkeypatch.setattr(tool.aggregation, 'ois_pooled', tool.aggregation.ods_pooled)
    assert tool.main(['tolerances', '--seconds', '60']) == 1


def test_unknown_kind(capsys):
    with pytest.raises(SystemExit):
        tool.main(['lossses'])
    assert "unknown kind 'lossses'" in capsys.readouterr().err
