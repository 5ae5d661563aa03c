"""Watchers: they see each exchange as it comes, and that something changed."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MOST_WATCHERS = 100
BACKLOG = 500  # exchanges that wait for one watcher; then the oldest are lost to it


class Watcher:
    """One watcher of an app (`app_key`, its id in lower case), or of all apps."""

    def __init__(self, app_key: str | None, backlog: int | None) -> None:
        self.app_key = app_key
        self.backlog = backlog
        self.lost = 0  # exchanges that it was too slow for, since the last `take`
        self._pending: deque[Any] = deque(maxlen=backlog)
        self.event = asyncio.Event()  # that something came
        self._loop = asyncio.get_running_loop()

    def see(self, exchange: Any) -> None:
        """Add an exchange; a full backlog drops its oldest one."""
        self.lost += len(self._pending) == self.backlog
        self._pending.append(exchange)
        self.event.set()

    def wake(self) -> None:
        """End a wait, from any thread: something changed."""
        self._loop.call_soon_threadsafe(self.event.set)

    async def woken(self, seconds: float) -> None:
        """Wait for an exchange or a change, at most so many real seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.event.wait()
        self.event.clear()

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
        self._ended = False

    @property
    def clients(self) -> int:
        """The number of clients that watch, without those that wait for one thing."""
        return sum(one.backlog is not None for one in self.present)

    @contextmanager
    def watching(self, app_id: str | None, backlog: int | None = None) -> Iterator[Watcher]:
        """Give a watcher for as long as the block runs."""
        watcher = Watcher(app_id and app_id.lower(), backlog)
        self.present.add(watcher)
        try:
            yield watcher
        finally:
            self.present.discard(watcher)

    async def until(
        self, is_there: Callable[[list[Any]], bool], seconds: float, app_id: str | None = None
    ) -> bool:
        """Wait until `is_there` is true; return whether that happened within real seconds.

        It is called after each change and exchange, with the exchanges that came since the last
        call.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        with self.watching(app_id) as watcher:
            while not is_there(watcher.take()[0]):
                left = end - loop.time()
                if self._ended or left <= 0:
                    return False
                await watcher.woken(left)
        return True

    def tell(self, app_key: str, exchange: Any) -> None:
        """Give an exchange to the watchers of its app."""
        for watcher in self.present:
            if watcher.app_key in (None, app_key):
                watcher.see(exchange)

    def change(self, *_cause: object) -> None:
        """Tell all watchers that something changed."""
        self.changes += 1
        for watcher in tuple(self.present):  # other threads may change it
            watcher.wake()

    def end(self) -> None:
        """End all waits, now and from now on."""
        self._ended = True
        for watcher in self.present:
            watcher.event.set()
