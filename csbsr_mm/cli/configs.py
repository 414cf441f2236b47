"""The configs that come with csbsr_mm. Without a further word, list them with one line each."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path

from csbsr_mm.config_library import PREFIX, config_root, describe_config, find_config, list_configs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION')
    listing = actions.add_parser('list', help='names and one line each')
    listing.add_argument('words', nargs='*', help='only configs whose name or line has all these words')
    listing.add_argument('--names', action='store_true', help='names alone')
    show = actions.add_parser('show', help='print a config')
    show.add_argument('name', help='name or path of a config')
    show.add_argument('--whole', action='store_true', help='with everything that it inherits')
    copy = actions.add_parser('copy', help='begin a config of your own that inherits one of these')
    copy.add_argument('name', help='name of a config')
    copy.add_argument('target', nargs='?', type=Path, help='file to write (NAME.py in this folder)')
    copy.add_argument('--whole', action='store_true', help='the file itself with what it inherits, in one')


def run(args: argparse.Namespace) -> None:
    """List, show or copy."""
    if args.action == 'show':
        path = find_config(args.name)
        sys.stdout.write(_whole(path) if args.whole else path.read_text(encoding='utf-8'))
    elif args.action == 'copy':
        _copy(args.name, args.target, args.whole)
    else:
        _list(getattr(args, 'words', []), getattr(args, 'names', False))


def _list(words: list[str], names: bool) -> None:
    lines = {name: describe_config(path) for name, path in list_configs().items()}
    found = {
        name: line
        for name, line in lines.items()
        if all(word.lower() in f'{name} {line}'.lower() for word in words)
    }
    if names:
        sys.stdout.write(''.join(f'{name}\n' for name in found))
        return
    width = max(shutil.get_terminal_size().columns, 40)
    for name, line in found.items():
        described = textwrap.fill(line, width, initial_indent='  ', subsequent_indent='  ')
        sys.stdout.write(f'{name}\n{described}\n')


def _copy(name: str, target: Path | None, whole: bool) -> None:
    path = find_config(name)
    target = target or Path(path.name)
    if target.exists():
        raise FileExistsError(f'{target} exists already; name another file')
    if whole:
        text = _whole(path)
    else:
        inherited = PREFIX + path.relative_to(config_root()).as_posix()
        text = f'"""{describe_config(path)}"""\n\n_base_ = \'{inherited}\'\n'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding='utf-8')
    sys.stdout.write(f'{target} written; train it with: csbsr train {target}\n')


def _whole(path: Path) -> str:
    import csbsr_mm
    from csbsr_mm._extras import need

    if not csbsr_mm.register():
        need('Reading what a config inherits', 'mmengine')
    from mmengine.config import Config

    return Config.fromfile(path).pretty_text
