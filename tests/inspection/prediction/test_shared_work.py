"""Work that processes share through a folder: each piece once, and again only after its owner's death."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from csbsr_mm.inspection.prediction import shared_work
from csbsr_mm.inspection.prediction.shared_work import Claim, SharedWork


def other_process(folder, then=''):
    """Take 'a' in another process, which says so and then does as told."""
    code = f"""
import importlib.util, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location('shared_work', {shared_work.__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.SharedWork(Path({str(folder)!r})).take(['a']), flush=True)
{then}
"""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    assert 'deaths' in process.stdout.readline()
    return process


def test_many_take_each_piece_once(tmp_path):
    names = [f'p{number}.v1' for number in range(40)]

    def take_all(_):
        work, mine = SharedWork(tmp_path), []
        while claim := work.take(names):
            mine.append(claim.name)
            work.finish(claim.name)
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [name for mine in pool.map(take_all, range(8)) for name in mine]
    assert sorted(taken) == sorted(names)


def test_piece_of_a_living_process_is_left_alone_and_that_of_a_killed_one_taken(tmp_path):
    process = other_process(tmp_path, 'time.sleep(60)')
    work = SharedWork(tmp_path)
    assert work.is_active()
    assert work.take(['a']) is None
    process.kill()
    process.wait()
    assert not work.is_active()
    assert work.take(['a']) == Claim('a', deaths=1)
    assert SharedWork(tmp_path).take(['a']) is None


def test_deaths_are_counted(tmp_path):
    for _ in range(2):
        other_process(tmp_path).wait()
    assert SharedWork(tmp_path).take(['a']) == Claim('a', deaths=2)


def test_a_silent_machine_counts_as_dead_only_after_a_while(tmp_path, monkeypatch):
    SharedWork(tmp_path).take(['a'])
    monkeypatch.setattr(shared_work, '_machine', lambda: 'elsewhere')
    assert SharedWork(tmp_path).take(['a']) is None
    long_ago = time.time() - shared_work.SILENT_SECONDS - 1
    os.utime(tmp_path / 'a.0', (long_ago, long_ago))
    assert SharedWork(tmp_path).take(['a']) == Claim('a', deaths=1)


def test_owner_renews_its_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_work, 'BEAT_SECONDS', 0.02)
    work = SharedWork(tmp_path)
    work.take(['a'])
    os.utime(tmp_path / 'a.0', (0, 0))
    end = time.monotonic() + 10
    while (tmp_path / 'a.0').stat().st_mtime == 0 and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / 'a.0').stat().st_mtime > 0


@pytest.mark.parametrize('content', ['', '{"machine'])
def test_claim_that_is_being_written_is_respected(tmp_path, content):
    (tmp_path / 'a.0').write_text(content)
    assert SharedWork(tmp_path).take(['a']) is None


def test_nothing_is_taken_where_the_folder_is_gone(tmp_path):
    work = SharedWork(tmp_path / 'run')
    (tmp_path / 'run').rmdir()
    assert work.is_over
    assert work.take(['a']) is None
    assert work.done() == set()
