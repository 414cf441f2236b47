"""Whole comparisons of rendered visits, as the command line makes them."""

import csv
import json
import shutil

import numpy as np
import pytest
from helpers.visits import MOVED, THRESHOLD, line, photo, report

from csbsr_mm.cli import main
from csbsr_mm.inspection.widths.errors import FORMAT

LONG = dict(start=(30, 60), end=(200, 75), width=4, bend=4)
WIDE = dict(start=(40, 130), end=(210, 120), bend=3)
SAME = line((60, 205), (180, 190), 4, 3)
NEW = line((225, 150), (215, 200), 4)


@pytest.fixture(scope='module')
def visits(tmp_path_factory):
    """Growth by 40 %, widening by half, a new crack; the camera moved, the light changed."""
    root = tmp_path_factory.mktemp('visits')
    before = [line(**LONG, part_of=0.6), line(**WIDE, width=4), SAME]
    after = [line(**LONG), line(**WIDE, width=6), SAME, NEW]
    elsewhere = photo([SAME], wall=5, light=3)
    old = report(root / '2024', {'wall': photo(before, light=1), 'pier': elsewhere}, mm_per_pixel=0.5)
    new = report(root / '2026', {'wall': photo(after, MOVED, light=2)}, mm_per_pixel=0.47)
    return old, new


@pytest.fixture(scope='module')
def compared(visits):
    out = visits[0].parents[1] / 'changes'
    status = main(['compare', *map(str, visits), '--out-dir', str(out)])
    return out, status


def test_known_growth(compared):
    content = json.loads((compared[0] / 'changes.json').read_text())
    (pair,) = content['pairs']
    assert (pair['old'], pair['new'], pair['matched_by']) == ('wall', 'wall', 'name')
    assert pair['residual'] < 1
    changes = {tuple(change['kinds']): change for change in pair['changes']}
    assert len(pair['changes']) == 4
    new = changes.get(('new',)) or changes['new?',]
    assert new['new_length'] == pytest.approx(51 * 1.06, rel=0.1)
    # The crack grew by 0.4 of 171 pixels, seen from nearer.
    longer = changes['longer',]
    assert longer['grown'] == pytest.approx(0.4 * 171 * 1.06, rel=0.1)
    assert longer['old_length'] == pytest.approx(0.6 * 171 * 1.06, rel=0.1)
    assert longer['lost'] == 0
    wider = changes['wider',]
    assert wider['width_change'] == pytest.approx(2 * 1.06, abs=0.5)
    assert changes[()]['old_length'] == pytest.approx(changes[()]['new_length'], rel=0.03)


def test_photo_without_counterpart(compared):
    content = json.loads((compared[0] / 'changes.json').read_text())
    assert content['only_old'] == ['pier']
    assert content['only_new'] == content['same_name_other_place'] == []
    assert compared[1] == 1


def test_table(compared):
    with (compared[0] / 'changes.csv').open(newline='', encoding='utf-8-sig') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    row = next(row for row in rows if row['change'] == 'longer')
    assert float(row['grown_mm']) == pytest.approx(0.47 * float(row['grown_px']), abs=0.01)
    assert (row['old_photo'], row['new_photo']) == ('wall', 'wall')
    unchanged = next(row for row in rows if row['change'] == 'none')
    assert unchanged['old_cracks']
    assert unchanged['new_cracks']


def test_page(compared):
    page = (compared[0] / 'index.html').read_text()
    assert page.count('data:image/webp;base64,') == 2
    assert 'class="grown"' in page
    assert 'different settings' not in page
    assert '2024' in page
    assert '2026' in page
    assert '0.47 mm per pixel' in page


def test_photos_under_other_names(visits, tmp_path, capsys):
    """A camera that counts from 1 again: one name, other places."""
    old, small = [line(**LONG), SAME], dict(size=160)
    first = report(
        tmp_path / 'a', {'DSC_1': photo(old, light=1, **small), 'DSC_2': photo([SAME], wall=3, **small)}
    )
    photos = {
        'DSC_1': photo([SAME], MOVED, wall=3, light=4, **small),
        'DSC_3': photo(old, MOVED, light=2, **small),
    }
    second = report(tmp_path / 'b', photos, threshold=0.72)
    shutil.rmtree(tmp_path / 'a' / 'photos')
    assert main(['compare', str(first), str(second), '--out-dir', str(tmp_path / 'out')]) == 0
    content = json.loads((tmp_path / 'out' / 'changes.json').read_text())
    found = [(pair['old'], pair['new'], pair['matched_by']) for pair in content['pairs']]
    assert found == [('DSC_2', 'DSC_1', 'picture'), ('DSC_1', 'DSC_3', 'picture')]
    assert content['same_name_other_place'] == ['DSC_1']
    assert content['different_settings'] == {'Threshold': [0.7, 0.72]}
    assert 'differ in Threshold' in capsys.readouterr().err
    assert 'different settings' in (tmp_path / 'out' / 'index.html').read_text()


