"""Long work in steps: between two of them, a server answers other requests."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent import futures
from heapq import merge
from typing import Any, TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]  # yields after each step, and returns the result
STEP = 100  # entities of a step, which takes a millisecond or two
_GLANCE = 0.002  # seconds


def pieces(items: Sequence[T], size: int = STEP) -> Iterator[Sequence[T]]:
    """Yield the items of each step."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def finish(steps: Steps[T]) -> T:
    """Do all steps at once and return the result."""
    try:
        while True:
            next(steps)
    except StopIteration as done:
        result: T = done.value
        return result


def in_thread(work: Callable[[], T]) -> Steps[T]:
    """Return the result of work in a thread; it must be in Python, which lets others run."""
    future = futures.ThreadPoolExecutor().submit(work)  # the thread ends with its work
    while futures.wait([future], _GLANCE).not_done:
        yield
    return future.result()


def sorting(items: Sequence[T], key: Callable[[T], Any], *, reverse: bool) -> Steps[list[T]]:
    """Return the items as `sorted` does."""
    runs: list[list[T]] = []
    for piece in pieces(items):
        runs.append(sorted(piece, key=key, reverse=reverse))
        yield
    found = []
    for item in merge(*runs, key=key, reverse=reverse):
        found.append(item)
        if len(found) % STEP == 0:
            yield
    yield from dropping(runs)
    return found


def dropping(*held: dict[Any, Any] | list[Any]) -> Steps[None]:
    """Empty dicts and lists that nothing else uses: to free many objects takes time, too."""
    for one in held:
        while one:
            if isinstance(one, list):
                del one[-STEP:]
            else:
                for _ in range(min(len(one), STEP)):
                    one.popitem()
            yield
