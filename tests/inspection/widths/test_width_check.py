"""The width check on models whose answer is known."""

import hashlib

import cv2
import numpy as np
import pytest
from helpers.tools import load_tool

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.apis.backend import Backend, TileOutputs
from csbsr_mm.inspection.widths.check import (
    RenderedCrack,
    coverage,
    measure_rendered_cracks,
    measure_width_bias,
    render_crack,
    width_errors_of,
)
from csbsr_mm.inspection.widths.errors import WidthErrors


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


@pytest.fixture(scope='module')
def thick_cracks():
    model = CrackInferencer(DarkIsCrack(thicker=4))
    return list(measure_rendered_cracks(model, 16, widths=(2.0, 6.0), blurs=(1.0, 1.5)))


def test_table_of_errors(thick_cracks):
    """Its bias is that of the model: masks are two photo pixels too wide."""
    widths = np.array([crack.width for crack in thick_cracks])
    assert 2 <= widths.min() < 2.3 < 5.5 < widths.max() <= 6
    assert np.ptp(np.diff(np.sort(np.log(widths)))) < 0.2
    errors = width_errors_of(thick_cracks, threshold=0.5)
    assert errors.about['found'] == errors.about['cracks'] == 16
    for name in ('mean_width', 'subpixel_mean'):
        assert errors.estimate(name, 5.0).value == pytest.approx(3.0, abs=0.25)
        assert errors.estimate(name, 5.0).std < 0.4
    assert abs(errors.length_bias) < 0.05
    assert all(0.75 <= part <= 1 for part in coverage(thick_cracks).values())


def test_cracks_that_were_not_found_say_nothing(thick_cracks):
    lost = [RenderedCrack(1.0, 96.0, 1.0, None)] * 5
    errors = width_errors_of([*thick_cracks, *lost])
    assert errors.curves == width_errors_of(thick_cracks).curves
    assert (errors.about['found'], errors.about['cracks']) == (16, 21)
    with pytest.raises(ValueError, match='at least 8'):
        width_errors_of(lost)


@pytest.mark.parametrize('blur', [0.5, 3.0])
def test_rendered_width(blur):
    """Darkness summed across a crack grows by one pixel's worth with each pixel of width."""
    photos = [render_crack(width, 90.0, blur, 4, np.random.default_rng(0))[0] for width in (2.0, 4.0)]
    thin, wide = (photo[..., 0].mean(0) / 255 for photo in photos)
    assert (thin - wide).sum() / (0.55 - 0.15) == pytest.approx(2.0, abs=0.2)


def test_command(monkeypatch, capsys, tmp_path):
    tool = load_tool('analysis_tools/width_bias')
    infer = CrackInferencer(DarkIsCrack())
    monkeypatch.setattr(tool.CrackInferencer, 'from_config', lambda *args, **kwargs: infer)
    assert tool.main(['config.py', 'model.pth', '--widths', '4', '--blurs', '1']) == 0
    assert '100%' in capsys.readouterr().out
    (tmp_path / 'model.pth').write_bytes(b'weights')
    words = ['config.py', str(tmp_path / 'model.pth'), '--errors', str(tmp_path / 'a.json')]
    assert tool.main([*words, '--cracks', '10', '--range', '3', '6', '--blurs', '1']) == 0
    assert '10 of 10 cracks' in ' '.join(capsys.readouterr().out.split())
    about = WidthErrors.read(tmp_path / 'a.json').about
    assert about['weights'] == hashlib.sha256(b'weights').hexdigest()
    assert (about['threshold'], about['widths']) == (infer.threshold, [3.0, 6.0])
    monkeypatch.undo()
    assert tool.main(['missing.py', 'missing.pth']) == 2
