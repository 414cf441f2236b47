"""One training at a time in a work directory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from mmengine.logging import print_log

NAME = 'run.lock'
BEAT = 30.0
DEAD_AFTER = 600.0


class WorkDirInUse(OSError):
    """Another process trains in this work directory."""


@contextlib.contextmanager
def run_lock(work_dir: str | Path) -> Iterator[None]:
    """Hold a work directory; a second training there would overwrite the first one's checkpoints.

    The lock is a file that names host and process and is touched every half a minute. It is stale, and
    taken over with a line in the log, if that process of this machine is gone, or if a process of
    another machine has not touched it for ten minutes.

    Args:
        work_dir: Working directory of the run; made if it is not there.

    Raises:
        WorkDirInUse: It is held; says by whom, and what to do.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, run_lock(folder):
        ...     os.listdir(folder)
        ['run.lock']
    """
    path = Path(work_dir) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    own = json.dumps(dict(host=socket.gethostname(), pid=os.getpid(), begun=_begun(os.getpid())))
    _take(path, own)
    released = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, released), daemon=True)
    beat.start()
    try:
        yield
    finally:
        released.set()
        with contextlib.suppress(OSError):
            if path.read_text(encoding='utf-8') == own:
                path.unlink()


def _take(path: Path, own: str) -> None:
    for _ in range(3):
        try:
            with open(path, 'x', encoding='utf-8') as file:
                file.write(own)
            return
        except FileExistsError:
            holder = _holder(path)
        if not path.exists():
            continue
        if not _is_stale(holder, path):
            break
        print_log(f'{path} was left behind by {_name(holder)}; taking over', logger='current')
        # Of two processes that see a stale lock, only one finds it to rename.
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, f'{path}.stale')
            os.remove(f'{path}.stale')
    raise WorkDirInUse(
        f'{path.parent} is in use by {_name(holder)}; wait for it, stop it, or choose another --work-dir (if '
        f'you know that it has ended, delete {path})'
    )


def _holder(path: Path) -> dict:
    try:
        holder = json.loads(path.read_text(encoding='utf-8'))
        return holder if isinstance(holder, dict) else {}
    except (OSError, ValueError):
        return {}  # Just released, or just being written.


def _name(holder: dict) -> str:
    return f'process {holder.get("pid", "?")} on {holder.get("host", "an unknown machine")}'


def _is_stale(holder: dict, path: Path) -> bool:
    if holder.get('host') == socket.gethostname() and isinstance(holder.get('pid'), int):
        return holder.get('begun') != _begun(holder['pid'])
    probe = path.with_name(f'.{NAME}.{os.getpid()}')
    try:
        probe.touch()  # The file server's clock, not ours, dates both files.
        return probe.stat().st_mtime - path.stat().st_mtime > DEAD_AFTER
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)


def _begun(pid: int) -> str | None:
    """When a process of this machine began, in ticks of its clock; None if no such process runs."""
    if not os.path.isdir('/proc/self'):
        return 'alive' if _is_alive(pid) else None
    try:
        # The name of the program, in parentheses, may hold blanks.
        fields = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else fields[19]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _beat(path: Path, released: threading.Event) -> None:
    while not released.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(path)
