"""Watchers: they see each exchange as it comes, and that something changed."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mockchat.core.clock import Clock

MOST_WATCHERS = 100
_BACKLOG = 500  # exchanges that wait for one watcher; then the oldest are lost to it


class Watcher:
    """One watcher of an app (`app_key`, its id in lower case), or of all apps."""

    def __init__(self, app_key: str | None, backlog: int) -> None:
        self.app_key = app_key
        self.lost = 0  # exchanges that it was too slow for, since the last `take`
        self._pending: deque[Any] = deque(maxlen=backlog)
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def add(self, exchange: Any) -> None:
        """Add an exchange; a full backlog drops its oldest one."""
        self.lost += len(self._pending) == self._pending.maxlen
        self._pending.append(exchange)
        self._woken.set()

    def wake(self) -> None:
        """End a wait, from any thread: something changed."""
        self._loop.call_soon_threadsafe(self._woken.set)

    async def woken(self, seconds: float) -> None:
        """Wait for an exchange or a change, at most so many real seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    def take(self) -> tuple[list[Any], int]:
        """Return the exchanges that came since the last time, and the number of lost ones."""
        taken = list(self._pending), self.lost
        self._pending.clear()
        self.lost = 0
        return taken


class Watchers:
    """The watchers of a server; without any, an exchange or a change costs next to nothing.

    `changes` counts the changes of which watchers were told.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.present: set[Watcher] = set()

    @contextmanager
    def watching(self, app_id: str | None, clock: Clock) -> Iterator[Watcher]:
        """Give a watcher, which moves of the clock wake, too, for as long as the block runs."""
        watcher = Watcher(app_id and app_id.lower(), _BACKLOG)
        wake = watcher.wake
        self.present.add(watcher)
        clock.listeners.append(wake)
        try:
            yield watcher
        finally:
            clock.listeners.remove(wake)
            self.present.discard(watcher)

    def tell(self, app_key: str, exchange: Any) -> None:
        """Give an exchange to the watchers of its app."""
        for watcher in self.present:
            if watcher.app_key in (None, app_key):
                watcher.add(exchange)

    def change(self, *_cause: object) -> None:
        """Tell all watchers that something changed."""
        self.changes += 1
        for watcher in self.present:
            watcher.wake()
