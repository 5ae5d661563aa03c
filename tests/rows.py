"""Tests of many rows, whose failure names the row."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mockchat.wire.app import STORE
from tests.answers import body_of
from tests.values import NOW


def each_row(names: str | tuple[str, ...], rows: Iterable[Any]) -> Callable[[Any], Any]:
    """Run a test with every row, as one test, whose failure names the row.

    `names` and `rows` are those of `pytest.mark.parametrize`. For every row, the server of the
    fixture `client` goes back to its seed and to the time `NOW`.
    """
    wanted = (names,) if isinstance(names, str) else names
    values = [(row,) if isinstance(names, str) else row for row in rows]
    kept = [dict(zip(wanted, row, strict=True)) for row in values]

    def decorate(test: Any) -> Any:
        async def run(**fixtures: Any) -> None:
            for number, row in enumerate(kept):
                if number:
                    await _renew(**fixtures)
                with telling(**row):
                    await test(**fixtures, **row)

        def run_plain(**fixtures: Any) -> None:
            for row in kept:
                with telling(**row):
                    test(**fixtures, **row)

        done = functools.wraps(test)(run if inspect.iscoroutinefunction(test) else run_plain)
        signature = inspect.signature(test)
        others = [one for one in signature.parameters.values() if one.name not in wanted]
        done.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return done

    return decorate


@contextlib.contextmanager
def telling(**row: Any) -> Iterator[None]:
    """Name the row with whatever fails in the block."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"The row: {row!s:.500}")
        raise


async def _renew(client: Any = None, **_others: Any) -> None:
    if client:
        await body_of(client.post("/_mock/reset"))
        client.app[STORE].clock.freeze(NOW)
