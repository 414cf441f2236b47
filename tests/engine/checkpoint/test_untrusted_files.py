"""Files that run a program where they can: refused by every command, before anything of them is unpickled."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from helpers.checkpoint_attacks import archive, attacks, checkpoint_of, history_gadget
from helpers.models import tiny_csbsr
from helpers.tools import load_tool
from helpers.training import ROOT, TESTS, csbsr, dump, load, tiny_config
from mmengine.runner import CheckpointLoader, Runner

from csbsr_mm.cli import COMMANDS
from csbsr_mm.engine.checkpoint import CheckpointError, read_checkpoint, use_reader
from csbsr_mm.engine.config import set_resume
from csbsr_mm.tables.runner import TableRunner

NAMES = sorted(attacks(''))
# These name nothing but what has a harmless stand-in here, and are read as plain data or refused later.
WITH_STAND_INS = {
    'getattr_and_exec',
    'history_gadget',
    'object_array',
    'object_scalar',
    'shadowed_items',
    'shadowed_state',
    'statistics',
}


@pytest.fixture
def evil(tmp_path):
    """The gadget, and the file that it would create."""
    target = tmp_path / 'ran'
    path = tmp_path / 'evil.pth'
    path.write_bytes(archive(checkpoint_of(history_gadget(f"open({str(target)!r}, 'w')"))))
    return path, target


def python(*arguments):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': f'{TESTS}{os.pathsep}{ROOT}'},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_changes_none_of_torchs_safe_globals():
    done = python(
        '-c',
        """
import torch
# torch adds classes of its own when its parts are imported.
names = lambda: {repr(item) for item in torch.serialization.get_safe_globals() if 'torch' not in repr(item)}
before = names()
import csbsr_mm, csbsr_mm.apis, csbsr_mm.engine.checkpoint
from mmengine.runner import CheckpointLoader
print(before == names())
print({loader.__module__ for name, loader in CheckpointLoader._schemes.items() if name != 'imagenet://'})
""",
    )
    assert done.stdout.split()[-2:] == ['True', "{'mmengine.runner.checkpoint'}"], done.stderr


def test_the_gadget_works_where_getattr_is_allowed(evil):
    """Otherwise the tests below would prove nothing."""
    path, target = evil
    done = python(
        '-c',
        """
