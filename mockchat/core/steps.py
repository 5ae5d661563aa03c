"""Long work in steps: between two of them, a server answers other requests."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]  # yields after each step, and returns the result
STEP = 250  # entities of a step, which takes a millisecond or two


def pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items of each step."""
    for start in range(0, len(items), STEP):
        yield items[start : start + STEP]


def finish(steps: Steps[T]) -> T:
    """Do all steps at once and return the result."""
    try:
        while True:
            next(steps)
    except StopIteration as done:
        result: T = done.value
        return result


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
