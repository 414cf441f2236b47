"""Throughput of a config's training data, and the time of each step of its pipeline."""

from __future__ import annotations

import ctypes
import itertools
import math
import multiprocessing
import statistics
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader

from csbsr_mm.engine.runtime import fit_workers

WARM_UP_SAMPLES = 10


class LoaderThroughput(NamedTuple):
    """Throughput of a data loader whose consumer only takes batches.

    ``images_per_second`` is by the clock on the wall; the others are processor time in milliseconds an image:
    ``working`` that of the workers, together (NaN where the system does not tell), ``receiving`` that of the
    training process itself, which no worker can take over.
    """

    images_per_second: float
    working: float
    receiving: float


def training_loader(cfg: Config, workers: int, batch_size: int | None = None) -> DataLoader:
    """A config's training data loader as MMEngine's runner builds it, with another number of workers.

    Args:
        cfg: Config with ``train_dataloader``.
        workers: Worker processes; with 0 the training process makes the batches itself.
        batch_size: Images of a batch; the config's by default.

    Raises:
        ValueError: The config has no training data.
    """
    if cfg.get('train_dataloader') is None:
        raise ValueError(f'{cfg.filename or "the config"} has no train_dataloader')
    set_multi_processing(**cfg.get('env_cfg', {}).get('mp_cfg', {}))
    settings = dict(cfg.train_dataloader, num_workers=workers)
    if batch_size is not None:
        settings['batch_size'] = batch_size
    fit_workers(settings)
    return Runner.build_dataloader(settings, seed=cfg.get('randomness', {}).get('seed'))


def measure_throughput(loader: DataLoader, images: int) -> tuple[LoaderThroughput, Any]:
    """Take batches from a loader as fast as it gives them.

    Args:
        loader: Data loader; a finite one is gone through again and again.
        images: How many to take after the warm-up, at least.

    Returns:
        The throughput, and a batch to train on.

    Raises:
        ValueError: The loader gives no batch.
    """
    batches = _endless(loader)
    # What workers put by before anybody took it would count as made in no time.
    for _ in range(1 + loader.num_workers * ((loader.prefetch_factor or 0) + 1)):
        batch = next(batches)
    taken, start = 0, _clocks()
    while taken < images:
        batch = next(batches)
        taken += len(batch['inputs'])
    elapsed, own, workers = (end - begin for begin, end in zip(start, _clocks(), strict=True))
    if loader.num_workers == 0:
        own, workers = 0.0, own
    return LoaderThroughput(taken / elapsed, 1000 * workers / taken, 1000 * own / taken), batch


def _clocks() -> tuple[float, float, float]:
    """Seconds on the wall, of this process on a processor, and of its children."""
    children = math.fsum(
        _processor_time(child.pid) for child in multiprocessing.active_children() if child.pid
    )
    return time.perf_counter(), time.process_time(), children


def _processor_time(process: int) -> float:
    """Processor time of another process so far, or NaN."""
    clock = ctypes.c_int()
    find = getattr(ctypes.CDLL(None), 'clock_getcpuclockid', None)
    if find is None or find(process, ctypes.byref(clock)):
        return math.nan
    return time.clock_gettime(clock.value)


def time_transforms(loader: DataLoader, images: int) -> dict[str, float]:
    """Median processor time in each step of the pipeline, in milliseconds, measured in this process.

    Args:
        loader: Data loader; its sampler says which images are taken, its workers are left alone.
        images: How many, after a warm-up.

    Returns:
        Milliseconds of the look-up in the data set, then of each transform, by name and in order. A data
        set that shows no pipeline (MMEngine's wrappers) has one entry for everything.

    Raises:
        ValueError: The sampler gives nothing. MMEngine's ``InfiniteSampler`` can be gone through only once,
            by the loader or here.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    try:
        indices = itertools.islice(_endless(loader.sampler), WARM_UP_SAMPLES + images)
        laps = [dict(_laps(loader.dataset, index)) for index in indices][WARM_UP_SAMPLES:]
    finally:
        torch.set_num_threads(threads)
    return {name: 1000 * statistics.median(lap[name] for lap in laps if name in lap) for name in laps[-1]}


def _endless(source: Iterable[Any]) -> Iterator[Any]:
    """Over and over what ``source`` gives, as long as it gives something."""
    while True:
        empty = True
        for item in source:
            empty = False
            yield item
        if empty:
            raise ValueError(f'{type(source).__name__} gives nothing; if it is used up, build a new loader')


def _laps(dataset: Any, index: int) -> Iterator[tuple[str, float]]:
    """Name and seconds of each step of one sample."""
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', None)
    start = time.process_time()
    if transforms is None:
        dataset[index]
        yield type(dataset).__name__, time.process_time() - start
        return
    look_up = getattr(dataset, 'drawn_info', dataset.get_data_info)
    sample = look_up(index)
    yield 'look-up', time.process_time() - start
    for position, transform in enumerate(transforms):
        start = time.process_time()
        sample = transform(sample)
        name = type(transform).__name__
        repeated = any(type(other) is type(transform) for other in transforms[:position])
        yield f'{name} ({position})' if repeated else name, time.process_time() - start
