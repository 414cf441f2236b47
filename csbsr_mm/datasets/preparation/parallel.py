"""Doing the same to many files, in several processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar('Item')
Result = TypeVar('Result')


def default_workers() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def run_parallel(
    function: Callable[[Item], Result], items: Sequence[Item], title: str, workers: int | None = None
) -> list[Result]:
    """Results of a function for each item, in order.

    Args:
        function: A picklable function of one item.
        items: Its arguments.
        title: What the progress bar says.
        workers: Processes; as many as cores if None, none beside this one if 1 or fewer.

    Returns:
        One result per item. The first exception is raised here.
    """
    if not items:
        return []
    workers = min(default_workers() if workers is None else workers, len(items))
    if workers <= 1:
        return list(_with_progress(map(function, items), len(items), title))
    with _single_threaded_opencv(), multiprocessing.Pool(workers, torch.set_num_threads, (1,)) as pool:
        return list(_with_progress(pool.imap(function, items, chunksize=4), len(items), title))


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """End OpenCV's threads for a while.

    A forked process inherits the locks of its parent's threads, but not the threads, and waits forever.
    Besides, each process of a pool is to use one core.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _with_progress(results: Iterable[Result], total: int, title: str) -> Iterable[Result]:
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a terminal a bar would fill the log; the console then prints its last state only.
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        yield from progress.track(results, total=total, description=title)
