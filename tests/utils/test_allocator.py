"""Freed memory stays: the next array of the same size costs no new pages."""

import os
import platform
import subprocess
import sys

import pytest

from csbsr_mm.utils import allocator
from csbsr_mm.utils.allocator import keep_freed_memory

CODE = """
import runpy, resource
import numpy as np
assert runpy.run_path({path!r})['keep_freed_memory']() is {asked}
def faults():
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
faults()
print([faults() < 100 for _ in range(4)])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='speaks to glibc')
@pytest.mark.parametrize(('variables', 'asked'), [({}, True), ({'MALLOC_ARENA_MAX': '4'}, False)])
def test_arrays_get_their_predecessors_pages(variables, asked):
    environment = {name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')}
    environment.pop('LD_PRELOAD', None)
    done = subprocess.run(
        [sys.executable, '-c', CODE.format(asked=asked, path=allocator.__file__)],
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if asked:
        assert done.stdout.strip() == '[True, True, True, True]'


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, 'libc_ver', lambda: ('', ''))
    assert keep_freed_memory() is False
