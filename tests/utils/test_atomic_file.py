"""A reader sees the old file or the new one, whatever stops the writer."""

import os
import subprocess
import sys

import pytest

from csbsr_mm.utils import atomic_file
from csbsr_mm.utils.atomic_file import replacing, write_atomically


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'made' / 'photo.png'
    write_atomically(path, b'old', durable=False)

    def write():
        with replacing(path) as temporary:
            assert temporary.suffix == '.png'
            temporary.write_bytes(b'ne')
            raise OSError('disk')

    with pytest.raises(OSError, match='disk'):
        write()
    assert path.read_bytes() == b'old'
    assert os.listdir(path.parent) == ['photo.png']


WRITES = (
    'write_atomically(path, b"new")',
    'with replacing(path) as temporary: temporary.write_bytes(b"new")',
)


@pytest.mark.parametrize('write', WRITES)
def test_a_process_that_dies_before_the_rename_leaves_the_old_file(tmp_path, write):
    (tmp_path / 'file').write_bytes(b'old')
    code = (
        'import os, pathlib, runpy, sys\n'
        'module, path = sys.argv[1:]\n'
        'globals().update(runpy.run_path(module))\n'
        'os.replace = pathlib.Path.replace = lambda *_: os._exit(9)\n'
        f'{write}'
    )
    command = [sys.executable, '-c', code, atomic_file.__file__, str(tmp_path / 'file')]
    done = subprocess.run(command, check=False)
    assert done.returncode == 9
    assert (tmp_path / 'file').read_bytes() == b'old'


@pytest.mark.parametrize('durable', [True, False])
def test_only_a_durable_file_is_flushed(tmp_path, monkeypatch, durable):
    flushed = []
    monkeypatch.setattr(os, 'fsync', flushed.append)
    write_atomically(tmp_path / 'file', b'content', durable=durable)
    assert bool(flushed) is durable
    assert (tmp_path / 'file').read_bytes() == b'content'
