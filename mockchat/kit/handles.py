"""Handles: the faults and held logins that a test has made."""

from collections.abc import Coroutine
from typing import Any, Self

from mockchat.bridge import Bridge
from mockchat.core.clock import Duration, seconds
from mockchat.core.journal import Exchange, Filter
from mockchat.kit.checks import knowing_keywords

__tracebackhide__ = True  # a failed verb shows the line of the test
PATIENCE = 5.0  # seconds that waiting takes at most, if a test does not say
_SHOWN = 10  # exchanges in a failed assertion


@knowing_keywords
class Fault:
    """A fault that a test added; leaving its `with` block removes it."""

    def __init__(self, bridge: Bridge, app_id: str | None, row: dict[str, Any]) -> None:
        self._bridge = bridge
        self._app_id = app_id
        self.id: int = row["id"]
        self.kind: str = row["kind"]
        self._match: dict[str, str] = row["match"]
        self._rule = bridge.store.faults.rules.get(self.id)

    @property
    def struck(self) -> int:
        """The number of exchanges that it has struck so far."""
        return self._rule.struck if self._rule else 0

    def assert_struck(self, times: int | None = None) -> None:
        """Raise AssertionError unless it has struck; with `times`, exactly so often."""
        if self.struck == times or (times is None and self.struck):
            return
        wanted = "never struck" if times is None else f"struck {self.struck} times, not {times}"
        where = "".join(f", {name}={value!r}" for name, value in self._match.items())
        found = self._bridge.call(self._last)
        shown = "\n".join(f"  {one}" for one in found) or "  nothing has reached this app"
        raise AssertionError(f"the fault {self.kind!r}{where} {wanted}; received:\n{shown}")

    def _last(self) -> list[str]:
        return [
            str(one) for one in self._bridge.store.journals.search(Filter(), self._app_id)[-_SHOWN:]
        ]

    def remove(self) -> None:
        """Remove the fault, unless it is removed already."""
        faults = self._bridge.store.faults
        if rule := faults.rules.get(self.id):
            self._bridge.call(faults.remove, [rule])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@knowing_keywords
class Hold:
    """Logins that are held open; leaving the `with` block lets them go on."""

    def __init__(self, bridge: Bridge, app_id: str | None, uid: str | None) -> None:
        self._bridge = bridge
        self._app_id = app_id
        self._uid = uid

    def wait(self, count: int = 1, timeout: Duration = PATIENCE) -> None:
        """Wait until an app holds `count` logins open; raise TimeoutError after `timeout`."""
        self._bridge.run(self._arrival(count, seconds(timeout)))

    async def wait_async(self, count: int = 1, timeout: Duration = PATIENCE) -> None:  # noqa: ASYNC109
        """Wait as `wait` does, without blocking the event loop of the test."""
        await self._bridge.wait(self._arrival(count, seconds(timeout)))

    def _arrival(self, count: int, limit: float) -> Coroutine[Any, Any, None]:
        """Return the coroutine that waits; raise ValueError at once."""
        if count < 1:
            raise ValueError(f"wait waits for 1 login or more, not {count}")
        return self._arrived(count, limit)

    async def _arrived(self, count: int, limit: float) -> None:
        store = self._bridge.store
        apps = list(store.apps()) if self._app_id is None else [store.find(self._app_id)]

        def are_there(_new: list[Exchange]) -> bool:
            return any(app and app.holds.count(self._uid) >= count for app in apps)

        if not await store.journals.watchers.until(are_there, limit):
            logins = "login" if count == 1 else f"{count} logins"
            whose = self._uid or "anybody"
            raise TimeoutError(f"no {logins} of {whose} arrived within {limit:g} s")
