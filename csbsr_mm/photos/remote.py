"""Photos and results that lie elsewhere: in an object store or behind any other URL that fsspec opens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from csbsr_mm._extras import need

from .formats import is_photo_file

URL = re.compile(r'[A-Za-z][\w+.-]+(::[\w+.-]+)*://')
CONNECTIONS = 8


def is_url(text: str | Path) -> bool:
    """Whether something is a URL and no path; `C:\\photos` is none.

    Example:
        >>> is_url('s3://bucket/photos'), is_url('simplecache::s3://bucket/a.jpg'), is_url('C:/photos')
        (True, True, False)
    """
    return URL.match(str(text)) is not None


def fetch_photos(inputs: Iterable[str], folder: Path) -> list[str]:
    """Copy the photos behind URLs into a folder.

    A copy that has the size and the time of its original is kept, so that a run can be resumed.

    Args:
        inputs: URLs of photos, of folders, and patterns; whatever is no URL is left as it is.
        folder: Where the copies go, by URL.

    Returns:
        The inputs with URLs replaced by paths of the copies.

    Raises:
        FileNotFoundError: Behind a URL there is no photo.
        ImportError: Fsspec, or the package for the kind of URL, is not installed.
    """
    return [str(_fetch(item, folder / _folder_name(item))) if is_url(item) else item for item in inputs]


class RemoteFolder:
    """A local folder whose files also go to a URL.

    Args:
        url: Folder, made if need be.
        local: The local folder.

    Raises:
        ImportError: Fsspec, or the package for the kind of URL, is not installed.

    Example:
        >>> import tempfile
        >>> folder = RemoteFolder('memory://doc/report', Path(tempfile.mkdtemp()))
        >>> _ = (folder.local / 'index.html').write_text('cracks')
        >>> folder.push(), folder.push()
        (1, 0)
    """

    def __init__(self, url: str, local: Path) -> None:
        self.url, self.local = url, local
        self._files, self._root = _open(url)
        self._sent: dict[Path, tuple[int, int]] = {}
        local.mkdir(parents=True, exist_ok=True)

    def pull(self) -> int:
        """Get all files that are there; returns how many."""
        found = _list(self._files, self._root)
        _copy_all(self._files, found, self.local)
        for name in found:
            path = self.local / name
            self._sent[path] = _state(path)
        return len(found)

    def push(self, names: Iterable[str] | None = None) -> int:
        """Send files that are new or changed.

        Args:
            names: Paths below the folder; all but hidden ones by default.

        Returns:
            How many were sent.
        """
        paths = self._visible() if names is None else [self.local / name for name in names]
        changed = [path for path in paths if path.is_file() and self._sent.get(path) != _state(path)]
        for path in changed:
            target = f'{self._root}/{path.relative_to(self.local).as_posix()}'
            state = _state(path)
            self._files.makedirs(target.rpartition('/')[0], exist_ok=True)
            self._files.put_file(str(path), target)
            self._sent[path] = state
        return len(changed)

    def _visible(self) -> list[Path]:
        found = [path for path in self.local.rglob('*') if path.is_file()]
        return [path for path in found if not _is_hidden(path.relative_to(self.local).parts)]


def _open(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    need('A URL', 'fsspec')
    from fsspec.core import url_to_fs

    files, root = url_to_fs(url)
    return files, root.rstrip('/')


def _fetch(url: str, folder: Path) -> Path:
    """The copy of one input: a folder, or a single photo."""
    files, root = _open(url)
    if '*' in url:
        names = {PurePosixPath(path).name: path for path in files.glob(root) if is_photo_file(Path(path))}
        found = {name: files.info(path) for name, path in names.items()}
    elif files.isdir(root):
        found = {
            name: info
            for name, info in _list(files, root).items()
            if is_photo_file(Path(name)) and not _is_hidden(PurePosixPath(name).parts)
        }
    elif files.isfile(root):
        name = PurePosixPath(root).name
        _copy_all(files, {name: files.info(root)}, folder)
        return folder / name
    else:
        raise FileNotFoundError(f'there is nothing behind {url}')
    if not found:
        raise FileNotFoundError(f'there are no photos behind {url}')
    _copy_all(files, found, folder)
    return folder


def _list(files: Any, root: str) -> dict[str, dict]:
    """Files below a folder: path below it, and what is known about it."""
    if not files.isdir(root):
        return {}
    found = files.find(root, detail=True)
    return {PurePosixPath(path).relative_to(root).as_posix(): info for path, info in found.items()}


def _copy_all(files: Any, found: dict[str, dict], folder: Path) -> None:
    for name in found:
        # A store may hold any name.
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise ValueError(f'{name} is outside the folder that it was found in')
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda item: _copy(files, item[1], folder / item[0]), found.items()))


def _copy(files: Any, info: dict, path: Path) -> None:
    time = _time(files, info)
    if path.is_file() and (path.stat().st_size, int(path.stat().st_mtime)) == (info['size'], time):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial-{os.getpid()}')
    try:
        files.get_file(info['name'], str(partial))
        os.utime(partial, (time, time))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _time(files: Any, info: dict) -> int:
    """When a file was changed, in whole seconds; 0 where its store does not say."""
    with suppress(Exception):
        return int(files.modified(info['name']).timestamp())
    return 0


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _is_hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith('.') for part in parts)


def _folder_name(url: str) -> str:
    """A folder for the copies of one URL, which also shows in the report where a photo comes from."""
    return re.sub(r'[^\w.-]+', '_', url.partition('*')[0]).strip('._') or 'photos'
