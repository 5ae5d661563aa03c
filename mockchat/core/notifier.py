"""Notifiers: they wake tasks that wait for a condition, so that no task polls."""

import asyncio
from collections.abc import Callable


class Notifier:
    """Wakes the tasks that wait on it."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self._ended = False

    def notify(self) -> None:
        """Let all waiting tasks check their condition again."""
        for one in self._waiting:
            one.set()

    def end(self) -> None:
        """End all waits, now and from now on."""
        self._ended = True
        self.notify()

    async def until(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Wait until `is_there()`; return whether that happened within `seconds` real seconds."""
        notified = asyncio.Event()
        self._waiting.add(notified)
        try:
            async with asyncio.timeout(seconds):
                while not is_there():
                    if self._ended:
                        return False
                    notified.clear()
                    await notified.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(notified)
        return True