import sys, torch
from mmengine.logging import HistoryBuffer
torch.serialization.add_safe_globals([getattr, HistoryBuffer])
torch.load(sys.argv[1], weights_only=True)
""",
        path,
    )
    assert target.exists(), done.stderr


@pytest.mark.parametrize('name', NAMES)
def test_attack_is_refused(tmp_path, name):
    target = tmp_path / 'ran'
    (tmp_path / 'evil.pth').write_bytes(attacks(f"open({str(target)!r}, 'w')")[name])
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        read_checkpoint(tmp_path / 'evil.pth')
    assert not target.exists()


@pytest.mark.parametrize('name', sorted({*NAMES} - WITH_STAND_INS))
def test_attack_is_refused_by_name_before_anything_is_unpickled(tmp_path, monkeypatch, name):
    monkeypatch.setattr(torch, 'load', lambda *_, **__: pytest.fail('unpickled'))
    (tmp_path / 'evil.pth').write_bytes(attacks('pass')[name])
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        read_checkpoint(tmp_path / 'evil.pth')


def test_what_the_process_allows_does_not_count(evil):
    from mmengine.logging import HistoryBuffer

    path, target = evil
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([getattr, HistoryBuffer, exec])
    try:
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
        assert {getattr, HistoryBuffer, exec} <= set(torch.serialization.get_safe_globals())
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
    assert not target.exists()


def test_mutated_files_do_nothing(tmp_path):
    """Attacks, every allowed name as a stepping stone, and 2,000 mutants under an audit hook."""
    done = python(TESTS / 'helpers' / 'checkpoint_attacks.py', tmp_path, 0, 2000)
    assert done.returncode == 0, done.stderr
    _, files, read = [int(word) for word in done.stdout.split() if word.isdigit()]
    assert files > 2500
    assert read > 0


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch):
        config = dump(tiny_config(tmp_path / 'run', max_iters=1), tmp_path / 'config.py')

        def run(tool, *arguments):
            words = [config if word == 'CONFIG' else word for word in arguments]
            monkeypatch.chdir(tmp_path)
            if tool in COMMANDS:
                return csbsr(tool, *words)
            monkeypatch.setattr(sys, 'argv', [tool, *map(str, words)])
            return load_tool(tool).main()

        return run

    @pytest.mark.parametrize(
        ('tool', 'arguments'),
        [
            ('test', ['CONFIG', 'EVIL']),
            ('train', ['CONFIG', '--resume', 'EVIL']),
            ('train', ['CONFIG', '--cfg-options', 'load_from=EVIL']),
            ('predict', ['CONFIG', 'EVIL', 'photo.png', '--out-dir', 'out']),
            ('analysis_tools/draw_predictions', ['CONFIG', 'EVIL', 'picture.png']),
            ('export', ['CONFIG', 'EVIL', 'model.onnx']),
            ('convert-checkpoint', ['EVIL', 'converted.pth']),
        ],
    )
    def test_refuses_the_gadget_in_one_line(self, run, evil, tool, arguments, capsys, caplog):
        path, target = evil
        cv2.imwrite(str(path.parent / 'photo.png'), np.zeros((8, 8, 3), np.uint8))
        try:
            status = run(tool, *[word.replace('EVIL', str(path)) for word in arguments])
        except SystemExit as error:
            status = error.code
        captured = capsys.readouterr()
        message = f'{status}{captured.out}{captured.err}{caplog.text}'
        assert status
        assert 'is not read' in message
        assert 'Traceback' not in message
        assert not target.exists()

    def test_table_hands_the_trust_on(self):
        assert TableRunner('runs')._trust() == []
        assert TableRunner('runs', trust=True)._trust() == ['--trust-checkpoint']

    def test_trust_reads_it_all_the_same(self, run, evil, tmp_path):
        path, target = evil
        with pytest.raises(SystemExit):
            run('test', 'CONFIG', path, '--trust-checkpoint')
        assert target.exists()
        run('train', 'CONFIG')
        content = load(tmp_path / 'run' / 'iter_1.pth')
        content['meta']['object'] = CheckpointError  # Anything that is no plain data.
        torch.save(content, tmp_path / 'own.pth')
        options = ['--resume', tmp_path / 'own.pth', '--cfg-options', 'train_cfg.max_iters=2']
        with pytest.raises(SystemExit, match='could run code'):
            run('train', 'CONFIG', *options)
        run('train', 'CONFIG', '--trust-checkpoint', *options)
        assert (tmp_path / 'run' / 'iter_2.pth').is_file()


class TestResume:
    """What MMEngine itself executes or deletes when a run goes on."""

    @pytest.fixture
    def checkpoint(self, tmp_path):
        cfg = tiny_config(tmp_path / 'run', max_iters=1, model=tiny_csbsr())
        Runner.from_cfg(cfg).train()
        return load(tmp_path / 'run' / 'iter_1.pth')

    def resume(self, tmp_path, content):
        path = tmp_path / 'evil.pth'
        torch.save(content, path)
        cfg = tiny_config(tmp_path / 'again', max_iters=2)
        cfg.default_hooks.checkpoint.update(max_keep_ckpts=1, interval=1)
        set_resume(cfg, str(path))
        use_reader()
        Runner.from_cfg(cfg).train()

    def test_config_in_meta_is_not_run(self, tmp_path, checkpoint):
        checkpoint['meta']['config'] = f"open({str(tmp_path / 'ran')!r}, 'w')"
        self.resume(tmp_path, checkpoint)
        assert not (tmp_path / 'ran').exists()

    def test_nothing_elsewhere_is_deleted(self, tmp_path, checkpoint):
        victim = tmp_path / 'victim.pth'
        victim.touch()
        checkpoint['message_hub']['runtime_info']['keep_ckpt_ids'] = ['/../../victim', 5]
        with pytest.raises(CheckpointError, match='keep_ckpt_ids'):
            self.resume(tmp_path, checkpoint)
        checkpoint['message_hub']['runtime_info'].update(keep_ckpt_ids=[], best_ckpt=str(victim))
        with pytest.raises(CheckpointError, match='best_ckpt'):
            self.resume(tmp_path, checkpoint)
        assert victim.exists()


def test_mmengine_reads_through_the_reader(evil, tmp_path):
    """Also for ``init_cfg``, from the web, and where MMEngine knows the address."""
    path, target = evil
    use_reader()
    with pytest.raises(CheckpointError, match=r'evil\.pth is not read'):
        CheckpointLoader.load_checkpoint(str(path))
    hub = tmp_path / 'checkpoints'
    hub.mkdir()
    (hub / 'evil.pth').write_bytes(path.read_bytes())
    (hub / 'resnet50_v1c-2cccc1ad.pth').write_bytes(path.read_bytes())
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    try:
        for name in ('https://example.invalid/evil.pth', 'open-mmlab://resnet50_v1c'):
            with pytest.raises(CheckpointError, match='is not read'):
                CheckpointLoader.load_checkpoint(name)
    finally:
        torch.hub.set_dir(before)
    with pytest.raises(CheckpointError, match='only by unpickling'):
        CheckpointLoader.load_checkpoint('s3://bucket/evil.pth')
    assert not target.exists()
