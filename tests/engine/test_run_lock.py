import json
import os
import socket
import subprocess
import sys
import time

import pytest
from helpers.training import dump, run_tool, tiny_config

from csbsr_mm.engine import run_lock as module
from csbsr_mm.engine.run_lock import DEAD_AFTER, WorkDirInUse, run_lock


def write(folder, **holder):
    (folder / 'run.lock').write_text(json.dumps(holder))


def test_a_second_run_is_told_who_holds_it(tmp_path):
    with run_lock(tmp_path / 'run'):
        message = rf'run is in use by process {os.getpid()} on {socket.gethostname()}; .* --work-dir'
        with pytest.raises(WorkDirInUse, match=message), run_lock(tmp_path / 'run'):
            pass
        assert (tmp_path / 'run' / 'run.lock').is_file()
    with run_lock(tmp_path / 'run'):
        pass
    assert os.listdir(tmp_path / 'run') == []


def test_lock_of_a_dead_process_is_taken_over(tmp_path):
    ended = subprocess.Popen([sys.executable, '-c', ''])
    begun = module._begun(ended.pid)
    ended.wait()
    write(tmp_path, host=socket.gethostname(), pid=ended.pid, begun=begun)
    with run_lock(tmp_path):
        pass


def test_lock_of_a_process_whose_number_was_given_out_again(tmp_path):
    write(tmp_path, host=socket.gethostname(), pid=os.getpid(), begun='1')
    with run_lock(tmp_path):
        pass


@pytest.mark.parametrize('age', [DEAD_AFTER - 60, DEAD_AFTER + 60])
def test_other_machines_show_that_they_live(tmp_path, age):
    write(tmp_path, host='elsewhere', pid=1, begun='1')
    then = time.time() - age
    os.utime(tmp_path / 'run.lock', (then, then))
    if age > DEAD_AFTER:
        with run_lock(tmp_path):
            pass
        return
    with pytest.raises(WorkDirInUse, match='process 1 on elsewhere'), run_lock(tmp_path):
        pass
    assert os.listdir(tmp_path) == ['run.lock']


def test_a_lock_is_touched_while_it_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'BEAT', 0.05)
    with run_lock(tmp_path):
        os.utime(tmp_path / 'run.lock', (0, 0))
        deadline = time.monotonic() + 10
        while (tmp_path / 'run.lock').stat().st_mtime == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_training_refuses_a_work_dir_in_use(tmp_path):
    config = dump(tiny_config(tmp_path / 'run', max_iters=1), tmp_path / 'config.py')
    with run_lock(tmp_path / 'run'):
        done = run_tool('train.py', config, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(f'error: {tmp_path}/run is in use by process')
    assert not list((tmp_path / 'run').glob('*.pth'))
