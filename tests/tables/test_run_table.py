"""A table of two tiny rows is run, interrupted, continued, collected and compared."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest
from helpers.training import csbsr, dump, free_port, loader, tiny_config

from csbsr_mm.cli import main
from csbsr_mm.tables import paper, report, runner
from csbsr_mm.tables.paper import Row, Run, Table
from csbsr_mm.visualization.threshold_curves import mean_curves, read_curves

ROOT = Path(__file__).parents[2]

STEP2 = Run('step2.py')
PLAIN = Run('row.py', STEP2)
OTHER = Run('row.py', STEP2, {'model.task_weight': 0.9})


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table 'tiny' whose configs train for one or two iterations."""
    configs = tmp_path / 'configs'
    configs.mkdir()
    data = loader(batch_size=1, length=3)
    data['sampler'] = dict(type='DefaultSampler', shuffle=False)
    test = dict(
        test_dataloader=data,
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[
            dict(type='AIUMetric', thresholds=[0.3, 0.5]),
            dict(type='HD95Metric', thresholds=[0.3, 0.5]),
            dict(type='SRQualityMetric'),
        ],
        load_from=None,
    )
    dump(tiny_config('unused', max_iters=1), configs / 'step2.py')
    dump(tiny_config('unused', max_iters=2, interval=1, **test), configs / 'row.py')
    rows = (Row('plain', 'A row', PLAIN), Row('other', 'Another', OTHER), Row('none', 'At no scale', None))
    monkeypatch.setitem(paper.TABLES, 'tiny', Table('Tiny', rows))
    monkeypatch.setattr(runner, 'CONFIGS', configs)
    monkeypatch.setattr(paper, 'PUBLISHED', tmp_path)
    (tmp_path / 'tiny.csv').write_text('row,IoU_max,PSNR\nplain,0.573,\nother,,\n')
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """Run the tools within this process, and note what was run; ``calls.stop_at`` interrupts that call."""

    class Calls(list):
        stop_at = None

    made = Calls()

    def call(command, log, progress):
        tool, work_dir = command[3], Path(command[command.index('--work-dir') + 1])
        made.append((tool, str(work_dir).split('full/')[1]))
        if len(made) == made.stop_at:
            raise KeyboardInterrupt
        assert command[:3] == [sys.executable, '-m', 'csbsr_mm']
        csbsr(*command[3:])
        progress(1, 1)

    monkeypatch.setattr(runner, '_call', call)
    return made


def run(folder, *arguments):
    return main(['table', 'tiny', '--work-dir', str(folder / 'runs'), *map(str, arguments)])


def test_runs_each_thing_once_and_goes_on_after_an_interruption(table, calls, capsys):
    calls.stop_at = 4
    assert run(table) == 130
    assert 'goes on here' in capsys.readouterr().err
    calls.stop_at = None
    assert run(table, '--against', 'plain') == 0
    other = 'row+task_weight=0.9/seed0'
    first = [('train', 'step2/seed0'), ('train', 'row/seed0'), ('test', 'row/seed0/test')]
    assert calls == [*first, ('train', other), ('train', other), ('test', f'{other}/test')]
    assert run(table) == 0
    assert len(calls) == 6
    started = json.loads((table / 'runs/full' / other / 'run.json').read_text())
    assert (started['start'], started['settings']['model']['task_weight']) == ('step2', 0.9)


def test_collects_what_the_metrics_wrote(table, calls, capsys):
    assert run(table, '--rows', 'plain', '--collect') == 0
    assert 'nothing of tiny is finished' in capsys.readouterr().err
    assert run(table, '--rows', 'plain', '--seeds', 0, 1) == 0
    printed = capsys.readouterr().out
    assert '0.573' in printed
    root = table / 'runs' / 'full'
    by_seed = json.loads((root / 'tiny.json').read_text())['plain']
    for seed in (0, 1):
        metrics = json.loads((root / f'row/seed{seed}/metrics.json').read_text())['metrics']
        assert by_seed[str(seed)] == metrics
        assert {'IoU_max', 'HD95_min', 'HD50_min', 'PSNR'} <= metrics.keys()
        with (root / f'row/seed{seed}/hausdorff.csv').open() as file:
            assert len(list(csv.DictReader(file))) == 3
    assert '| A row | 2 |' in (root / 'tiny.md').read_text()
    # The mean curve over both seeds, drawn without another test.
    assert (root / 'tiny_curves.png').stat().st_size > 1000
    curves = [read_curves(root / f'row/seed{seed}/curves') for seed in (0, 1)]
    for name in ('IoU', 'HD95', 'HD50'):
        thresholds, values = mean_curves(curves)[name]
        assert len(thresholds) == 2
        assert values == pytest.approx((curves[0][name][1] + curves[1][name][1]) / 2)


