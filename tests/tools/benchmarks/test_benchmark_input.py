"""The benchmark of the input: what it reports, on a data set of three photos."""

import json
import math
import re

import pytest
import torch
from helpers.crack_files import write_set
from helpers.tools import load_tool
from helpers.training import dump, tiny_config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from csbsr_mm.engine.profiling.loader_throughput import measure_throughput, time_transforms, training_loader

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask'),
    dict(type='KeyedRandomFlip'),
    dict(type='KeyedRandomFlip', seed=1),
    dict(type='BlindDegradation', kernel_size=5),
    dict(type='PackBlindSRInputs'),
]
STEPS = [
    'look-up',
    'LoadImageFromFile',
    'LoadAnnotations',
    'BinarizeMask',
    'KeyedRandomFlip',
    'KeyedRandomFlip (4)',
    'BlindDegradation',
    'PackBlindSRInputs',
]


@pytest.fixture(scope='module')
def tool():
    return load_tool('benchmarks/benchmark_input')


@pytest.fixture
def cfg(tmp_path):
    """The tiny training run, on photos from the disk."""
    write_set(tmp_path / 'data')
    cfg = tiny_config(tmp_path / 'run')
    cfg.train_dataloader = dict(
        batch_size=2,
        num_workers=4,
        persistent_workers=True,
        prefetch_factor=3,
        collate_fn=dict(type='packed_collate'),
        sampler=dict(type='KeyedInfiniteSampler'),
        dataset=dict(
            type='CrackDataset',
            data_root=str(tmp_path / 'data'),
            data_prefix=dict(img_path='train/images', seg_map_path='train/masks'),
            pipeline=PIPELINE,
        ),
    )
    return cfg


@pytest.fixture
def run(tool, tmp_path):
    def run(cfg, *arguments):
        config = dump(cfg, tmp_path / 'config.py')
        report = tmp_path / 'reports' / 'input.json'
        options = ['--images', '6', '--steps', '1', '--device', 'cpu', '--json', report]
        assert tool.main([str(argument) for argument in (config, *options, *arguments)]) == 0
        return json.loads(report.read_text())

    return run


def test_report(cfg, run, capsys):
    report = run(cfg, '--workers', '1')
    assert list(report['transforms_ms']) == STEPS
    assert all(value >= 0 for value in report['transforms_ms'].values())
    assert (report['workers'], report['batch_size']) == (1, 2)
    supplied, used = report['images_per_second'], report['step_images_per_second']
    assert report['images_per_second_per_worker'] == pytest.approx(supplied)
    assert used == pytest.approx(2 / report['step_seconds'])
    assert report['ratio'] == pytest.approx(supplied / used)
    assert report['workers_needed'] == math.ceil(used / supplied)
    assert report['worker_ms'] > 0
    assert report['wall_ms'] == pytest.approx(1000 / supplied)
    printed = capsys.readouterr().out
    assert 'ratio supplied / used' in printed
    assert all(name in printed for name in STEPS)


def test_without_workers_and_without_a_step(cfg, run, capsys):
    report = run(cfg, '--workers', '0', '--no-step', '--batch-size', '3')
    assert report['batch_size'] == 3
    assert report['receiving_ms'] == 0
    assert report['worker_ms'] > 0
    assert 'step_seconds' not in report
    assert 'ratio' not in capsys.readouterr().out


def test_config_of_data_alone(cfg, run):
    cfg.pop('model')
    assert 'step_seconds' not in run(cfg, '--workers', '0')


def test_loader_is_that_of_training(cfg):
    init_default_scope('mmseg')
    mine = next(iter(training_loader(cfg, workers=0)))
    runners = next(iter(Runner.build_dataloader({**cfg.train_dataloader, 'num_workers': 1}, seed=0)))
    for one, other in zip(mine['inputs'], runners['inputs'], strict=True):
        assert torch.equal(one, other)


def test_data_set_without_a_pipeline_of_its_own(cfg):
    init_default_scope('mmseg')
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=cfg.train_dataloader.dataset)
    threads = torch.get_num_threads()
    assert list(time_transforms(training_loader(cfg, workers=0), images=2)) == ['RepeatDataset']
    assert torch.get_num_threads() == threads


def test_sampler_that_is_used_up(cfg):
    """MMEngine's endless sampler serves one loop over the data; a second one would wait for ever."""
    init_default_scope('mmseg')
    cfg.train_dataloader.sampler = dict(type='InfiniteSampler')
    loader = training_loader(cfg, workers=0)
    assert list(time_transforms(loader, images=2)) == STEPS
    with pytest.raises(ValueError, match='DataLoader gives nothing; if it is used up'):
        measure_throughput(loader, images=2)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--workers', '-1'], 'error: --workers must be at least 0, .*'),
        (['--cfg-options', 'train_dataloader.dataset.data_root=nowhere'], 'error: .*nowhere.*'),
        (['--cfg-options', 'train_dataloader=None'], 'error: .* has no train_dataloader'),
    ],
)
def test_errors_are_one_line(cfg, tool, tmp_path, capfd, arguments, message):
    config = dump(cfg, tmp_path / 'config.py')
    assert tool.main([str(config), '--device', 'cpu', *arguments]) == 1
    assert re.fullmatch(message, capfd.readouterr().err.splitlines()[-1])


def test_a_config_that_is_not_there(tool, capsys):
    assert tool.main(['nowhere.py', '--device', 'cpu']) == 1
    assert capsys.readouterr().err.startswith('error: config nowhere.py does not exist')
