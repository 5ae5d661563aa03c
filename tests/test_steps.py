"""Long work in steps: it does what work at once does, and others have turns in between."""

import threading
import time
from operator import itemgetter
from typing import Any

import pytest

from mockchat.core.steps import Steps, dropping, finish, in_thread, sorting
from tests.values import PATIENCE


def done(steps: Steps[Any]) -> tuple[Any, int]:
    """The result of steps, and the number of turns that others had."""
    turns = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, turns
        turns += 1


def test_items_are_sorted_as_at_once_a_hundred_in_a_turn() -> None:
    items = [(number * 7 % 10, number) for number in range(1050)]
    for reverse in (False, True):
        found = done(sorting(items, itemgetter(0), reverse=reverse))

        turns = 11 + 10 + 1  # for the parts, to merge them, and to free them
        assert found == (sorted(items, key=itemgetter(0), reverse=reverse), turns)


def test_what_is_dropped_becomes_empty_a_hundred_in_a_turn() -> None:
    held = (list(range(250)), dict.fromkeys(range(101), 0))

    assert done(dropping(*held)) == (None, 3 + 2)
    assert held == ([], {})


def test_work_in_a_thread_gives_others_turns_until_it_ends_with_its_thread() -> None:
    go_on, threads = threading.Event(), []

    def work() -> int:
        threads.append(threading.current_thread())
        assert go_on.wait(PATIENCE)
        return 1 // len(threads)

    steps, started = in_thread(work), time.monotonic()
    for _ in range(3):
        next(steps)
    assert time.monotonic() - started < 1
    go_on.set()
    assert done(steps)[0] == 1
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()

    threads.clear()
    with pytest.raises(ZeroDivisionError):
        finish(in_thread(lambda: 1 // len(threads)))
