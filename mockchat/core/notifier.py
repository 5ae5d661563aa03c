"""Bells: how those who wait for something learn that it may have come, without polling."""

import asyncio
from collections.abc import Callable


class Notifier:
    """Wakes whoever waits; a server that stops wakes them for good."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self._ended = False

    def notify(self) -> None:
        """Let everyone look again."""
        for one in self._waiting:
            one.set()

    def end(self) -> None:
        """Let everyone go, now and from now on."""
        self._ended = True
        self.notify()

    async def until(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Wait for what `is_there` looks for; return whether it came within `seconds` seconds.

        The seconds are real ones, whatever the mock's clock says.
        """
        rung = asyncio.Event()
        self._waiting.add(rung)
        try:
            async with asyncio.timeout(seconds):
                while not is_there():
                    if self._ended:
                        return False
                    rung.clear()
                    await rung.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(rung)
        return True
