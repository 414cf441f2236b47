import errno
import os

import pytest
import torch
from helpers.training import csbsr, dump, load, run_tool, tiny_config


def train(*arguments):
    assert csbsr('train', *arguments) == 0


def test_trains_resumes_and_overrides(tmp_path):
    config = dump(tiny_config('unused', max_iters=1), tmp_path / 'config.py')
    work_dir = tmp_path / 'run'
    train(config, '--work-dir', work_dir, '--cfg-options', 'optim_wrapper.optimizer.lr=0.5')
    first = load(work_dir / 'iter_1.pth')
    assert first['optimizer']['param_groups'][0]['lr'] == 0.5
    options = ['--cfg-options', 'optim_wrapper.optimizer.lr=0.5', 'train_cfg.max_iters=2']
    train('--resume', config, '--work-dir', work_dir, *options)
    assert load(work_dir / 'iter_2.pth')['message_hub']['runtime_info']['draw_position'] == 4
    other = tmp_path / 'other'
    train(config, '--work-dir', other, '--resume', work_dir / 'iter_1.pth', *options)
    assert (other / 'iter_2.pth').is_file()


@pytest.mark.parametrize('option', ['--resume', 'load_from'])
def test_damaged_checkpoints_are_one_clear_line(tmp_path, option):
    config = dump(tiny_config(tmp_path / 'run', max_iters=1), tmp_path / 'config.py')
    train(config)
    path = tmp_path / 'run' / 'iter_1.pth'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    arguments = ['--resume', path] if option == '--resume' else ['--cfg-options', f'load_from={path}']
    with pytest.raises(SystemExit, match=r'error: checkpoint .*iter_1\.pth is truncated, damaged, or none'):
        train(config, *arguments)


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    config = dump(tiny_config(tmp_path / 'run', max_iters=1), tmp_path / 'config.py')

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(SystemExit, match=r'error: .*No space left on device'):
        train(config)


@pytest.mark.skipif(torch.cuda.is_available(), reason='bfloat16 takes the place of float16 on the CPU')
def test_amp_computes_in_bfloat16_and_stays_near(tmp_path):
    config = dump(tiny_config('unused', max_iters=2, log_level='INFO'), tmp_path / 'config.py')
    losses = {}
    for name, option in (('amp', ['--amp']), ('full', [])):
        train(config, '--work-dir', tmp_path / name, *option)
        checkpoint = load(tmp_path / name / 'iter_2.pth')
        losses[name] = checkpoint['message_hub']['log_scalars']['train/loss'].data[0]
        assert all(value.dtype != torch.bfloat16 for value in checkpoint['state_dict'].values())
    assert losses['amp'] != pytest.approx(losses['full'], rel=1e-6)
    assert losses['amp'] == pytest.approx(losses['full'], rel=2e-2)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.py'], r'error: config nowhere\.py does not exist'),
        (['CONFIG', '--resume', 'gone.pth'], r'error: checkpoint gone\.pth'),
        (['CONFIG', '--cfg-options', 'load_from=step1.pth'], r'error: load_from=step1\.pth does not exist'),
        (['CONFIG', '--amp', '--cfg-options', 'optim_wrapper.type=Mine'], 'error: --amp .* got Mine'),
    ],
)
def test_one_clear_line_for_what_is_missing(tmp_path, arguments, message):
    config = dump(tiny_config(tmp_path / 'run'), tmp_path / 'config.py')
    with pytest.raises(SystemExit, match=message):
        train(*[config if word == 'CONFIG' else word for word in arguments])


@pytest.mark.parametrize(
    ('script', 'arguments', 'message'),
    [
        ('dist_train.sh', ['nowhere.py', 2], "error: config 'nowhere.py' does not exist"),
        ('dist_train.sh', ['CONFIG', 'two'], "error: number of GPUs must be a positive number, got 'two'"),
        ('dist_train.sh', [], 'error: usage: '),
        ('dist_test.sh', ['CONFIG', 'gone.pth', 2], "error: checkpoint 'gone.pth' does not exist"),
        ('slurm_train.sh', ['gpu', 'job', 'nowhere.py'], "error: config 'nowhere.py' does not exist"),
        ('slurm_test.sh', ['gpu', 'job', 'CONFIG', 'gone.pth'], "error: checkpoint 'gone.pth' does not"),
    ],
)
def test_launchers_check_before_they_start(tmp_path, script, arguments, message):
    config = dump(tiny_config(tmp_path / 'run'), tmp_path / 'config.py')
    done = run_tool(script, *[config if word == 'CONFIG' else word for word in arguments], check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(message)


def test_slurm_command(tmp_path):
    """What srun is called with, recorded by a stand-in."""
    recorder = tmp_path / 'bin' / 'srun'
    recorder.parent.mkdir()
    recorder.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    recorder.chmod(0o755)
    config = dump(tiny_config(tmp_path / 'run'), tmp_path / 'config.py')
    done = run_tool(
        'slurm_train.sh',
        *('gpu', 'crack', config, '--amp'),
        PATH=f'{recorder.parent}:{os.environ["PATH"]}',
        GPUS='8',
        GPUS_PER_NODE='4',
        SRUN_ARGS='--qos high',
    )
    words = done.stdout.split()
    assert {'--ntasks=8', '--ntasks-per-node=4', '--gres=gpu:4', '--kill-on-bad-exit=1', '--qos'} <= set(
        words
    )
    assert words[-4:] == [str(config), '--launcher', 'slurm', '--amp']


def test_data_that_are_not_there_are_one_clear_line(tmp_path):
    """The data set looks for its folder only when the loop is built."""
    loader = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='KeyedInfiniteSampler'),
        dataset=dict(
            type='CrackDataset', data_root='/nowhere', data_prefix=dict(img_path='a', seg_map_path='b')
        ),
    )
    config = dump(tiny_config(tmp_path / 'run', train_dataloader=loader), tmp_path / 'config.py')
    with pytest.raises(SystemExit, match=r'error: there is no folder /nowhere/a; set data_root'):
        train(config)
