"""Progress of one photo as lines of a log, which has no place for a bar."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 30.0
"""Between two lines."""


class LogProgress:
    """Says how far a photo is, every half minute; photos that are done by then say nothing.

    Args:
        say: Prints a line.
        seconds: Time between two lines.
        clock: Gives the time in seconds.

    Example:
        >>> times = iter([0.0, 40.0, 50.0, 75.0])
        >>> progress = LogProgress(print, clock=lambda: next(times))
        >>> for done in (1, 50, 60, 100):
        ...     progress.on_tile('wall', done, 200)
        wall: 50 of 200 tiles done, 25 %, about 2 min left
        wall: 100 of 200 tiles done, 50 %, about 1 min left
    """

    def __init__(
        self,
        say: Callable[[str], None],
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.say, self.seconds, self.clock = say, seconds, clock
        self._name: str | None = None
        self._start, self._first, self._last = 0.0, 0, 0.0

    def on_tile(self, name: str, done: int, total: int) -> None:
        """Count; tiles that go through two networks count twice.

        Args:
            name: The photo.
            done: Tiles that are done.
            total: All tiles.
        """
        now = self.clock()
        if name != self._name:
            self._name, self._start, self._first, self._last = name, now, done, now
            return
        if now - self._last < self.seconds or done >= total:
            return
        self._last = now
        speed = (done - self._first) / (now - self._start)
        left = f', about {_words((total - done) / speed)} left' if speed > 0 else ''
        self.say(f'{name}: {done:,} of {total:,} tiles done, {100 * done // total} %{left}')


def _words(seconds: float) -> str:
    """A time to read at a glance.

    Example:
        >>> _words(20), _words(600), _words(9000)
        ('1 min', '10 min', '2 h 30 min')
    """
    minutes = max(round(seconds / 60), 1)
    return f'{minutes} min' if minutes < 60 else f'{minutes // 60} h {minutes % 60} min'
