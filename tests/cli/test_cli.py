"""The command ``csbsr``: quick to start, one line for an error, the same in every shell."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import csbsr_mm
from csbsr_mm.cli import COMMANDS, build_parser, main
from csbsr_mm.config_library import list_configs

ROOT = Path(__file__).parents[2]
HEAVY = ('torch', 'numpy', 'scipy', 'mmengine', 'cv2', 'rich')


def python(code: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *(['-c', code] if code else []), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_help_of_everything_imports_no_framework():
    """Which is what makes it answer at once."""
    done = python(
        f"""
import contextlib, io, sys
import csbsr_mm_command
for words in ['--help'], *([name, '--help'] for name in {list(COMMANDS)}):
    sys.argv = ['csbsr', *words]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        csbsr_mm_command.main()
    assert said.getvalue().startswith('usage: csbsr'), words
print([name for name in {HEAVY} if name in sys.modules])
"""
    )
    assert done.stdout.strip() == '[]', done.stderr


def test_module_is_the_command():
    done = python('', '-X', 'importtime', '-m', 'csbsr_mm', '--version')
    assert done.stdout.strip() == f'csbsr_mm {csbsr_mm.__version__}'
    assert 'mmengine' not in done.stderr.replace('_mmengine_configs', '')


def test_every_command_is_described():
    for name in COMMANDS:
        parser = build_parser(name)._subparsers._group_actions[0].choices[name]
        assert parser.description
        assert all(action.help for action in parser._actions if action.option_strings)


@pytest.mark.parametrize(
    ('words', 'line'),
    [
        (['train', 'nowhere.py'], 'error: config nowhere.py does not exist (looked from'),
        (['train', 'quikstart'], 'did you mean quickstart'),
        (['test', 'quickstart', 'gone.pth'], 'gone.pth'),
        (['configs', 'show', 'nothing-like-it'], '`csbsr configs` lists those of csbsr_mm'),
        (['measure', 'gone.png'], 'gone.png is no file'),
        (['evaluate', 'gone', 'too'], 'there is no folder gone'),
        (['table', 'table9'], "there is no table 'table9'; there are table2"),
    ],
)
def test_an_error_is_one_line(words, line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith('error: ')
    assert said.count('\n') == 1
    assert line in said


@pytest.mark.parametrize(
    'words', [['--traceback', 'train', 'nowhere.py'], ['train', 'nowhere.py', '--traceback']]
)
def test_traceback_on_request(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.startswith('Traceback (most recent call last)')


def test_a_missing_extra_is_named(capsys, monkeypatch):
    monkeypatch.setattr(csbsr_mm, 'register', lambda: False)
    monkeypatch.setattr('csbsr_mm._extras.importlib.util.find_spec', lambda name: None)
    assert main(['train', 'quickstart']) == 2
    assert capsys.readouterr().err == (
        "error: csbsr train needs MMSegmentation, which is not installed: pip install 'csbsr_mm[mm]'\n"
    )


def test_configs_are_listed_shown_and_copied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['configs', 'list', '--names']) == 0
    assert capsys.readouterr().out.split() == list(list_configs())
    assert main(['configs', 'list', 'WCE', 'mini']) == 0
    assert capsys.readouterr().out.startswith('mini/segmentation_losses/wce\n  Cross entropy alone')
    assert main(['configs', 'show', 'quickstart']) == 0
    assert capsys.readouterr().out == (ROOT / 'configs/csbsr/quickstart.py').read_text()
    assert main(['configs', 'copy', 'mini/kbpn_unet', 'mine.py']) == 0
    assert "_base_ = 'csbsr_mm::csbsr/mini/kbpn_unet.py'" in Path('mine.py').read_text()
    assert main(['configs', 'copy', 'quickstart', 'mine.py']) == 2
    assert 'mine.py exists already' in capsys.readouterr().err


@pytest.mark.parametrize('whole', [False, True])
def test_a_copy_is_the_same_config(whole, tmp_path, monkeypatch):
    from mmengine.config import Config

    monkeypatch.chdir(tmp_path)
    assert main(['configs', 'copy', 'quickstart', 'own.py', *(['--whole'] if whole else [])]) == 0
    original = Config.fromfile(ROOT / 'configs/csbsr/quickstart.py')
    assert Config.fromfile('own.py').to_dict() == original.to_dict()


def test_info_says_what_is_there_and_what_is_missing(capsys, monkeypatch):
    from importlib import metadata

    import torch

    from csbsr_mm.cli import info

    version = metadata.version
    monkeypatch.setattr(
        info.metadata,
        'version',
        lambda name: version('a-name-that-nobody-has') if name == 'tifffile' else version(name),
    )
    assert main(['info', '--json']) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts['torch'] == torch.__version__
    assert facts['csbsr_mm'].startswith(csbsr_mm.__version__)
    assert 'components registered' in facts['MMSegmentation']
    assert facts['configs'].startswith(f'{len(list_configs())} in ')
    assert "missing tifffile: pip install 'csbsr_mm[inspection]'" in facts['[inspection]']


def complete(script: str, *words: str) -> list[str]:
    """What bash offers for the last word."""
    code = f'{script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _csbsr; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(['bash', '-c', code, 'bash', *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which('bash') is None, reason='completes in bash')
def test_bash_completes(capsys):
    assert main(['completion', 'bash']) == 0
    script = capsys.readouterr().out
    assert complete(script, 'csbsr', 'conv') == ['convert-data', 'convert-checkpoint']
    assert complete(script, 'csbsr', 'train', '--wo') == ['--work-dir']
    assert complete(script, 'csbsr', 'train', 'quickstart_b') == ['quickstart_bicubic']
    assert 'crackforest' in complete(script, 'csbsr', 'convert-data', 'crack')


@pytest.mark.parametrize('shell', ['zsh', 'fish'])
def test_other_shells_know_every_command(shell, capsys):
    assert main(['completion', shell]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


def test_tools_are_the_command():
    """Every thin tool names a sub-command that there is, and its help is that of the sub-command."""
    thin = [path for path in (ROOT / 'tools').rglob('*.py') if 'csbsr_mm.cli import main' in path.read_text()]
    assert len(thin) > 10
    for path in thin:
        words = path.read_text().split('main([')[1].split(', *sys')[0].replace("'", '').split(', ')
        assert words[0] in COMMANDS, path
    done = python('', 'tools/train.py', '--help')
    assert done.stdout.startswith('usage: csbsr train')


def test_trust_is_described_in_one_way():
    from csbsr_mm.engine.checkpoint import TRUST_HELP

    for name in ('train', 'test', 'predict', 'export', 'table', 'convert-checkpoint'):
        parser = build_parser(name)._subparsers._group_actions[0].choices[name]
        assert {action.dest: action.help for action in parser._actions}['trust_checkpoint'] == TRUST_HELP
