"""The width check on models whose answer is known."""

import cv2
import numpy as np
import pytest
from helpers.tools import load_tool

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.apis.backends import Backend, TileOutputs
from csbsr_mm.inspection.width_check import measure_width_bias, render_crack


class DarkIsCrack(Backend):
    """Enlarges bicubically and calls dark pixels crack; optionally thicker than they are."""

    scale = 4

    def __init__(self, level=0.35, thicker=0):
        self.level, self.thicker = level, thicker

    def run(self, tiles):
        found = []
        for tile in tiles:
            grey = cv2.resize(tile.mean(-1), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
            dark = (grey < self.level).astype(np.float32)
            if self.thicker:
                disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * self.thicker + 1,) * 2)
                dark = cv2.dilate(dark, disk)
            found.append(dark[..., None])
        return TileOutputs(np.stack(found), None, None)


def bias(model, **kwargs):
    return list(measure_width_bias(CrackInferencer(model), **kwargs))


def test_wide_sharp_cracks_have_their_width():
    """The level half way between wall and crack lies on the border, whatever the blur."""
    for row in bias(DarkIsCrack(), widths=[4.0, 6.0], blurs=[1.0]):
        assert row.found == 1
        assert abs(row.bias) < 0.3


def test_thicker_masks_show_as_bias():
    plain, thick = (bias(DarkIsCrack(thicker=n), widths=[4.0], blurs=[1.0])[0] for n in (0, 4))
    assert thick.bias - plain.bias == pytest.approx(2 * 4 / 4, abs=0.2)


def test_what_is_not_found():
    row = bias(DarkIsCrack(level=-1), widths=[2.0], blurs=[1.0])[0]
    assert row.found == 0
    assert np.isnan(row.bias)


@pytest.mark.parametrize('blur', [0.5, 3.0])
def test_rendered_width(blur):
    """Darkness summed across a crack grows by one pixel's worth with each pixel of width."""
    photos = [render_crack(width, 90.0, blur, 4, np.random.default_rng(0))[0] for width in (2.0, 4.0)]
    thin, wide = (photo[..., 0].mean(0) / 255 for photo in photos)
    assert (thin - wide).sum() / (0.55 - 0.15) == pytest.approx(2.0, abs=0.2)


def test_command(monkeypatch, capsys):
    tool = load_tool('analysis_tools/width_bias')
    infer = CrackInferencer(DarkIsCrack())
    monkeypatch.setattr(tool.CrackInferencer, 'from_config', lambda *args, **kwargs: infer)
    assert tool.main(['config.py', 'model.pth', '--widths', '4', '--blurs', '1']) == 0
    assert '100%' in capsys.readouterr().out
    monkeypatch.undo()
    assert tool.main(['missing.py', 'missing.pth']) == 2
