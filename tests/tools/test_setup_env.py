"""tools/setup_env.py: what it installs, once, into which folder; pip itself is a stand-in."""

import sys

import pytest
from helpers.tools import load_tool


@pytest.fixture
def tool():
    return load_tool('setup_env')


@pytest.fixture
def calls(tool, monkeypatch):
    """Commands that would run; a created environment gets its interpreter."""
    made = []

    def call(words, **kwargs):
        made.append([str(word) for word in words])
        if words[1:3] == ['-m', 'venv']:
            from pathlib import Path

            for folder in ('bin', 'Scripts'):
                Path(words[3], folder).mkdir(parents=True)
            for name in ('bin/python', 'Scripts/python.exe'):
                Path(words[3], name).touch()
        return 0

    monkeypatch.setattr(tool.subprocess, 'call', call)
    return made


def installed(calls):
    return [word for words in calls if 'install' in words for word in words if '==' in word]


def test_locked_versions_are_installed_once_and_torch_first(tool, calls, tmp_path):
    if sys.version_info < tool.OLDEST_LOCKED:
        pytest.skip('Python 3.10 takes the newest versions')
    assert tool.main(['tests', '--folder', str(tmp_path / 'env')]) == 0
    versions = installed(calls)
    assert versions[0].startswith('torch==')
    assert set(tool.read_lock('lock.txt') + tool.read_lock('lock-tests.txt')) == set(versions)
    assert all('--no-deps' in words for words in calls if 'install' in words and 'numpy' in ' '.join(words))
    del calls[:]
    assert tool.main(['tests', '--folder', str(tmp_path / 'env')]) == 0
    assert not any('install' in words for words in calls)


def test_upstream_replaces_the_maintained_stack(tool, calls, tmp_path):
    if sys.version_info < tool.OLDEST_LOCKED:
        pytest.skip('Python 3.10 takes the newest versions')
    assert tool.main(['run', '--stack', 'upstream', '--folder', str(tmp_path / 'env')]) == 0
    words = ' '.join(word for words in calls for word in words)
    assert 'onedl' not in words
    assert 'mmcv-lite>=2.1.0,<2.2' in words
    assert 'numpy==' in words


def test_windows_has_its_own_folder(tool, monkeypatch, tmp_path):
    monkeypatch.setattr(tool.os, 'name', 'nt')
    environment = tool.Environment(tmp_path, 'run')
    assert environment.python == tmp_path / 'Scripts' / 'python.exe'


def test_a_failed_step_is_one_line(tool, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(tool.subprocess, 'call', lambda words, **kwargs: 1)
    assert tool.main(['run', '--folder', str(tmp_path / 'env')]) == 1
    assert capsys.readouterr().err.startswith('error: cannot create ')
    monkeypatch.setattr(tool.sys, 'version_info', (3, 9))
    assert tool.main(['run', '--folder', str(tmp_path / 'env')]) == 1
    assert 'too old; start this with Python 3.10' in capsys.readouterr().err
