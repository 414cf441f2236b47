"""The tables' rows: what they train, and that nothing else differs between them."""

import csv
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from csbsr_mm.engine.config import load_config
from csbsr_mm.tables import paper
from csbsr_mm.tables.paper import TABLES, Row, Run, Table

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'csbsr'

RUNS = [
    (f'{table}-{row.key}-{scale}', row.run(scale))
    for table in TABLES
    for row in TABLES[table].rows
    for scale in ('full', 'mini')
    if row.run(scale) is not None
]
LOSSES = {
    'wce': (0.0, 1.0, 'dice'),
    'wce_eq8': (0.0, 1.0, 'dice'),
    'dice': (0.0, 0.0, 'dice'),
    'combo': (0.0, 0.5, 'dice'),
    'boundary_gdice': (None, 0.0, 'gdice'),
    'gbc': (None, 0.5, 'gdice'),
    'bc': (None, 0.5, 'dice'),
}
# What may differ between a row and CSBSR itself: top-level entries of the config.
OWN = {'model', 'default_hooks', 'loss', 'fail_weighted', 'step2', 'work_dir'}


def read(run: Run):
    return load_config(str(CONFIGS / run.config), dict(run.options))


def row(table: str, key: str) -> Row:
    return next(row for row in TABLES[table].rows if row.key == key)


@pytest.mark.parametrize('run', [run for _, run in RUNS], ids=[name for name, _ in RUNS])
def test_a_run_starts_from_the_network_that_it_trains(run):
    config = read(run)
    assert config.train_cfg.max_iters > 0
    if run.start is not None:
        start = read(run.start)
        assert start.model.sr == config.model.sr


def test_rows_and_folders_are_unique():
    for table in TABLES.values():
        keys = [row.key for row in table.rows]
        assert len(set(keys)) == len(keys)
    for scale in ('full', 'mini'):
        by_name = {}
        for table in TABLES.values():
            for found in table.rows:
                run = found.run(scale)
                if run is not None:
                    assert by_name.setdefault(run.name, run) == run


@pytest.mark.parametrize('scale', ['full', 'mini'])
@pytest.mark.parametrize(('key', 'expected'), LOSSES.items())
def test_losses_of_table4(scale, key, expected):
    init_default_scope('mmseg')
    config = read(row('table4', key).run(scale))
    heads = [config.model.segmentor.decode_head, config.model.segmentor.get('auxiliary_head')]
    for head in filter(None, heads):
        loss = MODELS.build(head.loss_decode)
        assert (loss.fixed_alpha, loss.gamma, loss.region) == expected
    assert config.default_hooks.boundary_rebalance.type == 'BoundaryRebalanceHook'


@pytest.mark.parametrize('scale', ['full', 'mini'])
@pytest.mark.parametrize('table', ['table3', 'table4', 'table5'])
def test_rows_see_the_same_data_for_as_long(table, scale):
    """Only the model and the hooks differ between rows that start alike."""
    own = paper.CSBSR if scale == 'full' else paper.MINI_CSBSR
    plain = read(own).to_dict()
    for found in TABLES[table].rows:
        run = found.run(scale)
        if run is None or run.start != own.start:
            continue
        config = read(run).to_dict()
        changed = {key for key in plain | config if plain.get(key) != config.get(key)}
        assert changed <= OWN, run.config


@pytest.mark.parametrize('scale', ['full', 'mini'])
def test_task_weights_of_table3(scale):
    for prefix in ('csbsr', 'cssr'):
        for weight in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
            assert read(row('table3', f'{prefix}_{weight}').run(scale)).model.task_weight == weight


@pytest.mark.parametrize('scale', ['full', 'mini'])
def test_without_joint_learning_only_the_segmentor_learns_at_last(scale):
    last = read(row('table3', 'csbsr_separate').run(scale)).default_hooks.training_stage.stages[-1]
    assert last == dict(frozen=['sr'], task_weight=1.0)


