"""Many processes that predict photos into one folder, started here, by torchrun or by Slurm."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console

from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun, Record
from csbsr_mm.inspection.prediction.setup import make_run, shown_settings
from csbsr_mm.inspection.prediction.shared_work import SharedWork
from csbsr_mm.inspection.prediction.terminal import INTERRUPTED, PhotoProgress, count_pixels
from csbsr_mm.inspection.prediction.timing import merged
from csbsr_mm.photos.input_files import SourcePhoto
from csbsr_mm.utils.allocator import keep_freed_memory

SCRATCH, RUN = '.scratch-', '.run-'
SETTINGS, TIMING, ERROR = 'settings.json', 'timing-', 'error.txt'
REPORT = '.report'
DEATHS = 2
"""A photo over which so many processes died is given up."""
POLL_SECONDS = 0.3
ERROR_STATUS = 2


@dataclass
class Outcome:
    """What was predicted.

    Attributes:
        records: Of all photos that are done, in the order in which the photos were named.
        settings: What the report says about them.
        timing: Where the time went; see :meth:`.RunTimer.summary`.
        interrupted: Whether the user stopped it.
    """

    records: list[Record]
    settings: dict
    timing: dict
    interrupted: bool = False


class Member(NamedTuple):
    """A process that a launcher started: name of the run, its number, its number on its machine."""

    run: str
    rank: int
    local_rank: int


@contextmanager
def scratch_folder(root: Path) -> Iterator[str]:
    """A folder for scratch files, below the results' one.

    Where results go there is room; the system's temporary folder may be small or in memory.
    """
    with tempfile.TemporaryDirectory(dir=root, prefix=SCRATCH) as scratch:
        yield scratch


def remove_leftovers(folder: OutputFolder, keep: str = '') -> None:
    """Remove what runs that were killed have left in a folder.

    Args:
        folder: The results' folder.
        keep: A run to leave alone.

    Raises:
        ValueError: Processes of another run are working in the folder.
    """
    for leftover in folder.root.glob(f'{RUN}*'):
        if leftover.name == f'{RUN}{keep}':
            continue
        if SharedWork(leftover).is_active():
            raise ValueError(
                f'other processes are writing to {folder.root}; wait for them, stop them (they count as gone '
                f'after two minutes of silence), or choose another --out-dir'
            )
        shutil.rmtree(leftover)
    for leftover in folder.root.glob(f'{SCRATCH}*'):
        shutil.rmtree(leftover)
    for leftover in folder.root.glob('*/.*.partial-*'):
        leftover.unlink(missing_ok=True)


def predict_as_launched(
    args: argparse.Namespace, folder: OutputFolder, photos: Sequence[SourcePhoto], console: Console
) -> Outcome | None:
    """Predict photos as one of the processes that torchrun or Slurm has started.

    Returns:
        The outcome of all processes in the one that is to write the report, None in the others.

    Raises:
        ValueError: There is no launcher around, or another run is working in the folder.
    """
    member = launched_member(args.launcher)
    if member.rank == 0:
        remove_leftovers(folder, keep=member.run)
    work = SharedWork(folder.root / f'{RUN}{member.run}')
    if work.is_over:
        return None

    def say(record: Record) -> None:
        state = 'failed' if record['status'] != 'ok' else f'{len(record["cracks"])} cracks'
        console.print(f'{record["name"]}: {state}', markup=False, highlight=False, soft_wrap=True)

    _take_part(args, folder, photos, work, member.local_rank, say)
    if work.take([REPORT]) is None or work.is_over:
        return None
    outcome = Outcome(_records(folder, photos, work.done()), *_notes(work))
    work.end()
    return outcome


def launched_member(launcher: str) -> Member:
    """Which process this is, from what the launcher has set.

    Args:
        launcher: 'pytorch' (torchrun) or 'slurm' (srun).

    Raises:
        ValueError: The launcher's variables are not set.
    """
    needed = (
        ('SLURM_JOB_ID', 'SLURM_PROCID', 'SLURM_LOCALID') if launcher == 'slurm' else ('RANK', 'LOCAL_RANK')
    )
    missing = [name for name in needed if name not in os.environ]
    if missing:
        how = 'srun' if launcher == 'slurm' else 'torchrun (tools/dist_predict.sh does)'
        raise ValueError(f'--launcher {launcher} without {how}: {", ".join(missing)} is not set')
    if launcher == 'slurm':
        parts = ('SLURM_JOB_ID', 'SLURM_STEP_ID', 'SLURM_RESTART_COUNT')
        run = '-'.join(os.environ.get(name, '0') for name in parts)
        return Member(f'slurm-{run}', int(os.environ['SLURM_PROCID']), int(os.environ['SLURM_LOCALID']))
    import torch.distributed as dist

    # The launcher has no name of its own for a run; the processes agree on one, and then know each other
    # through the folder alone, so that none depends on another's life.
    dist.init_process_group('gloo')
    name = [uuid.uuid4().hex[:12]]
    dist.broadcast_object_list(name)
    dist.destroy_process_group()
    return Member(name[0], int(os.environ['RANK']), int(os.environ['LOCAL_RANK']))


def predict_in_processes(
    args: argparse.Namespace, folder: OutputFolder, photos: Sequence[SourcePhoto], progress: PhotoProgress
) -> Outcome:
    """Predict photos in ``args.processes`` processes of this machine.

    A process that dies is replaced, and its photo is done again.

    Raises:
        RuntimeError: A process met an error that would stop the others too, or they die one after the other.
    """
    work = SharedWork(folder.root / f'{RUN}{uuid.uuid4().hex[:12]}')
    crew = Crew(args, photos, work)
    records: dict[str, Record] = {}
    interrupted = False
    with progress:
        try:
            crew.start()
            while len(records) < len(photos):
                time.sleep(POLL_SECONDS)
                for record in _records(folder, photos, work.done() - records.keys()):
                    records[record['name']] = record
                    progress.on_photo(record, worked_on=record['status'] == 'ok')
                if len(records) < len(photos):
                    crew.mind(len(records), progress.say)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            crew.stop()
            settings, timing = _notes(work)
            work.end()
            remove_leftovers(folder)
    in_order = [records[photo.name] for photo in photos if photo.name in records]
    return Outcome(in_order, settings, timing, interrupted)


class Crew:
    """The processes of this machine that share the photos.

    Args:
        args: The command line.
        photos: All photos.
        work: What they share.
    """

    def __init__(self, args: argparse.Namespace, photos: Sequence[SourcePhoto], work: SharedWork) -> None:
        self.args, self.photos, self.work = args, list(photos), work
        self.members: list[BaseProcess] = []
        self._deaths_in_a_row, self._seen_done = 0, 0

    def start(self) -> None:
        """Start all processes, no more than there are photos."""
        self.members = [self._member(rank) for rank in range(min(self.args.processes, len(self.photos)))]

    def mind(self, done: int, say: Callable[[str], None]) -> None:
        """Replace those that died.

        Args:
            done: Number of photos that are done.
            say: Prints a line.

        Raises:
            KeyboardInterrupt: One was interrupted.
            RuntimeError: One met an error, or they die one after the other.
        """
        if done > self._seen_done:
            self._deaths_in_a_row, self._seen_done = 0, done
        for rank, member in enumerate(self.members):
            status = member.exitcode
            if status in (None, 0):
                continue
            if status == INTERRUPTED:
                raise KeyboardInterrupt
            if status == ERROR_STATUS:
                raise RuntimeError(_read(self.work.folder / ERROR) or 'a process ended with an error')
            self._deaths_in_a_row += 1
            if self._deaths_in_a_row > DEATHS * (len(self.members) + 1):
                raise RuntimeError(
                    f'the processes die one after the other, the last with status {status}; -9 is what lack '
                    f'of memory looks like: try fewer --processes or a smaller --tile'
                )
            say(f'process {rank} died (status {status}); another takes its place')
            self.members[rank] = self._member(rank)

    def stop(self) -> None:
        """End them; what they have not finished is left to --resume."""
        for member in self.members:
            member.terminate()
        for member in self.members:
            member.join()

    def _member(self, rank: int) -> BaseProcess:
        context = multiprocessing.get_context('spawn')
        process = context.Process(
            target=_process, args=(self.args, self.photos, self.work.folder, rank), daemon=True
        )
        with _few_threads(self.args.processes):
            process.start()
        return process


def _process(args: argparse.Namespace, photos: list[SourcePhoto], run_folder: Path, rank: int) -> None:
    """What a process of the crew does."""
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    keep_freed_memory()
    work = SharedWork(run_folder)
    try:
        _take_part(args, OutputFolder(args.out_dir), photos, work, rank)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        with suppress(OSError):
            (run_folder / ERROR).write_text(str(error) or type(error).__name__, encoding='utf-8')
        sys.exit(ERROR_STATUS)


def _end_with(parent: BaseProcess) -> None:
    """End this process when the one that started it is gone."""
    parent.join()
    os._exit(1)


def _take_part(
    args: argparse.Namespace,
    folder: OutputFolder,
    photos: Sequence[SourcePhoto],
    work: SharedWork,
    local_rank: int,
    on_record: Callable[[Record], None] = lambda _: None,
) -> None:
    """Predict photos as this process gets them, until all are done, whoever did them."""
    args.device = _device(args.device, local_rank)
    with scratch_folder(folder.root) as scratch:
        run = make_run(args, folder, scratch)
        notes = OutputFolder(work.folder)
        notes.write_json(shown_settings(args, run), SETTINGS)

        def stored(record: Record) -> None:
            # First, so that the notes are complete when the last photo is done.
            notes.write_json(run.timing.summary(), f'{TIMING}{os.getpid()}-{platform.node()}.json')
            # Not when the record is yielded: that waits for the next photo, and where there is none left
            # to take, the next photo waits for this mark.
            work.finish(record['name'])
            on_record(record)

        for _ in run.run(_share(run, photos, work), stored=stored):
            pass


def _share(run: PredictionRun, photos: Sequence[SourcePhoto], work: SharedWork) -> Iterator[SourcePhoto]:
    """Photos as this process gets them, the largest first, so that all processes end together."""
    left = {photo.name: photo for photo in sorted(photos, key=count_pixels, reverse=True)}
    while not (work.is_over or run.stopping.is_set()):
        for name in work.done() & left.keys():
            del left[name]
        if not left:
            return
        claim = work.take(left)
        if claim is None:
            time.sleep(POLL_SECONDS)
        elif claim.deaths < DEATHS:
            yield left[claim.name]
        else:
            run.give_up(left[claim.name], f'{claim.deaths} processes died over it')
            work.finish(claim.name)


def _device(asked: str | None, local_rank: int) -> str | None:
    """A GPU for each process of a machine, in turn, unless a certain one is asked for."""
    if asked in (None, 'cuda') and torch.cuda.is_available():
        return f'cuda:{local_rank % torch.cuda.device_count()}'
    return asked


@contextmanager
def _few_threads(processes: int) -> Iterator[None]:
    """Let processes that start now share the cores, unless the user has said how many threads there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    names = [n for n in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS') if n not in os.environ]
    os.environ.update(dict.fromkeys(names, str(max(cores // processes, 1))))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]


def _records(folder: OutputFolder, photos: Sequence[SourcePhoto], names: set[str]) -> list[Record]:
    return [
        json.loads(folder.path('records', f'{photo.name}.json').read_text(encoding='utf-8'))
        for photo in photos
        if photo.name in names
    ]


def _notes(work: SharedWork) -> tuple[dict, dict]:
    """Settings and timing, as the processes have noted them."""
    timings = [json.loads(path.read_text(encoding='utf-8')) for path in work.folder.glob(f'{TIMING}*')]
    return json.loads(_read(work.folder / SETTINGS) or '{}'), merged(timings)


def _read(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding='utf-8')
    return ''
