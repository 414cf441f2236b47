"""The benchmark of the training step: variants of a tiny model, and what it says of those that do not run."""

import json

import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.tools import load_tool
from helpers.training import dump, tiny_config

DEGRADED = [dict(type='BlindDegradation', kernel_size=5), dict(type='PackBlindSRInputs')]


@pytest.fixture(scope='module')
def tool():
    return load_tool('benchmarks/benchmark_training_step')


@pytest.fixture
def run(tool, tmp_path):
    def run(*arguments, pipeline=DEGRADED, **changes):
        cfg = tiny_config('unused', **changes)
        cfg.train_dataloader.dataset = dict(type='CrackDataset', pipeline=pipeline)
        config = dump(cfg, tmp_path / 'config.py')
        report = tmp_path / 'reports' / 'step.json'
        options = ['--batch-size', '2', '--size', '32', '--steps', '1', '--device', 'cpu', '--json', report]
        assert tool.main([str(argument) for argument in (config, *options, *arguments)]) == 0
        return {row['variant']: row for row in json.loads(report.read_text())['variants']}

    return run


def test_variants(run, capsys):
    model = tiny_csbsr(blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5))
    rows = run('--variants', 'literal', 'plain', 'channels_last', 'bfloat16', model=model)
    assert list(rows) == ['literal', 'plain', 'channels_last', 'bfloat16']
    assert all(row['seconds'] > 0 and row['peak_mib'] is None for row in rows.values())
    kept = {name: row['kept_mib'] for name, row in rows.items()}
    assert kept['plain'] < kept['literal']
    # The order of the numbers in memory changes nothing; half of their bits does.
    assert kept['channels_last'] == pytest.approx(kept['plain'], rel=0.1)
    assert kept['bfloat16'] < kept['plain']
    printed = capsys.readouterr().out
    assert '+ channels_last' in printed
    assert 'CPU, one thread' in printed


def test_only_kbpn_has_a_literal_form(run):
    """A model of MMSegmentation's own, without super-resolution."""
    preprocessor = dict(type='SegDataPreProcessor', size_divisor=16, pad_val=0, seg_pad_val=255)
    model = dict(tiny_unet(), data_preprocessor=preprocessor)
    rows = run('--variants', 'literal', 'plain', pipeline=[dict(type='PackSegInputs')], model=model)
    assert list(rows) == ['plain']


def test_a_variant_that_does_not_run_is_reported(run, monkeypatch, capsys):
    def compile_nothing(*args, **kwargs):
        raise RuntimeError('no C++ compiler\nand a long explanation')

    monkeypatch.setattr(torch.nn.Module, 'compile', compile_nothing)
    rows = run('--variants', 'plain', 'compile')
    assert rows['compile'] == dict(variant='compile', failed='RuntimeError: no C++ compiler')
    assert rows['plain']['seconds'] > 0
    assert 'compile does not run here: RuntimeError: no C++ compiler' in capsys.readouterr().out


def test_too_little_memory_is_reported(run, tool, monkeypatch):
    built = tool.build

    def build(cfg, variant, device):
        if variant == 'literal':
            raise torch.cuda.OutOfMemoryError('CUDA out of memory')
        return built(cfg, variant, device)

    monkeypatch.setattr(tool, 'build', build)
    rows = run('--variants', 'literal', 'plain')
    assert rows['literal']['failed'] == 'OutOfMemoryError: CUDA out of memory'
    assert rows['plain']['seconds'] > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_device_that_is_not_there(tool, capsys):
    assert tool.main(['any.py', '--device', 'cuda']) == 1
    assert capsys.readouterr().err == 'error: device cuda, but torch finds no GPU here\n'
