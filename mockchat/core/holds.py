"""Holds: logins that a test keeps open until it releases them."""

import asyncio
from collections.abc import Callable

from mockchat.core import errors

MAX_HELD = 1000  # uids of an app


class Holds:
    """The uids of an app whose logins stay open, and the logins that wait now.

    `on_arrival` is called whenever another login waits.
    """

    def __init__(self, on_arrival: Callable[[], None] = lambda: None) -> None:
        self._held: dict[str | None, asyncio.Event] = {}
        self._on_arrival = on_arrival
        self.waiting: list[str] = []  # uids in lower case, one for each login

    @property
    def uids(self) -> list[str | None]:
        """The uids, in lower case, whose logins are held; None stands for all logins."""
        return list(self._held)

    def hold(self, uid: str | None = None) -> None:
        """Hold the logins of `uid`, or all logins."""
        self._held.setdefault(uid and uid.lower(), asyncio.Event())

    def release(self, uid: str | None = None) -> None:
        """Release the logins of `uid`; None ends the hold of all logins."""
        event = self._held.pop(uid and uid.lower(), None)
        if event:
            event.set()

    def release_all(self) -> None:
        """Release all logins."""
        for uid in self.uids:
            self.release(uid)

    def has(self, uid: str) -> bool:
        """Whether the logins of `uid` are held."""
        return bool(self._held) and self._holding(uid.lower()) is not None

    def _holding(self, key: str) -> asyncio.Event | None:
        return self._held.get(key) or self._held.get(None)

    async def passed(self, uid: str) -> None:
        """Wait while the logins of `uid` are held.

        Raises LOGIN_IN_PROGRESS if one of them waits already, on any device.
        """
        key = uid.lower()
        if key in self.waiting:
            raise errors.LOGIN_IN_PROGRESS()
        while event := self._holding(key):
            self.waiting.append(key)
            self._on_arrival()
            try:
                await event.wait()
            finally:
                self.waiting.remove(key)

    def count(self, uid: str | None = None) -> int:
        """Return the number of logins (of `uid`) that wait now."""
        return len(self.waiting) if uid is None else self.waiting.count(uid.lower())
