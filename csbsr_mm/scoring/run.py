"""Measure the files of one model, in threads, keeping what is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from csbsr_mm.metrics import Accumulator
from csbsr_mm.metrics.measures import Record
from csbsr_mm.utils.atomic_file import replacing

from .files import Pair, read_mask, read_prediction

Progress = Callable[[int, int], None]


def score_files(
    pairs: Sequence[Pair],
    metrics: Accumulator,
    workers: int = 2,
    ignore_value: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Accumulator:
    """Measure predictions against their masks.

    Args:
        pairs: Files, in the order in which the images are kept.
        metrics: Empty accumulator; filled, and returned.
        workers: Threads; the compiled functions do not hold Python's lock.
        ignore_value: Value of pixels of the masks that do not count, or None.
        cache: Folder that keeps the records of each image, so that a run that was cut off goes on; None for
            no folder. A record counts while settings, file sizes and times of change are the same.
        progress: Called with the number of images that are done and of all.

    Raises:
        ValueError: A file holds something else than it should, or sizes differ.
    """
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    settings = json.dumps([metrics.settings(), ignore_value], sort_keys=True)

    def measure(pair: Pair) -> dict[str, Record]:
        kept = None if cache is None else cache / f'{pair.name}.npz'
        stamp = _stamp(pair, settings)
        found = None if kept is None else _kept_records(kept, stamp)
        if found is None:
            mask, ignore = read_mask(pair.mask, ignore_value)
            prob = read_prediction(pair.prediction)
            if prob.shape != mask.shape:
                raise ValueError(
                    f'{pair.prediction} is {prob.shape} and {pair.mask} {mask.shape}; give them one size'
                )
            found = metrics.measure(prob, mask, ignore, pair.name)
            if kept is not None:
                _keep(kept, found, stamp)
        return found

    with ThreadPoolExecutor(max(1, workers)) as executor:
        futures = [executor.submit(measure, pair) for pair in pairs]
        try:
            for number, (pair, future) in enumerate(zip(pairs, futures, strict=True), 1):
                metrics.add(future.result(), pair.name)
                if progress is not None:
                    progress(number, len(pairs))
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    return metrics


def _stamp(pair: Pair, settings: str) -> str:
    """What changes if the files or the settings do."""
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in pair[1:]]
    return hashlib.sha256(json.dumps([settings, files]).encode()).hexdigest()


def _kept_records(path: Path, stamp: str) -> dict[str, Record] | None:
    """Records of an earlier run, None if they are missing, damaged, or of something else."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays['stamp']) != stamp:
                return None
            records: dict[str, Record] = {}
            for name in arrays.files:
                if name != 'stamp':
                    label, key = name.split('/')
                    records.setdefault(label, {})[key] = arrays[name]
            return records
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _keep(path: Path, records: dict[str, Record], stamp: str) -> None:
    arrays = {f'{label}/{key}': values for label, record in records.items() for key, values in record.items()}
    with replacing(path) as temporary:
        np.savez(temporary, stamp=np.array(stamp), **arrays)