@pytest.mark.parametrize('wall', [7, *(pytest.param(wall, marks=pytest.mark.slow) for wall in range(20, 26))])
def test_nothing_changed(tmp_path, wall):
    """The camera moved, and light and noise are others."""
    rng = np.random.default_rng(wall)
    cracks = [line((40, y), (200, y + 10), rng.uniform(2.5, 5), rng.uniform(0, 5)) for y in (60, 120, 195)]
    pictures = photo(cracks, wall=wall, light=1), photo(cracks, MOVED, wall=wall, light=2)
    visits = [report(tmp_path / str(n), {'a': picture}, scale=2) for n, picture in enumerate(pictures)]
    assert main(['compare', *map(str, visits), '--out-dir', str(tmp_path / 'out')]) == 0
    (pair,) = json.loads((tmp_path / 'out' / 'changes.json').read_text())['pairs']
    assert [change['kinds'] for change in pair['changes']] == [[], [], []]
    assert max(abs(change['width_change']) for change in pair['changes']) < 0.45


def test_scales_that_disagree(visits, tmp_path):
    copy = shutil.copytree(visits[1], tmp_path / 'copy')
    main(['report', str(copy), '--mm-per-pixel', '0.8'])
    main(['compare', str(visits[0]), str(copy), '--out-dir', str(tmp_path / 'out')])
    (pair,) = json.loads((tmp_path / 'out' / 'changes.json').read_text())['pairs']
    assert any('disagree by' in note for note in pair['notes'])


def test_errors_that_both_reports_know(visits, compared, tmp_path):
    """Corrected by the bias of each, and compared by the intervals."""
    copies = [shutil.copytree(visit, tmp_path / str(number)) for number, visit in enumerate(visits)]
    for copy, bias in zip(copies, (0.2, 0.5), strict=True):
        curve = dict(measured=[1, 50], bias=[bias, bias], spread=[2, 2])
        about = dict(source='a test', threshold=THRESHOLD, widths=[1, 50], blurs=[1, 1], weights='none')
        known = dict(curves={'mean_width': curve}, length_bias=0, length_spread=0, about=about)
        summary = json.loads((copy / 'summary.json').read_text())
        summary['width_errors'] = {'format': FORMAT, **known}
        (copy / 'summary.json').write_text(json.dumps(summary))
    main(['compare', *map(str, copies), '--out-dir', str(tmp_path / 'out')])
    found, plain = (
        json.loads((folder / 'changes.json').read_text())['pairs'][0]['changes']
        for folder in (tmp_path / 'out', compared[0])
    )
    assert not any('wider' in change['kinds'] for change in found)
    wide = next(change for change in plain if change['kinds'] == ['wider'])
    same = next(change for change in found if change['new'] == wide['new'])
    assert same['new_width'] == pytest.approx(wide['new_width'] - 0.5)
    assert same['old_width'] == pytest.approx(wide['old_width'] - 0.2 * 1.04, abs=0.02)


def broken(visits, tmp_path):
    return shutil.copytree(visits[1], tmp_path / 'copy')


def refused(capsys, *words):
    assert main(['compare', *map(str, words)]) == 2
    return capsys.readouterr().err


def test_no_report(visits, tmp_path, capsys):
    out = ('--out-dir', tmp_path / 'out')
    assert f'there is no folder {tmp_path / "no"}' in refused(capsys, tmp_path / 'no', visits[1], *out)
    assert not (tmp_path / 'no').exists()
    assert f'{tmp_path} holds no summary.json' in refused(capsys, visits[0], tmp_path, *out)


@pytest.mark.parametrize('kind', ['records/wall.json', 'probability/wall.png', 'preview/wall_before.webp'])
def test_incomplete_report(visits, tmp_path, capsys, kind):
    copy = broken(visits, tmp_path)
    (copy / kind).unlink()
    said = refused(capsys, visits[0], copy, '--out-dir', tmp_path / 'out')
    assert str(copy) in said
    assert kind.split('/')[0].replace('preview', 'before').replace('records', 'records/wall.json') in said


def test_damaged_report(visits, tmp_path, capsys):
    copy = broken(visits, tmp_path)
    (copy / 'summary.json').write_text('{')
    assert 'summary.json is damaged' in refused(capsys, visits[0], copy, '--out-dir', tmp_path / 'out')


def test_no_common_place(visits, tmp_path, capsys):
    other = report(tmp_path / 'other', {'wall': photo([SAME], wall=9)})
    said = refused(capsys, visits[0], other, '--out-dir', tmp_path / 'out')
    assert 'no photo of' in said
    assert 'shows the same place' in said


def test_report_is_not_overwritten(visits, capsys):
    assert 'would overwrite' in refused(capsys, *visits, '--out-dir', visits[1])
