"""How long each stage of a piece of work takes, also where stages run in threads side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StageTimes:
    """Seconds by stage.

    Args:
        clock: Gives seconds; :func:`time.thread_time` counts a thread's processor time alone.

    Attributes:
        seconds: Sum of each stage.
        last_end: When each stage was last left, on the clock of :func:`time.perf_counter`.

    Example:
        >>> times = StageTimes()
        >>> with times.of('read'):
        ...     pass
        >>> with times.of('read'):
        ...     time.sleep(0.01)
        >>> list(times.seconds), times.seconds['read'] >= 0.01
        (['read'], True)
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}
        self.last_end: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Count the time of a block, also one that raises, to a stage."""
        start = self._clock()
        try:
            yield
        finally:
            self.add(stage, self._clock() - start)

    def add(self, stage: str, seconds: float) -> None:
        """Count time that ends now to a stage."""
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
            self.last_end[stage] = time.perf_counter()