@pytest.mark.parametrize('scale', ['full', 'mini'])
def test_blur_skips_of_table6(scale):
    plain, *rows = [
        read(row('table6', key).run(scale)).to_dict()
        for key in ('none', 'blur_skip', 'blur_skip_fail_oriented', 'original_sft_fail_oriented')
    ]
    weights = [[], [dict(type='FailOrientedWeight', m=1.0)], [dict(type='FailOrientedWeight', m=1.0)]]
    transforms = ['modified', 'modified', 'original']
    for found, weight, transform in zip(rows, weights, transforms, strict=True):
        blur_skip = found['model'].pop('blur_skip')
        assert (blur_skip['type'], blur_skip.get('sft', 'modified')) == ('BlurSkipNeck', transform)
        assert found['model'].pop('sr_loss_weights', []) == weight
        assert {key: found[key] for key in plain if key != 'work_dir'} == {
            key: plain[key] for key in plain if key != 'work_dir'
        }
    frozen = read(row('table6', 'blur_skip_frozen').run(scale))
    assert frozen.default_hooks.training_stage.stages == [dict(trainable=['blur_skip'], task_weight=1.0)]
    assert row('table6', 'blur_skip_frozen').run(scale).start == row('table6', 'none').run(scale)


def test_sheets_travel_in_the_wheel():
    tomllib = pytest.importorskip('tomllib')  # Python 3.11
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    patterns = project['tool']['setuptools']['package-data']['csbsr_mm']
    package = ROOT / 'csbsr_mm'
    packed = {path for pattern in patterns for path in package.glob(pattern)}
    assert set(paper.PUBLISHED.glob('*.csv')) <= packed


@pytest.mark.parametrize('table', [table for table in TABLES if table not in paper.NOT_PRINTED])
def test_sheets_of_the_published_figures_have_every_row(table):
    with (paper.PUBLISHED / f'{table}.csv').open(newline='') as file:
        assert [line['row'] for line in csv.DictReader(file)] == [row.key for row in TABLES[table].rows]
    paper.published(table)


def test_the_sweep_of_m():
    """2^-3 ... 2^3 for each weight; the m of Table V are Table V's own runs, and both heads have one m."""
    rows = {found.key: found for found in TABLES['table5_sweep'].rows}
    assert len(rows) == 21
    assert paper.published('table5_sweep') == {}
    for key, m in (('crack_oriented_on_sr_loss', 8), ('fail_oriented_on_sr_loss', 1)):
        for scale in ('full', 'mini'):
            assert rows[f'{key}_{m}'].run(scale) == row('table5', key).run(scale)
            (weight,) = read(rows[f'{key}_0.125'].run(scale)).model.sr_loss_weights
            assert weight.m == 0.125
    for scale in ('full', 'mini'):
        segmentor = read(rows['fail_oriented_on_seg_loss_4'].run(scale)).model.segmentor
        heads = [segmentor.decode_head, segmentor.get('auxiliary_head')]
        assert {head.loss_decode.fail_weight_m for head in filter(None, heads)} == {4}


def test_published_figures_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, 'PUBLISHED', tmp_path)
    monkeypatch.setitem(TABLES, 'mine', Table('Mine', (Row('a', 'A', None), Row('b', 'B', None))))
    sheet = tmp_path / 'mine.csv'
    sheet.write_text('row,IoU_max,AIU\na,0.5,\nb,,\n')
    assert paper.published('mine') == {'a': {'IoU_max': 0.5}}
    sheet.write_text('row,IoU_max\nc,0.5\n')
    with pytest.raises(ValueError, match=r"mine\.csv has the row 'c'; mine has a, b"):
        paper.published('mine')
    sheet.write_text('row,IoU_max\na,0,5\n')
    with pytest.raises(ValueError, match="row 'a'"):
        paper.published('mine')


@pytest.mark.parametrize('table', TABLES)
def test_the_docs_list_every_row(table):
    """docs/reproduce.md has a line for each row, with the config and options of both scales."""
    page = (ROOT / 'docs' / 'reproduce.md').read_text()
    section = page.split(f'### {TABLES[table].title}\n')[1].split('\n### ')[0]
    lines = [line for line in section.splitlines() if line.startswith('| `')]
    assert len(lines) == len(TABLES[table].rows)
    for line, found in zip(lines, TABLES[table].rows, strict=True):
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        assert cells[:2] == [f'`{found.key}`', found.label]
        for cell, run in zip(cells[2:], (found.full, found.mini), strict=True):
            options = ' '.join(f'{key}={value}' for key, value in run.options.items()) if run else ''
            words = [f'`{run.config}`', f'`{options}`' if options else ''] if run else ['-']
            assert cell == ' '.join(words).strip()
