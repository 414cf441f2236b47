"""Name the files that a data loader was waiting for when its workers did not answer."""

from __future__ import annotations

import itertools
import os
import signal
from collections import deque
from collections.abc import Iterator
from typing import Any

from torch.utils.data import BatchSampler, DataLoader


class LoaderTimeout(TimeoutError):
    """The workers of a data loader did not deliver a batch in time."""


class WatchedBatches:
    """Batches of a data loader with workers; a timeout names the files in flight.

    Args:
        dataloader: Loader, with the ``timeout`` after which it gives up.
        name: Its name in the config.
    """

    def __init__(self, dataloader: DataLoader, name: str = 'train_dataloader') -> None:
        self._dataloader, self._name = dataloader, name
        self._drawn: deque[int] = deque()
        sampler = dataloader.batch_sampler
        if isinstance(sampler, BatchSampler) and dataloader.num_workers > 0:
            if not isinstance(sampler.sampler, _Recorded):
                sampler.sampler = _Recorded(sampler.sampler)
            sampler.sampler.drawn = self._drawn
        self._batches = iter(dataloader)

    def __iter__(self) -> WatchedBatches:
        return self

    def __next__(self) -> Any:
        """The next batch.

        Raises:
            StopIteration: The data set is through.
            LoaderTimeout: No batch came in time.
        """
        try:
            batch = next(self._batches)
        except RuntimeError as error:
            if 'timed out' not in str(error):
                raise
            self._end_workers()
            raise LoaderTimeout(self._complaint()) from error
        for _ in range(min(self._dataloader.batch_size or 0, len(self._drawn))):
            self._drawn.popleft()
        return batch

    def _complaint(self) -> str:
        loader = self._dataloader
        waited_for = list(itertools.islice(self._drawn, (loader.batch_size or 1) * loader.num_workers))
        return (
            f'no batch came from {loader.num_workers} workers in {loader.timeout:g} s; in flight were '
            f'{", ".join(_name(loader.dataset, index) for index in waited_for) or "unknown files"}. Look '
            f'whether these can be read; raise {self._name}.timeout, or set it to 0 to wait for ever'
        )

    def _end_workers(self) -> None:
        """A stopped worker handles SIGTERM only after SIGCONT, and Python would wait for it at exit."""
        for worker in getattr(self._batches, '_workers', ()):
            worker.terminate()
            os.kill(worker.pid, signal.SIGCONT)


class WatchedLoader:
    """A data loader whose batches are watched each time it is gone through; else as the loader itself.

    Args:
        dataloader: Loader.
        name: Its name in the config.

    Example:
        >>> loader = WatchedLoader(DataLoader([1, 2, 3], batch_size=2, collate_fn=list), 'test_dataloader')
        >>> list(loader), len(loader), loader.batch_size
        ([[1, 2], [3]], 2, 2)
    """

    def __init__(self, dataloader: DataLoader, name: str) -> None:
        self._dataloader, self._name = dataloader, name

    def __iter__(self) -> WatchedBatches:
        return WatchedBatches(self._dataloader, self._name)

    def __len__(self) -> int:
        return len(self._dataloader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataloader, name)


class _Recorded:
    """A sampler that records the indices it yields."""

    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler
        self.drawn: deque[int] = deque()

    def __iter__(self) -> Iterator[int]:
        drawn = self.drawn
        for index in self._sampler:
            drawn.append(index)
            yield index

    def __len__(self) -> int:
        return len(self._sampler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)


def _name(dataset: Any, index: int) -> str:
    try:
        return str(dataset.get_data_info(int(index))['img_path'])
    except (AttributeError, KeyError, IndexError, TypeError):
        return f'sample {int(index)}'
