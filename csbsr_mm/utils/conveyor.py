"""Three steps side by side: a thread makes the next item ready while another puts the last one away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

In = TypeVar('In')
Out = TypeVar('Out')


class OneAhead(Generic[In, Out]):
    """``map`` that makes the next value ready in a thread while the last one is worked on.

    Never more than one value waits. An exception appears where its value would. Leaving the block waits for
    the value that is being made and hands it to ``discard``.

    Args:
        function: Makes a value of an item.
        items: Asked for one by one, in the thread.
        discard: What to do with a value that nobody asks for any more.

    Example:
        >>> with OneAhead(lambda word: word.upper(), ['a', 'b', 'c']) as values:
        ...     print(*values)
        A B C
    """

    def __init__(
        self,
        function: Callable[[In], Out],
        items: Iterable[In],
        discard: Callable[[Out], object] | None = None,
    ) -> None:
        self._function, self._items, self._discard = function, iter(items), discard
        self._pool = ThreadPoolExecutor(1, 'ahead')
        self._next: Future[list[Out]] | None = self._pool.submit(self._make)

    def _make(self) -> list[Out]:
        """The next value alone, or nothing where there is none."""
        return [self._function(item) for item in islice(self._items, 1)]

    def __iter__(self) -> Iterator[Out]:
        while self._next is not None:
            values = self._next.result()
            self._next = self._pool.submit(self._make) if values else None
            yield from values

    def __enter__(self) -> OneAhead[In, Out]:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        if self._next is not None and self._next.exception() is None:
            for value in self._next.result():
                if self._discard is not None:
                    self._discard(value)


class OneBehind(Generic[In, Out]):
    """Work that a thread does on items that have been handed over, in their order.

    Never more than one item waits for its turn to end: handing over the next one waits for the last.
    Leaving the block waits for all.

    Args:
        function: What is done with an item.

    Example:
        >>> with OneBehind(str.upper) as work:
        ...     print(work.put('a'), work.put('b'), work.rest())
        [] ['A'] ['B']
    """

    def __init__(self, function: Callable[[In], Out]) -> None:
        self._function = function
        self._pool = ThreadPoolExecutor(1, 'behind')
        self._last: Future[Out] | None = None

    def put(self, item: In) -> list[Out]:
        """Hand over an item; returns what has become of the one before, or raises what it raised."""
        finished = self.rest()
        self._last = self._pool.submit(self._function, item)
        return finished

    def rest(self) -> list[Out]:
        """Wait for the last item and return what has become of it."""
        if self._last is None:
            return []
        last, self._last = self._last, None
        return [last.result()]

    def __enter__(self) -> OneBehind[In, Out]:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
