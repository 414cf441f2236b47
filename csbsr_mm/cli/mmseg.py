"""Run MMSegmentation's own train.py or test.py, unchanged, with csbsr_mm imported first.

csbsr mmseg train CONFIG --amp
csbsr mmseg test CONFIG CHECKPOINT --out masks/
torchrun --nproc_per_node 4 -m csbsr_mm mmseg train CONFIG --launcher pytorch

The scripts read `_base_ = 'mmseg::...'` and `'csbsr_mm::...'` before `custom_imports`, so that the
recommended stack does not find them; and their `test.py --out` takes no list of evaluators. Here both work.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('script', choices=('train', 'test'), help="which of MMSegmentation's scripts")
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='what the script takes')


def run(args: argparse.Namespace) -> None:
    """Run the script as Python would, in this process."""
    script, words = script_path(args.script), list(args.arguments)
    out_dir = _take_out_dir(words) if args.script == 'test' else None
    before, sys.argv = sys.argv, [str(script), *words]
    try:
        with _saving_predictions(out_dir):
            runpy.run_path(str(script), run_name='__main__')
    finally:
        sys.argv = before


def script_path(name: str) -> Path:
    """MMSegmentation's script of that name, as its wheels and its clones hold it.

    Raises:
        FileNotFoundError: This installation has none.
    """
    import mmseg

    package = Path(mmseg.__file__).parent
    for folder in (package / '.mim' / 'tools', package.parent / 'tools'):
        if (folder / f'{name}.py').is_file():
            return folder / f'{name}.py'
    raise FileNotFoundError(f'{package} was installed without tools/{name}.py; use `csbsr {name}`')


def _take_out_dir(words: list[str]) -> str | None:
    """Take ``--out DIR`` from a command line, as argparse would read it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--out')
    known, words[:] = parser.parse_known_args(words)
    return known.out


@contextmanager
def _saving_predictions(out_dir: str | None) -> Iterator[None]:
    """Within this context every config that is read saves predicted masks, whatever its evaluators are."""
    from mmengine.config import Config

    fromfile = Config.fromfile

    def saving(*args, **kwargs):
        cfg = fromfile(*args, **kwargs)
        cfg.custom_hooks = [
            *(cfg.get('custom_hooks') or []),
            dict(type='mmseg.SavePredictionsHook', out_dir=out_dir),
        ]
        return cfg

    if out_dir is not None:
        Config.fromfile = staticmethod(saving)
    try:
        yield
    finally:
        Config.fromfile = staticmethod(fromfile)
