"""Prepare an environment with the known-good versions of requirements/lock*.txt, on every system.

python tools/setup_env.py run      # what training and inference need
python tools/setup_env.py tests    # and what the tests need

The environment is .venv, or the folder that VENV names. Safe to run again: one that already matches its lock
files is left alone. `--stack upstream` takes OpenMMLab's own last releases in place of the maintained ones
(folder .venv-upstream).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / 'requirements'
LOCKS = {'run': ('lock.txt',), 'tests': ('lock.txt', 'lock-tests.txt')}
MAINTAINED = re.compile(r'onedl-\S+==\S+|setuptools==\S+')
OLDEST = (3, 10)
OLDEST_LOCKED = (3, 11)


class SetupError(RuntimeError):
    """The environment cannot be prepared."""


class Environment:
    """A virtual environment of this repository.

    Args:
        folder: Where it is, or will be.
        profile: ``'run'`` or ``'tests'``.
        stack: ``'maintained'`` or ``'upstream'``.
    """

    def __init__(self, folder: Path, profile: str, stack: str = 'maintained') -> None:
        self.folder, self.profile, self.stack = folder, profile, stack
        scripts = folder / ('Scripts' if os.name == 'nt' else 'bin')
        self.python = scripts / ('python.exe' if os.name == 'nt' else 'python')

    @property
    def stamp(self) -> Path:
        """A file whose name says what the environment was made from."""
        names = [
            ROOT / 'setup.py',
            ROOT / 'pyproject.toml',
            *(REQUIREMENTS / lock for lock in LOCKS[self.profile]),
        ]
        content = b''.join(path.read_bytes() for path in [*names, REQUIREMENTS / 'upstream.txt'])
        digest = hashlib.sha256(content).hexdigest()[:16]
        return self.folder / f'.csbsr_mm-{self.profile}-{self.stack}-{digest}'

    def prepare(self) -> None:
        """Create, fill and check the environment as far as that is needed.

        Raises:
            SetupError: The interpreter is too old, or a step fails.
        """
        if sys.version_info < OLDEST:
            raise SetupError(
                f'Python {sys.version.split()[0]} is too old; start this with Python 3.10 or newer'
            )
        if not self.python.exists() or self._call('-m', 'pip', '--version', quiet=True):
            say(f'Creating {self.folder} ...')
            if subprocess.call([sys.executable, '-m', 'venv', str(self.folder)]):
                raise SetupError(f'cannot create {self.folder}; on Debian: apt-get install python3-venv')
        if not self.stamp.exists():
            say(f'Installing into {self.folder} (a minute or two; torch comes first) ...')
            self._install()
            self.stamp.touch()
        check = 'import csbsr_mm, sys; sys.exit(not csbsr_mm.has_mmseg)'
        if self._call('-W', 'ignore', '-c', check, quiet=True):
            raise SetupError(f'the environment in {self.folder} is broken; delete it and run this again')

    def _install(self) -> None:
        torch = next(line for line in read_lock('lock.txt') if line.startswith('torch=='))
        self._pip(torch)
        if sys.version_info >= OLDEST_LOCKED:
            # Without resolving: the locks are complete, and the resolver would bring in opencv-python, which
            # needs graphics libraries that a server lacks, next to the headless build.
            for lock in LOCKS[self.profile]:
                lines = read_lock(lock)
                if self.stack == 'upstream':
                    lines = [line for line in lines if not MAINTAINED.match(line)]
                self._pip('--no-deps', *lines)
        else:
            say('Python 3.10: the newest versions that support it are taken, not the known-good ones.')
            self._install_newest()
        if self.stack == 'upstream':
            self._pip('--no-deps', *read_lock('upstream.txt'))
        self._pip('--no-deps', '--no-build-isolation', '-e', str(ROOT))

    def _install_newest(self) -> None:
        names = ['base', 'inspection', 'train', *(['mm'] if self.stack == 'maintained' else [])]
        names += ['tests', 'onnx', 'torchmetrics', 'lightning'] if self.profile == 'tests' else []
        self._pip(*(word for name in names for word in ('-r', str(REQUIREMENTS / f'{name}.txt'))))
        self._call('-m', 'pip', 'uninstall', '-q', '-y', 'opencv-python', 'opencv-python-headless')
        self._pip('--no-deps', 'opencv-python-headless')

    def _pip(self, *words: str) -> None:
        if self._call('-m', 'pip', 'install', '-q', '--disable-pip-version-check', *words):
            shown = ' '.join(words)[:200]
            raise SetupError(f'pip could not install {shown}; see its message above (network? disk space?)')

    def _call(self, *words: str, quiet: bool = False) -> int:
        output = subprocess.DEVNULL if quiet else None
        return subprocess.call([str(self.python), *words], stdout=output, cwd=ROOT)


def read_lock(name: str) -> list[str]:
    """Requirements of a file, without comments."""
    lines = (REQUIREMENTS / name).read_text(encoding='utf-8').splitlines()
    return [line for line in (raw.split('#')[0].strip() for raw in lines) if line]


def say(text: str) -> None:
    """Tell what is being done."""
    sys.stdout.write(f'{text}\n')
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Prepare the environment; prints nothing but errors when there is nothing to do."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('profile', choices=LOCKS, help='what the environment is for')
    parser.add_argument('--stack', choices=['maintained', 'upstream'], default='maintained')
    parser.add_argument('--folder', type=Path, help='the environment (VENV, or .venv)')
    args = parser.parse_args(sys.argv[1:] if argv is None else argv)
    usual = '.venv' if args.stack == 'maintained' else '.venv-upstream'
    folder = args.folder or Path(os.environ.get('VENV') or ROOT / usual)
    try:
        Environment(folder, args.profile, args.stack).prepare()
    except SetupError as error:
        sys.stderr.write(f'error: {error}\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
