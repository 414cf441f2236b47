"""Training ends on a signal with its state saved; the resumed run equals one that was never stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from helpers.training import ROOT, TESTS, dump, free_port, load, loader, run_tool, tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.config import set_resume
from csbsr_mm.engine.hooks import StopSignalHook, TrainingStopped
from csbsr_mm.engine.runtime import stop_on_signals


def config(work_dir, *hooks, max_iters=6, **changes):
    return tiny_config(work_dir, max_iters=max_iters, log_level='INFO', hooks=hooks, **changes)


def go_on_and_compare(tmp_path, data):
    """Resume what was stopped; it must equal a run that never was."""
    resumed = config(tmp_path / 'run', train_dataloader=data)
    set_resume(resumed, 'auto')
    Runner.from_cfg(resumed).train()
    Runner.from_cfg(config(tmp_path / 'whole', train_dataloader=data)).train()
    first, second = (load(tmp_path / run / 'iter_6.pth')['state_dict'] for run in ('run', 'whole'))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGUSR1'])
def test_stops_saves_and_goes_on(tmp_path, name):
    before = signal.getsignal(getattr(signal, name))
    cfg = config(tmp_path / 'run', dict(type='SignalHook', after_iter=3, signal=name))
    stop_on_signals(cfg)
    with pytest.raises(TrainingStopped) as caught:
        Runner.from_cfg(cfg).train()
    assert caught.value.code == 75
    assert load(tmp_path / 'run' / 'iter_3.pth')['meta']['iter'] == 3
    assert signal.getsignal(getattr(signal, name)) == before
    go_on_and_compare(tmp_path, loader())


def test_signal_to_the_whole_group_leaves_the_workers(tmp_path):
    """As a scheduler sends it; torch's workers would die of it, and training of that."""
    data = loader(workers=2)
    hook = dict(type='SignalHook', after_iter=3, to_group=True)
    begun = time.monotonic()
    done = start(dump(config(tmp_path / 'run', hook, train_dataloader=data), tmp_path / 'config.py'))
    output = done.communicate(timeout=200)[0]
    assert done.returncode == 75, output[-3000:]
    assert 'SIGTERM: stopped after iteration 3' in output
    assert 'Traceback' not in output
    assert not (tmp_path / 'run' / 'run.lock').exists()
    assert time.monotonic() - begun < 60  # No worker had to be waited for.
    go_on_and_compare(tmp_path, data)


def start(path, **kwargs):
    return subprocess.Popen(
        [sys.executable, str(ROOT / 'tools' / 'train.py'), str(path)],
        env=dict(os.environ, PYTHONPATH=f'{TESTS}{os.pathsep}{ROOT}', OMP_NUM_THREADS='1'),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **kwargs,
    )


def test_second_signal_ends_at_once(tmp_path, monkeypatch):
    hook = StopSignalHook()
    hook._note(signal.SIGTERM, None)
    hook._note(signal.SIGTERM, None)  # A launcher's repetition.
    monkeypatch.setattr('csbsr_mm.engine.hooks.stop_signal_hook.ONE_REQUEST', 0.0)
    killed = []
    monkeypatch.setattr(os, 'kill', lambda pid, number: killed.append((pid, number)))
    before = signal.getsignal(signal.SIGINT)
    hook._note(signal.SIGINT, None)
    signal.signal(signal.SIGINT, before)
    assert killed == [(os.getpid(), signal.SIGINT)]


def test_interrupted_while_it_starts_shows_no_traceback(tmp_path):
    path = dump(config(tmp_path / 'run'), tmp_path / 'config.py')
    # A shell starts background processes, and so perhaps these tests, with SIGINT ignored.
    interrupt = (
        'signal.signal(signal.SIGINT, signal.default_int_handler)\nos.kill(os.getpid(), signal.SIGINT)'
    )
    path.write_text(f'{path.read_text()}\nimport os, signal\n{interrupt}\n')
    done = run_tool('train.py', path, check=False)
    assert done.returncode == 130
    assert 'Traceback' not in done.stderr


def test_stops_in_validation_and_validates_again(tmp_path):
    validation = loader(batch_size=1, length=4)
    validation['sampler'] = dict(type='DefaultSampler', shuffle=False)
    settings = dict(
        val_dataloader=validation,
        val_cfg=dict(type='ValLoop'),
        val_evaluator=[dict(type='SRQualityMetric')],
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=2, val_interval=1),
        interval=1,
        max_iters=2,
    )
    cfg = config(tmp_path / 'run', dict(type='SignalHook', in_validation=True), **settings)
    stop_on_signals(cfg)
    with pytest.raises(TrainingStopped):
        Runner.from_cfg(cfg).train()
    assert [path.name for path in (tmp_path / 'run').glob('*.pth')] == ['iter_1.pth']
    resumed = config(tmp_path / 'run', **settings)
    set_resume(resumed, 'auto')
    runner = Runner.from_cfg(resumed)
    runner.train()
    scores = runner.message_hub.get_scalar('val/PSNR').data[0]
    assert len(scores) == 2  # After iteration 1, which was cut short, and after iteration 2.


@pytest.mark.slow
def test_all_ranks_stop_together(tmp_path):
    hook = dict(type='SignalHook', after_iter=2, rank=1)
    path = dump(config(tmp_path / 'run', hook), tmp_path / 'config.py')
    done = run_tool('dist_train.sh', path, 2, check=False, PORT=free_port())
    assert done.returncode != 0
    assert 'SIGTERM: stopped after iteration 2' in done.stdout + done.stderr
    assert load(tmp_path / 'run' / 'iter_2.pth')['meta']['iter'] == 2
