"""Several processes predict one folder of photos: as one does, whatever happens to one of them."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from helpers.models import tiny_csbsr
from helpers.saved_model import save_model
from helpers.tools import TOOLS
from helpers.training import free_port
from PIL import Image

from csbsr_mm.cli import main
from csbsr_mm.inspection.prediction import together
from csbsr_mm.inspection.prediction.shared_work import SharedWork

PHOTOS = 6


@pytest.fixture(scope='module')
def command(tmp_path_factory):
    """Config, checkpoint and photos of growing size; one of them is broken."""
    folder = tmp_path_factory.mktemp('together')
    config, checkpoint, _ = save_model(folder, tiny_csbsr(sr_loss=None))
    for number in range(PHOTOS):
        image = np.random.default_rng(number).integers(0, 256, (14 + number, 21 + 9 * number, 3), np.uint8)
        (folder / 'photos').mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f'photos/p{number}.png')
    (folder / 'photos/broken.jpg').write_text('no photo')
    return [config, checkpoint, str(folder / 'photos')]


OPTIONS = ['--device', 'cpu', '--tile', '12', '--overlap', '4']


@pytest.fixture(scope='module')
def alone(command, tmp_path_factory):
    out = tmp_path_factory.mktemp('alone')
    assert main(['predict', *command, '--out-dir', str(out), *OPTIONS]) == 1
    return contents(out)


def contents(out):
    """All files; of the numbers, what does not say when."""
    files = {}
    for path in sorted(out.rglob('*')):
        name = path.relative_to(out).as_posix()
        if path.is_file() and name != 'index.html':
            files[name] = path.read_bytes()
        if path.suffix == '.json':
            content = json.loads(path.read_text())
            for part in [content, *content.get('photos', [])]:
                for word in ('seconds', 'created', 'timing'):
                    part.pop(word, None)
            files[name] = content
    return files


def kill_one_at_work(out, done):
    """Kill the first process that has taken a photo; say which photo that was."""
    while not done.is_set():
        for path in sorted(out.glob('.run-*/p*.0')):
            try:
                owner = json.loads(path.read_text())['process']
            except (ValueError, FileNotFoundError):
                continue
            if not path.with_suffix('.done').exists():
                os.kill(owner, signal.SIGKILL)
                return
        time.sleep(0.001)


@pytest.mark.skipif(os.name != 'posix', reason='kills by signal')
def test_two_processes_one_of_them_killed_give_what_one_gives(command, alone, tmp_path, capsys):
    out, done = tmp_path / 'out', threading.Event()
    killer = threading.Thread(target=kill_one_at_work, args=(out, done))
    killer.start()
    try:
        assert main(['predict', *command, '--out-dir', str(out), *OPTIONS, '--processes', '2']) == 1
    finally:
        done.set()
        killer.join()
    said = capsys.readouterr().out
    assert 'died (status -9); another takes its place' in said
    assert f'{PHOTOS} of {PHOTOS + 1} photos done, 1 failed' in said
    assert contents(out) == alone
    assert not list(out.glob('.*'))
    timing = json.loads((out / 'summary.json').read_text())['timing']
    assert 1 <= timing['processes'] <= 3
    assert 1 <= timing['photos'] <= PHOTOS


@pytest.fixture
def slurm(monkeypatch):
    def rank(number, job=7):
        for name, value in (('JOB_ID', job), ('STEP_ID', 0), ('PROCID', number), ('LOCALID', number)):
            monkeypatch.setenv(f'SLURM_{name}', str(value))

    return rank


def test_processes_of_slurm_write_one_report(command, alone, tmp_path, slurm):
    """The second of them, which starts when all is done, does nothing; the next job starts afresh."""
    out = tmp_path / 'out'
    words = ['predict', *command, '--out-dir', str(out), *OPTIONS, '--launcher', 'slurm']
    slurm(0)
    assert main(words) == 1
    assert contents(out).keys() - {'.run-slurm-7-0-0/over'} == alone.keys()
    assert all(contents(out)[name] == content for name, content in alone.items())
    (out / 'summary.json').unlink()
    slurm(1)
    assert main(words) == 0
    assert not (out / 'summary.json').exists()
    slurm(0, job=8)
    assert main([*words, '--resume']) == 1
    assert contents(out)['summary.json'] == alone['summary.json']
    assert [path.name for path in out.glob('.*')] == ['.run-slurm-8-0-0']


def test_processes_of_torchrun_agree_on_a_name(monkeypatch):
    for name, value in (('RANK', 0), ('LOCAL_RANK', 0), ('WORLD_SIZE', 1), ('MASTER_PORT', free_port())):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    first, second = (together.launched_member('pytorch') for _ in range(2))
    assert first.rank == first.local_rank == 0
    assert first.run != second.run


@pytest.mark.parametrize(
    ('launcher', 'message'),
    [
        ('slurm', 'without srun: SLURM_JOB_ID'),
        ('pytorch', r'without torchrun .*: RANK, LOCAL_RANK is not set'),
    ],
)
def test_launcher_that_is_not_there_is_named(launcher, message, monkeypatch):
    for name in ('RANK', 'LOCAL_RANK', 'SLURM_JOB_ID', 'SLURM_PROCID', 'SLURM_LOCALID'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=message):
        together.launched_member(launcher)


def test_photo_over_which_two_processes_died_is_given_up(command, tmp_path, slurm):
    out = tmp_path / 'out'
    slurm(0)
    run = out / '.run-slurm-7-0-0'
    gone = subprocess.Popen([sys.executable, '-c', ''])
    gone.wait()
    SharedWork(run).take(['p5'])
    owner = json.loads((run / 'p5.0').read_text())
    for attempt in range(2):
        (run / f'p5.{attempt}').write_text(json.dumps({**owner, 'process': gone.pid}))
    words = ['predict', *command, '--out-dir', str(out), *OPTIONS, '--launcher', 'slurm']
    assert main(words) == 1
    photos = json.loads((out / 'summary.json').read_text())['photos']
    failed = {photo['name']: photo['error'] for photo in photos if photo['status'] != 'ok'}
    assert set(failed) == {'broken', 'p5'}
    assert '2 processes died over it' in failed['p5']


def test_folder_in_which_others_work_is_refused(command, tmp_path, capsys):
    SharedWork(tmp_path / '.run-other').take(['p1'])
    assert main(['predict', *command, '--out-dir', str(tmp_path), *OPTIONS]) == 2
    assert 'other processes are writing to' in capsys.readouterr().err
    assert (tmp_path / '.run-other/p1.0').exists()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--processes', '0'], '--processes must be at least 1, got 0'),
        (['--processes', '2', '--launcher', 'slurm'], 'both start processes'),
    ],
)
def test_wrong_numbers_of_processes(words, message, command, tmp_path, capsys):
    assert main(['predict', *command, '--out-dir', str(tmp_path), *words]) == 2
    assert message in capsys.readouterr().err


def test_deaths_one_after_the_other_end_the_run(tmp_path, monkeypatch):
    class Dead:
        exitcode = -9

    args = argparse.Namespace(processes=2)
    crew = together.Crew(args, ['a', 'b'], SharedWork(tmp_path))
    monkeypatch.setattr(crew, '_member', lambda rank: Dead())
    crew.start()
    said = []
    crew.mind(0, said.append)
    crew.mind(0, said.append)
    assert len(said) == 4
    with pytest.raises(RuntimeError, match='die one after the other, the last with status -9'):
        [crew.mind(0, said.append) for _ in range(9)]


def test_an_error_in_a_process_is_the_commands(tmp_path):
    class Failed:
        exitcode = together.ERROR_STATUS

    crew = together.Crew(argparse.Namespace(processes=2), ['a'], SharedWork(tmp_path))
    crew.members = [Failed()]
    (tmp_path / together.ERROR).write_text('no space left in out')
    with pytest.raises(RuntimeError, match='no space left in out'):
        crew.mind(0, print)


@pytest.mark.skipif(os.name != 'posix', reason='shell scripts')
@pytest.mark.parametrize(
    ('script', 'words', 'starts', 'launcher'),
    [
        ('dist_predict.sh', ['MODEL', '2'], 'torch.distributed.run --nnodes=1', 'pytorch'),
        ('slurm_predict.sh', ['gpu', 'job', 'MODEL'], '-p gpu --job-name=job', 'slurm'),
    ],
)
def test_scripts_start_the_command(script, words, starts, launcher, command, tmp_path):
    stand_in = tmp_path / 'srun'
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    environment = dict(os.environ, PYTHON=str(stand_in), PATH=f'{tmp_path}:{os.environ["PATH"]}')
    before, after = ' '.join(words).split('MODEL')
    words = [TOOLS / script, *before.split(), *command, *after.split(), '--out-dir', 'out']
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    said = ' '.join(done.stdout.split())
    assert starts in said
    assert said.endswith(f'tools/predict.py {" ".join(command)} --launcher {launcher} --out-dir out')
