"""The journal of the testing kit: the exchanges of clients, searched, waited for and asserted."""

import json
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, NoReturn, Unpack

from mockchat.api.validation import Loader
from mockchat.bridge import Bridge
from mockchat.control.journal import filter_of
from mockchat.control.requests import ExchangeQuery
from mockchat.core.clock import Duration, seconds
from mockchat.core.errors import ApiError
from mockchat.core.journal import Exchange, Filter, explain
from mockchat.kit.checks import check_keywords
from mockchat.kit.handles import PATIENCE
from mockchat.kit.names import Wanted

__tracebackhide__ = True  # a failed assertion shows the line of the test
_load = Loader(ExchangeQuery)


class JournalView:
    """The requests of clients to an app, or to all apps.

    The filters are those of `find`; `wait_for`, `assert_called` and the others take the same.
    """

    def __init__(self, bridge: Bridge, app_id: str | None) -> None:
        self._bridge = bridge
        self._app_id = app_id

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.find())

    def __len__(self) -> int:
        return len(self.find())

    def find(self, **wanted: Unpack[Wanted]) -> list[Exchange]:
        """Return the exchanges that fit, oldest first.

        The names are `operation`, `method`, `path`, `uid`, `status`, `code`, `headers`, `json` and
        `since`, an id. In a path `*` stands for a segment, `**` for several. `headers` and `json`
        need be a part of the request's.
        """
        return self._found(self._filter(wanted))

    def last(self, **wanted: Unpack[Wanted]) -> Exchange:
        """Return the newest exchange that fits; raise LookupError, which names the nearest."""
        found = self.find(**wanted)
        if not found:
            raise LookupError(f"no such exchange: {self._explain(wanted)}")
        return found[-1]

    def count(self, **wanted: Unpack[Wanted]) -> int:
        """Return how many exchanges fit."""
        return len(self.find(**wanted))

    def wait_for(
        self, count: int = 1, timeout: Duration = PATIENCE, **wanted: Unpack[Wanted]
    ) -> Exchange:
        """Wait until `count` exchanges fit, those before the call counted; return the newest.

        Raises TimeoutError after `timeout` seconds, which names the nearest exchange.
        """
        return self._bridge.run(self._arrival(count, seconds(timeout), wanted))

    async def wait_for_async(
        self,
        count: int = 1,
        timeout: Duration = PATIENCE,  # noqa: ASYNC109  # as its twin
        **wanted: Unpack[Wanted],
    ) -> Exchange:
        """Wait as `wait_for` does, without blocking the event loop of the test."""
        return await self._bridge.wait(self._arrival(count, seconds(timeout), wanted))

    def assert_called(self, count: int | None = None, **wanted: Unpack[Wanted]) -> Exchange:
        """Return the newest exchange that fits; raise AssertionError where there is none.

        With `count`, exactly so many must fit. The message names the nearest exchange and the
        differences.
        """
        found = self.find(**wanted)
        if not found or (count is not None and len(found) != count):
            times = "at least one" if count is None else f"exactly {count}"
            self._complain(f"{times} {_told(wanted, count or 1)}", wanted, found)
        return found[-1]

    def assert_not_called(self, **wanted: Unpack[Wanted]) -> None:
        """Raise AssertionError where an exchange fits."""
        if found := self.find(**wanted):
            self._complain(f"no {_told(wanted)}", wanted, found)

    def _complain(self, expected: str, wanted: Wanted, found: list[Exchange]) -> NoReturn:
        explained = self._explain(wanted)
        raise AssertionError(f"expected {expected}, got {len(found)}: {explained}")

    def clear(self) -> None:
        """Forget the exchanges."""
        self._bridge.perform("clear_journal", self._app_id, None)

    def har(self) -> dict[str, Any]:
        """Return the exchanges in HAR 1.2, for the network tools of browsers."""
        archive: dict[str, Any] = json.loads(self._bridge.perform("get_har", self._app_id, None))
        return archive

    def _found(self, wanted: Filter) -> list[Exchange]:
        return self._bridge.call(self._bridge.store.journals.search, wanted, self._app_id)

    def _arrival(self, count: int, limit: float, wanted: Wanted) -> Coroutine[Any, Any, Exchange]:
        """Return the coroutine that waits; raise TypeError or ValueError at once."""
        if count < 1:
            raise ValueError(f"wait_for waits for 1 exchange or more, not {count}")
        return self._arrived(count, limit, wanted, self._filter(wanted))

    async def _arrived(self, count: int, limit: float, wanted: Wanted, pattern: Filter) -> Exchange:
        found = await self._bridge.store.journals.wait(pattern, self._app_id, count, limit)
        if len(found) < count:
            raise TimeoutError(
                f"{len(found)} of {count} {_told(wanted, count)} came within {limit:g} s: "
                f"{self._explain(wanted)}"
            )
        return found[-1]

    def _filter(self, wanted: Wanted) -> Filter:
        """Return the filter; raise TypeError or ValueError for one that no exchange can fit."""
        given: dict[str, Any] = {**wanted}
        check_keywords(given, Wanted.__annotations__, "exchanges have no {} to look for")
        parts = {name: given.pop(name) for name in ("headers", "json") if name in given}
        if not isinstance(parts.get("headers") or {}, Mapping):
            raise TypeError(f"headers must be a mapping, not {parts['headers']!r}")
        try:
            found = self._bridge.call(filter_of, _load(given), self._bridge.store, self._app_id)
        except ApiError as error:
            raise ValueError(str(error)) from None
        return found._replace(**parts)

    def _explain(self, wanted: Wanted) -> str:
        pattern = self._filter(wanted)
        return explain(self._found(pattern), pattern, self._found(Filter()))


def _told(wanted: Wanted, count: int = 1) -> str:
    noun = "exchange" if count == 1 else "exchanges"
    told = ", ".join(f"{name}={value!r}" for name, value in wanted.items())
    return f"{noun} with {told}" if told else noun
