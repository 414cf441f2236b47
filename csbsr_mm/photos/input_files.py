"""From what the user names (files, folders, patterns) to photos with safe, unique names for results."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .formats import EXTENSIONS, is_photo_file

MAX_NAME = 100
# Names that Windows keeps for devices, with whatever extension.
RESERVED = re.compile(r'(?i)^(con|prn|aux|nul|com\d|lpt\d)$')


class SourcePhoto(NamedTuple):
    """A photo file and the name that its results bear."""

    path: Path
    name: str


def find_photos(inputs: Iterable[str | Path], exclude: str | Path | None = None) -> list[SourcePhoto]:
    """Expand files, folders, glob patterns, ``@LIST`` (a text file with one of them a line) and ``-`` (the
    same from standard input).

    Folders are searched with all their subfolders for the usual image extensions, except what is hidden
    (macOS puts a ``._DSC_1.JPG`` beside each photo on a card); a file that is named itself is always
    taken. Results are named after the file, with its folder below the one that was asked for; what is no
    letter, digit, dot, dash or underscore becomes an underscore. Where two photos would get one name, their
    extensions and then a hash of their paths tell them apart.

    Args:
        inputs: Files, folders, patterns, ``@LIST`` and ``-``.
        exclude: Folder whose content is left out, that of the results.

    Returns:
        Photos without repetitions, in the order of ``inputs`` and by name within folders.

    Raises:
        FileNotFoundError: An input names nothing.
    """
    found: dict[Path, str] = {}
    # A link to a photo is that photo.
    known: set[Path] = set()
    excluded = None if exclude is None else Path(exclude).resolve()
    for item in _with_lists(inputs):
        for path, relative in _expand(item):
            real = path.resolve()
            if real not in known and (excluded is None or not real.is_relative_to(excluded)):
                known.add(real)
                found[Path(os.path.abspath(path))] = relative
    return _with_names(found)


def safe_name(relative: str) -> str:
    """A file name that stays in its folder, made from any path.

    Example:
        >>> safe_name('../../etc/pass wd'), safe_name('wall 3/DSC_0001'), safe_name('...')
        ('etc__pass_wd', 'wall_3__DSC_0001', 'photo')
    """
    parts = [part.strip('.') for part in re.split(r'[/\\]+', relative)]
    name = '__'.join(re.sub(r'[^\w.-]', '_', part) for part in parts if part)
    # A leading dash would read as an option.
    name = name[:MAX_NAME].strip('.').lstrip('-') or 'photo'
    return f'_{name}' if RESERVED.match(name.split('.')[0]) else name


def _with_lists(inputs: Iterable[str | Path]) -> Iterator[str]:
    """The inputs, lists replaced by their lines; lines without text and comments (``#``) are left out."""
    for item in map(str, inputs):
        if item == '-':
            lines = sys.stdin.read().splitlines()
        elif item.startswith('@') and not Path(item).exists():
            lines = Path(item[1:]).read_text(encoding='utf-8-sig').splitlines()
        else:
            yield item
            continue
        yield from (line.strip() for line in lines if line.strip() and not line.startswith('#'))


def _expand(item: str) -> list[tuple[Path, str]]:
    """Files behind one input, each with its path below the folder that was asked for."""
    path = Path(item)
    if path.is_dir():
        return _walk(path)
    if path.is_file():
        return [(path, path.name)]
    matches = [Path(match) for match in sorted(glob.glob(item, recursive=True))]
    files = [(match, match.name) for match in matches if match.is_file() and is_photo_file(match)]
    for folder in matches:
        if folder.is_dir() and '**' not in item:
            files += [(path, f'{folder.name}/{relative}') for path, relative in _walk(folder)]
    if not files:
        raise FileNotFoundError(
            f'{item} is no file, no folder with images ({", ".join(EXTENSIONS)}) and no pattern for any'
        )
    return files


def _walk(folder: Path) -> list[tuple[Path, str]]:
    paths = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    found = [(path, path.relative_to(folder)) for path in sorted(paths) if is_photo_file(path)]
    return [
        (path, relative.as_posix())
        for path, relative in found
        if not any(part.startswith('.') for part in relative.parts)
    ]


def _with_names(found: dict[Path, str]) -> list[SourcePhoto]:
    """Choose the shortest names that differ, also where upper and lower case do not count."""
    candidates = {
        path: [
            safe_name(str(Path(relative).with_suffix(''))),
            safe_name(f'{Path(relative).with_suffix("")}_{Path(relative).suffix.lstrip(".")}'),
            f'{safe_name(Path(relative).stem)[: MAX_NAME - 9]}-{_hash(path)}',
        ]
        for path, relative in found.items()
    }
    chosen = dict.fromkeys(candidates, 0)
    for level in range(2):
        users = defaultdict(list)
        for path, names in candidates.items():
            users[names[chosen[path]].lower()].append(path)
        for paths in users.values():
            if len(paths) > 1:
                chosen.update(dict.fromkeys(paths, level + 1))
    return [SourcePhoto(path, names[chosen[path]]) for path, names in candidates.items()]


def _hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
