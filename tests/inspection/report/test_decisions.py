"""Decisions of a person: a report without the rejected cracks is that of a photo that never had them."""

import csv
import json

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer, CrackResult
from csbsr_mm.cli import main
from csbsr_mm.inspection.exports.command import write_annotations
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.report.decisions import best_fit, read_decisions
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.inspection.report.rejection import strike_out
from csbsr_mm.photos.input_files import find_photos
from csbsr_mm.photos.raster import Raster

CROSS, WIDE, THIN = (np.s_[30:34, 10:100], np.s_[10:60, 50:54]), (np.s_[90:96, 20:140],), (np.s_[110, 5:150],)
WIDE_BOX = [90.0, 20.0, 96.0, 140.0]


def predict(tmp_path, out, *cracks):
    image = np.full((120, 160, 3), 230, np.uint8)
    for darkness, parts in enumerate(cracks):
        for part in parts:
            image[part] = 20 + 10 * darkness
    Image.fromarray(image).save(tmp_path / f'{out}.png')
    folder = OutputFolder(tmp_path / out)
    run = PredictionRun(CrackInferencer(DarkBackend(2), threshold=0.5), folder)
    records = list(run.run(find_photos([tmp_path / f'{out}.png'])))
    Report(folder, records, settings={'Threshold': 0.5}).write()
    return tmp_path / out


def decide(tmp_path, *entries):
    content = dict(format='csbsr-decisions', decisions=[dict(photo='all', **entry) for entry in entries])
    (tmp_path / 'decisions.json').write_text(json.dumps(content))
    return str(tmp_path / 'decisions.json')


def record(folder):
    return json.loads((folder / f'records/{folder.name}.json').read_text())


def test_as_if_it_had_never_been_there(tmp_path, capsys):
    report = predict(tmp_path, 'all', CROSS, WIDE, THIN)
    expected = predict(tmp_path, 'expected', CROSS, (), THIN)
    before = record(report)
    assert len(before['cracks']) == 3
    file = decide(tmp_path, dict(box=WIDE_BOX, crack=2, decision='reject', comment='a joint'))
    assert main(['report', str(report), '--decisions', file]) == 0
    assert 'rejected cracks, left out: 1' in capsys.readouterr().out
    for name in ('total', 'cracks', 'ignored', 'blobs'):
        assert record(report)[name] == record(expected)[name], name
    found, wanted = (np.asarray(Image.open(f / f'mask/{f.name}.png')) for f in (report, expected))
    assert np.array_equal(found, wanted)
    summary = json.loads((report / 'summary.json').read_text())
    assert summary['photos'][0]['decisions'][0]['comment'] == 'a joint'
    assert write_annotations(report, 'coco', tmp_path / 'coco.json') == 2
    # Other settings keep what was decided; forgetting it brings everything back.
    assert main(['report', str(report), '--mm-per-pixel', '2']) == 0
    assert len(record(report)['cracks']) == 2
    assert main(['report', str(report), '--no-decisions']) == 0
    assert record(report)['cracks'] == before['cracks']
    assert (np.asarray(Image.open(report / 'mask/all.png')) > 0).sum() > (found > 0).sum()


def test_comments_are_in_table_and_page(tmp_path):
    report = predict(tmp_path, 'all', CROSS, WIDE)
    said = '=1+1 "ask" </script>'
    file = decide(
        tmp_path,
        dict(box=WIDE_BOX, decision='accept', comment=said),
        dict(box=[10.0, 10.0, 60.0, 100.0], decision='reject', comment='old'),
    )
    assert main(['report', str(report), '--decisions', file]) == 0
    with (report / 'cracks.csv').open(newline='', encoding='utf-8-sig') as table:
        (row,) = csv.DictReader(table)
    assert (row['decision'], row['comment']) == ('accept', "'" + said)
    with (report / 'summary.csv').open(newline='', encoding='utf-8-sig') as table:
        (row,) = csv.DictReader(table)
    assert (row['cracks'], row['rejected']) == ('1', '1')
    page = (report / 'index.html').read_text(encoding='utf-8')
    assert said not in page
    assert 'rejected by hand' in page
    line = next(line for line in page.splitlines() if line.startswith('const DECISIONS = '))
    assert {one['comment'] for one in json.loads(line[18:-1])} == {said, 'old'}


