"""``csbsr predict`` with URLs: photos come from, and results go to, where fsspec can reach."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from csbsr_mm.photos.remote import RemoteFolder, fetch_photos, is_url

from .run import Record
from .terminal import INTERRUPTED

OnRecord = Callable[[Record], None]


def has_urls(args: argparse.Namespace) -> bool:
    """Whether photos or results lie behind URLs."""
    return any(is_url(item) for item in (*args.inputs, args.out_dir))


def predict_remotely(
    args: argparse.Namespace, predict: Callable[[argparse.Namespace, OnRecord | None], int]
) -> int:
    """Copy photos here, predict, and send the results of each photo off while the next one is worked on.

    Copies and results lie in the user's cache until the run ends; after an interruption they stay, so that
    ``--resume`` finds them. With ``--resume`` results that are not here are fetched first.

    Args:
        args: The command line; its URLs are replaced.
        predict: Predicts with local files alone; calls its second argument, if any, with each record.

    Returns:
        What ``predict`` returns.

    Raises:
        FileNotFoundError: There is nothing behind a URL.
        ImportError: The package for a URL is not installed.
        ValueError: Processes of several machines would need a folder that all of them see.
    """
    if args.launcher != 'none':
        raise ValueError('--launcher needs a folder that all processes see: no URLs, but --processes works')
    cache = cache_of(args.out_dir)
    target = RemoteFolder(args.out_dir, cache / 'report') if is_url(args.out_dir) else None
    args.inputs = fetch_photos(args.inputs, cache / 'photos')
    if target is None:
        return _kept_when_interrupted(predict(args, None), cache)
    args.out_dir = str(target.local)
    if args.resume:
        target.pull()
    elif target.local.exists():
        shutil.rmtree(target.local)
    with ThreadPoolExecutor(1, 'sending') as pool:
        sent: list[Future] = []

        def send(record: Record) -> None:
            # The record last: it says that the rest is there.
            names = [*record.get('files', {}).values(), f'records/{record["name"]}.json']
            sent.append(pool.submit(target.push, names))

        status = predict(args, send)
        for future in sent:
            future.result()
        target.push()
    return _kept_when_interrupted(status, cache)


def cache_of(out_dir: str) -> Path:
    """Where copies and results lie during a run; the same for the same ``--out-dir``."""
    where = out_dir if is_url(out_dir) else os.path.abspath(out_dir)
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / 'csbsr_mm' / hashlib.sha256(str(where).encode()).hexdigest()[:16]


def _kept_when_interrupted(status: int, cache: Path) -> int:
    if status != INTERRUPTED:
        shutil.rmtree(cache, ignore_errors=True)
    return status
