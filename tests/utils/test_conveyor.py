"""Steps that overlap: in order, one ahead and one behind, and nothing lost when something fails."""

import threading
import time

import pytest

from csbsr_mm.utils.conveyor import OneAhead, OneBehind


def test_values_are_made_one_ahead_and_never_two():
    made, asked = [], []

    def make(item):
        made.append(item)
        return item

    with OneAhead(make, range(5)) as values:
        for value in values:
            asked.append(value)
            while len(made) < min(len(asked) + 1, 5):
                time.sleep(0.001)
            time.sleep(0.01)
            assert len(made) == min(len(asked) + 1, 5)
    assert asked == made == list(range(5))


def test_items_are_asked_for_in_the_thread():
    threads = []

    def items():
        threads.append(threading.current_thread())
        yield 1

    with OneAhead(str, items()) as values:
        assert list(values) == ['1']
    assert threads[0] is not threading.main_thread()


def test_exception_appears_in_the_place_of_its_value():
    with OneAhead(lambda item: 1 / item, [1, 2, 0, 4]) as values:
        iterator = iter(values)
        assert [next(iterator), next(iterator)] == [1, 0.5]
        with pytest.raises(ZeroDivisionError):
            next(iterator)


def test_value_that_nobody_wants_is_discarded():
    discarded = []
    with OneAhead(str, [1, 2, 3], discarded.append) as values:
        next(iter(values))
    assert discarded == ['2']


def test_items_are_put_away_in_order_beside_the_work():
    """Each waits for something that happens only after it was handed over."""
    gates, done = [threading.Event() for _ in range(5)], []
    with OneBehind(lambda item: (item, gates[item].wait(30))) as work:
        for item in range(5):
            done += work.put(item)
            gates[item].set()
        done += work.rest()
    assert done == [(item, True) for item in range(5)]


def test_what_fails_behind_is_raised_at_the_next_item():
    with OneBehind(lambda item: 1 / item) as work:
        assert work.put(0) == []
        with pytest.raises(ZeroDivisionError):
            work.put(1)
        assert work.rest() == []
