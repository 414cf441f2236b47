"""What must not depend on the operating system, read from the source, and the few places that look at it.

Nothing here replaces a run on Windows or macOS; it keeps out what is known to fail there.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / 'csbsr_mm').rglob('*.py')), *sorted((ROOT / 'tools').rglob('*.py'))]
# Absent from Windows; whoever needs one asks hasattr first, or keeps to Linux by purpose.
POSIX = {
    *('fork', 'forkpty', 'killpg', 'setsid', 'getuid', 'geteuid', 'uname', 'mkfifo', 'wait3', 'getloadavg'),
    *('symlink', 'sched_getaffinity', 'SIGKILL', 'SIGHUP', 'SIGALRM', 'SIGUSR1', 'SIGUSR2', 'O_DIRECTORY'),
}
POSIX_MODULES = {'fcntl', 'grp', 'pwd', 'resource', 'termios', 'tty', 'pty', 'curses'}
ARCHIVES = {'archive', 'Image', 'tifffile'}


def posix_only(tree: ast.AST) -> list[str]:
    """What a module uses that Windows lacks, without asking hasattr."""
    asked = {
        getattr(node.args[1], 'value', None)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'hasattr'
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, 'id', '') in ('os', 'signal'):
            found += [node.attr] if node.attr in POSIX - asked else []
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name in POSIX_MODULES]
    return found


def text_without_encoding(tree: ast.AST) -> list[int]:
    """Lines that read or write text in whatever encoding the system prefers."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(word.arg == 'encoding' for word in node.keywords):
            continue
        owner = getattr(getattr(node.func, 'value', None), 'id', '')
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        is_binary = any(isinstance(text, str) and re.fullmatch(r'[rwax+]*b[rwax+]*', text) for text in texts)
        opens = name == 'open' and owner not in {'os', 'webbrowser', *ARCHIVES} and not is_binary
        is_method = isinstance(node.func, ast.Attribute)
        if (is_method and name in ('read_text', 'write_text')) or opens:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source(path):
    tree = ast.parse(path.read_text(encoding='utf-8'))
    assert not posix_only(tree)
    assert not text_without_encoding(tree)


def test_the_rules_see_offences():
    bad = ast.parse(
        "import os, fcntl\nos.fork()\nopen('a')\npath.read_text()\npath.open('w')\nopen('b', 'rb')\n"
        "hasattr(os, 'uname') and os.uname()\n"
    )
    assert posix_only(bad) == ['fcntl', 'fork']
    assert sorted(text_without_encoding(bad)) == [3, 4, 5]


def test_file_names_exist_on_every_system():
    listed = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines()
    if not names:
        pytest.skip('not in a git checkout')
    reserved = re.compile(r'(?i)(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)|[<>:"|?*\\]|[ .](/|$)')
    assert not [name for name in names if reserved.search(name)]
    assert len({name.lower() for name in names}) == len(names)


def test_atomic_files_where_folders_cannot_be_opened(tmp_path, monkeypatch):
    """As on Windows, where ``os.open`` of a folder is refused."""
    from csbsr_mm.utils.atomic_file import write_atomically

    def refuse(path, *args, **kwargs):
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr(os, 'open', refuse)
    write_atomically(tmp_path / 'note', b'done')
    assert [path.name for path in tmp_path.iterdir()] == ['note']


def test_a_console_without_greek_letters_gets_question_marks():
    code = (
        'import csbsr_mm_command, sys; sys.argv = ["csbsr", "configs", "list", "β"]; csbsr_mm_command.main()'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=ROOT,
        env=os.environ | {'PYTHONIOENCODING': 'cp1252'},
        capture_output=True,
        check=False,
    )
    assert b'? = 0.3' in done.stdout
    assert not done.stderr


def test_signals_are_handled_in_the_main_thread_alone():
    """Elsewhere Python refuses them; a table can still run there."""
    import signal
    import threading

    from csbsr_mm.tables.command import _ending_the_training

    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with _ending_the_training():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with _ending_the_training():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert seen == [before]
    assert signal.getsignal(signal.SIGTERM) is before