def test_a_folder_of_other_settings_is_refused(table, calls, capsys):
    assert run(table, '--rows', 'plain') == 0
    config = runner.CONFIGS / 'row.py'
    config.write_text(config.read_text().replace('task_weight=0.3', 'task_weight=0.7'))
    assert run(table, '--rows', 'plain') == 1
    assert 'made with settings.model.task_weight=0.3, not 0.7; delete that folder' in capsys.readouterr().err
    assert len(calls) == 3


def test_a_given_checkpoint_takes_the_place_of_a_start(table, calls, capsys):
    assert run(table, '--rows', 'plain') == 0
    checkpoint = table / 'runs/full/step2/seed0/iter_1.pth'
    del calls[:]
    elsewhere = table / 'elsewhere'
    assert run(table, '--rows', 'plain', '--given', f'step2={checkpoint}', '--work-dir', elsewhere) == 0
    assert [tool for tool, _ in calls] == ['train', 'test']
    for pair, message in (
        ('nix=a.pth', "no row starts from 'nix'; they start from ['step2']"),
        ('step2=a.pth', "checkpoint 'a.pth' does not exist"),
    ):
        assert run(table, '--rows', 'plain', '--given', pair) == 2
        assert message in capsys.readouterr().err


def test_unknown_rows_are_named(table, capsys):
    assert run(table, '--rows', 'none') == 2
    assert "no row 'none' at the full scale; it has plain, other" in capsys.readouterr().err


def test_listing_gives_the_arguments_of_training(table, capsys):
    assert run(table, '--list') == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:] == [
        'other: Another',
        '    configs/csbsr/row.py',
        '    --cfg-options model.task_weight=0.9 load_from=<step2>',
    ]


def test_a_call_is_logged_and_its_failure_reported(tmp_path):
    log, seen = tmp_path / 'train.log', []
    code = "print('Iter(train) [  3/40] loss: 1'); raise SystemExit('error: no such file')"
    command = [sys.executable, '-c', code]
    with pytest.raises(runner.RunFailed, match='ended with status 1: error: no such file'):
        runner._call(command, log, lambda *done: seen.append(done))
    assert seen == [(3, 40)]
    assert 'loss: 1' in log.read_text()


def test_a_run_is_not_made_twice_at_once(tmp_path):
    command = [sys.executable, '-c', 'pass']
    with (
        runner._alone(tmp_path),
        pytest.raises(runner.RunFailed, match='is being run by another command'),
    ):
        runner._call(command, tmp_path / 'train.log', print)
    runner._call(command, tmp_path / 'train.log', print)


def test_mean_spread_and_paired_difference(tmp_path):
    rows = (Row('a', 'A', PLAIN), Row('b', 'B', OTHER))
    results = {'a': [{'IoU_max': 0.5, 'PSNR': 25.0}, {'IoU_max': 0.6}], 'b': [{'IoU_max': 0.25}]}
    lines = report.result_lines(Table('T', rows), results, {'b': {'IoU_max': 0.3}})
    assert lines == [
        ['', 'seeds', 'IoU_max ↑', 'PSNR ↑'],
        ['A', '2', '0.550 ± 0.071', '25.00'],
        ['B', '1', '0.250', '-'],
        ['… B, paper', '', '0.300', '-'],
        ['… B, difference', '', '-0.050', '-'],
    ]
    folders = {}
    for key, values in {'a': (0.5, 0.7, 0.9), 'b': (0.4, 0.8, 0.5)}.items():
        folders[key] = {0: tmp_path / key}
        folders[key][0].mkdir()
        shown = [f'{name}.jpg,{value},{value}\n' for name, value in zip('xyz', values, strict=True)]
        # The order of images does not matter.
        ordered = shown if key == 'a' else shown[::-1]
        (folders[key][0] / 'iou.csv').write_text('image,IoU_max,AIU\n' + ''.join(ordered))
    header, line = report.paired_lines(rows, folders, 'b')
    assert header == ['difference to it', 'seeds', 'IoU_max', 'AIU', 'HD95_min', 'PSNR']
    assert line[:2] == ['A', '1']
    assert line[2].startswith('+0.133 [-0.100, +0.400]')
    assert line[2].endswith('67%')
    assert line[4:] == ['-', '-']
    # A second seed, in which A is worse.
    folders['a'][1], folders['b'][1] = folders['b'][0], folders['a'][0]
    line = report.paired_lines(rows, folders, 'b')[1]
    assert line[1:3] == ['2', '+0.000 [+0.000, +0.000], 50% (+0.133 -0.133)']


@pytest.mark.slow
@pytest.mark.parametrize('gpus', [1, 2])
def test_the_command_lines_work(table, monkeypatch, gpus):
    """The same with processes of their own."""
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT / 'tests'), str(ROOT)]))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')
    monkeypatch.setenv('PORT', free_port())
    monkeypatch.setenv('PYTHON', sys.executable)
    assert run(table, '--rows', 'other', '--gpus', gpus) == 0
    folder = table / 'runs/full/row+task_weight=0.9/seed0'
    assert {'IoU_max', 'HD50_min'} <= json.loads((folder / 'metrics.json').read_text())['metrics'].keys()
    assert (folder / 'iter_2.pth').is_file()
