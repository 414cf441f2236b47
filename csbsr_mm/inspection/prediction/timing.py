"""Where the time of a prediction goes, and how long the device waits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from csbsr_mm.apis.inferencer import MODEL_STAGES
from csbsr_mm.utils.stage_times import StageTimes

T = TypeVar('T')
WAITS = ('wait_for_photo', 'wait_for_storing')


class RunTimer:
    """Times a run whose stages overlap.

    Args:
        times: What the stages of the run are timed with: :data:`MODEL_STAGES` within 'predict', and 'read',
            'write' and 'measure' beside it.
    """

    def __init__(self, times: StageTimes) -> None:
        self.times = times
        self.photos, self.pixels = 0, 0
        self._start = self._end = 0.0

    def start(self) -> None:
        """The run begins."""
        self._start = self._end = time.perf_counter()

    def stop(self) -> None:
        """The run has ended."""
        self._end = time.perf_counter()

    def count(self, pixels: int) -> None:
        """A photo was predicted and stored."""
        self.photos += 1
        self.pixels += pixels
        self.stop()

    def waiting_for_photos(self, items: Iterable[T]) -> Iterator[T]:
        """The items; the time until each is there is time that the device waits for a photo."""
        items = iter(items)
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            self.times.add(WAITS[0], time.perf_counter() - start)
            yield item

    def summary(self) -> dict:
        """The run in numbers, as JSON values; times in seconds.

        Returns:
            ``photos`` and ``megapixels`` that were predicted; ``seconds`` of the run; ``busy``: by stage,
            side by side, where 'blend' is what predicting takes outside the networks; ``device``: from the
            run's start to the end of the last prediction, and of that the time in which the device had
            nothing to do, because a photo was not read (``wait_for_photo``), the last result not stored
            (``wait_for_storing``) or tiles were cut and blended.
        """
        seconds = self.times.seconds
        in_model = sum(seconds.get(stage, 0.0) for stage in MODEL_STAGES)
        busy = {
            name: seconds[name] for name in ('read', *MODEL_STAGES, 'write', 'measure') if name in seconds
        }
        busy['blend'] = max(seconds.get('predict', 0.0) - in_model, 0.0)
        span = max(self.times.last_end.get('predict', self._start) - self._start, 0.0)
        device = dict(
            span=span, idle=max(span - in_model, 0.0), **{name: seconds.get(name, 0.0) for name in WAITS}
        )
        total = dict(
            processes=1,
            photos=self.photos,
            megapixels=self.pixels / 1e6,
            seconds=self._end - self._start,
            busy=busy,
            device=device,
        )
        return _finished(total)


def merged(summaries: Sequence[dict]) -> dict:
    """The summary of processes that ran side by side: sums, and the longest of their ``seconds``.

    Example:
        >>> timer = RunTimer(StageTimes())
        >>> timer.times.add('predict', 2.0), timer.count(3_000_000)
        (None, None)
        >>> total = merged([timer.summary(), timer.summary()])
        >>> total['processes'], total['megapixels'], total['busy']['blend']
        (2, 6.0, 4.0)
    """
    total: dict = dict(processes=0, photos=0, megapixels=0.0, seconds=0.0, busy={}, device={})
    for summary in summaries:
        for name in ('processes', 'photos', 'megapixels'):
            total[name] += summary[name]
        total['seconds'] = max(total['seconds'], summary['seconds'])
        for part in ('busy', 'device'):
            for name, value in summary[part].items():
                total[part][name] = total[part].get(name, 0.0) + value
    return _finished(total)


def _finished(total: dict) -> dict:
    """Round, and add what follows from the sums."""
    device = total['device']
    span = device.get('span', 0.0)
    device['idle_part'] = device.get('idle', 0.0) / span if span else 0.0
    seconds = total['seconds']
    total['megapixels_per_minute'] = 60 * total['megapixels'] / seconds if seconds else 0.0
    return _rounded(total)


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value
