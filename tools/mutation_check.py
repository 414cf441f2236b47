"""Change important lines one at a time, and see whether the tests notice.

python tools/mutation_check.py                       # all of tools/mutations.py; minutes
python tools/mutation_check.py --only flip nll --markdown result.md

The package and the tests are copied; the working tree stays as it is. Exit status 1: a mutation survived.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[1]
NOTICED = ('caught', 'hung')


def main(argv: list[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--only', nargs='+', help='mutations whose source text has one of these words')
    parser.add_argument('--timeout', type=float, default=600, help='seconds for the tests of one (600)')
    parser.add_argument('--markdown', type=Path, metavar='FILE', help='write the result as a table')
    args = parser.parse_args(argv)
    chosen = [m for m in MUTATIONS if not args.only or any(word in m.old for word in args.only)]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_tree(Path(folder))
        for number, mutation in enumerate(chosen, 1):
            begun = time.monotonic()
            verdict = judge(copy, mutation, args.timeout)
            results.append((mutation, verdict))
            line = f'{number}/{len(chosen)} {verdict:8} {time.monotonic() - begun:5.0f} s  {mutation.old!r}'
            print(line, flush=True)
    survivors = [mutation for mutation, verdict in results if verdict not in NOTICED]
    print(f'{len(chosen) - len(survivors)} of {len(chosen)} mutations caught')
    if args.markdown:
        args.markdown.write_text(as_table(results), encoding='utf-8')
    return 1 if survivors else 0


def copy_tree(folder: Path) -> Path:
    """Copy what git tracks, with changes that are not committed; returns the copy."""
    names = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return folder


def place_of(root: Path, mutation: Mutation) -> Path:
    """The file of the package that holds a mutation's text.

    Raises:
        ValueError: No file does, or it is there more than once.
    """
    files = [(path, path.read_text(encoding='utf-8')) for path in (root / 'csbsr_mm').rglob('*.py')]
    found = [path for path, text in files for _ in range(text.count(mutation.old))]
    if len(found) != 1:
        raise ValueError(
            f'{mutation.old!r} is there {len(found)} times in the package; bring mutations.py up to date'
        )
    return found[0]


def tests_of(root: Path, mutation: Mutation) -> list[str]:
    """Arguments of pytest for a mutation.

    Raises:
        ValueError: There is no such test file.
    """
    names, _, keyword = mutation.tests.partition(' -k ')
    paths = []
    for name in names.split():
        found = list((root / 'tests').rglob(name))
        if len(found) != 1:
            raise ValueError(f'tests/ holds {len(found)} files {name}; bring mutations.py up to date')
        paths.append(str(found[0].relative_to(root)))
    return [*paths, *(['-k', keyword] if keyword else [])]


def judge(root: Path, mutation: Mutation, timeout: float) -> str:
    """Whether the tests notice: 'caught', 'hung' (out of time), 'SURVIVED', or 'no tests'."""
    path = place_of(root, mutation)
    original = path.read_text(encoding='utf-8')
    path.write_text(original.replace(mutation.old, mutation.new), encoding='utf-8')
    command = [
        sys.executable,
        '-m',
        'pytest',
        '-q',
        '-x',
        '-p',
        'no:cacheprovider',
        *tests_of(root, mutation),
    ]
    environment = {
        **os.environ,
        'PYTHONPATH': str(root),
        'OMP_NUM_THREADS': '1',
        'PYTHONDONTWRITEBYTECODE': '1',
    }
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, timeout=timeout, check=False
        )
        return {0: 'SURVIVED', 1: 'caught', 2: 'caught'}.get(done.returncode, 'no tests')
    except subprocess.TimeoutExpired:
        return 'hung'
    finally:
        path.write_text(original, encoding='utf-8')


def as_table(results: list[tuple[Mutation, str]]) -> str:
    """The result as Markdown."""
    rows = [
        f'| `{m.old.splitlines()[0]}` | `{m.new.splitlines()[0]}` | {m.tests} | {v} |' for m, v in results
    ]
    return '\n'.join(['| line | changed to | tests | result |', '|---|---|---|---|', *rows]) + '\n'


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