def test_a_decision_holds_where_the_crack_changes_a_little(tmp_path, capsys):
    report = predict(tmp_path, 'all', CROSS, WIDE)
    file = decide(
        tmp_path,
        dict(box=[91.0, 22.0, 96.0, 138.0], crack=2, decision='reject'),
        dict(box=[0.0, 0.0, 9.0, 9.0], crack=7, decision='reject'),
    )
    assert main(['report', str(report), '--decisions', file]) == 0
    assert 'all: no crack fits the decision about crack 7 any more' in capsys.readouterr().out
    wide, gone = record(report)['decisions']
    assert (wide['box'], wide['in_effect'], gone['in_effect']) == (WIDE_BOX, True, False)
    assert len(record(report)['cracks']) == 1


def test_the_later_decision_counts(tmp_path):
    early, late = (
        dict(box=WIDE_BOX, decision=decision, at=f'2026-01-0{day}T00:00:00.000Z')
        for day, decision in ((1, 'reject'), (2, 'accept'))
    )
    for entries in ((early, late), (late, early)):
        (kept,) = read_decisions(decide(tmp_path, *entries))
        assert kept.decision == 'accept'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(decision='maybe'), "decision 1: a decision is 'accept', 'reject' or '', got 'maybe'"),
        (dict(box=[1, 2, 3]), r'decision 1: a box is top, left, bottom, right, got \[1, 2, 3\]'),
        (dict(box=[1, 2, 1, float('nan')]), 'decision 1: a box is top'),
        (dict(comment=5), 'decision 1: comment must be a text, got 5'),
    ],
)
def test_wrong_entries_are_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read_decisions(decide(tmp_path, dict(box=WIDE_BOX) | change))


def test_wrong_files_are_refused(tmp_path, capsys):
    report = predict(tmp_path, 'other', CROSS)
    assert main(['report', str(report), '--decisions', decide(tmp_path, dict(box=WIDE_BOX))]) == 2
    assert 'is about all, which' in capsys.readouterr().err
    (tmp_path / 'a.json').write_text('{}')
    with pytest.raises(ValueError, match=r'a\.json holds no decisions'):
        read_decisions(tmp_path / 'a.json')
    (tmp_path / 'a.json').write_text('{')
    with pytest.raises(ValueError, match=r'a\.json is no JSON'):
        read_decisions(tmp_path / 'a.json')


def test_what_lies_in_the_holes_of_a_rejected_crack_goes_too():
    """An island in a small hole counts as part of the crack; another crack within its box does not."""
    mask = np.zeros((120, 200), bool)
    mask[20:36, 10:190] = mask[20:110, 10:26] = True
    mask[24:31, 100:107] = False
    mask[27, 103] = True
    other = np.zeros_like(mask)
    other[70:75, 60:180] = True
    raster = Raster(*mask.shape, 1, np.float32)
    raster.write(raster.box, np.where(mask | other, np.float32(0.9), np.float32(0.2))[..., None])
    result = CrackResult(None, raster, None, None, 0.5, 2)
    assert strike_out(result, [(10.0, 5.0, 55.0, 95.0), (0.0, 0.0, 3.0, 3.0)]) == [(10, 5, 55, 95), None]
    assert np.array_equal(result.mask, other)


def test_the_same_crack_is_the_one_that_overlaps_most():
    boxes = [(0, 0, 10, 10), (0, 2, 10, 10), (50, 50, 60, 60)]
    assert [best_fit(box, boxes) for box in ((0, 2, 10, 10), (0, 1, 10, 10), (52, 52, 62, 62))] == [
        1,
        0,
        None,
    ]
    assert best_fit((0, 0, 1, 1), []) is None
