"""Holds: logins that a test keeps open until it lets them go."""

import asyncio

from mockchat.core import errors
from mockchat.core.notifier import Notifier


class Holds:
    """Which uids' logins of an app stay open, and which of them wait there now.

    `arrivals` rings whenever another login waits.
    """

    def __init__(self, arrivals: Notifier | None = None) -> None:
        self._held: dict[str | None, asyncio.Event] = {}
        self._arrivals = arrivals or Notifier()
        self.waiting: list[str] = []  # uids in lower case, one for each login

    @property
    def uids(self) -> list[str | None]:
        """The uids, in lower case, whose logins are held; None stands for everybody's."""
        return list(self._held)

    def hold(self, uid: str | None = None) -> None:
        """Keep every login of `uid`, or of everybody, open from now on."""
        self._held.setdefault(uid and uid.lower(), asyncio.Event())

    def release(self, uid: str | None = None) -> None:
        """Let the logins of `uid` go on; None releases those that were held for everybody."""
        event = self._held.pop(uid and uid.lower(), None)
        if event:
            event.set()

    def release_all(self) -> None:
        """Let every login go on."""
        for uid in self.uids:
            self.release(uid)

    def has(self, uid: str) -> bool:
        """Whether the logins of `uid` are held."""
        return bool(self._held) and self._holding(uid.lower()) is not None

    def _holding(self, key: str) -> asyncio.Event | None:
        return self._held.get(key) or self._held.get(None)

    async def passed(self, uid: str) -> None:
        """Wait for as long as the logins of `uid` are held.

        Raises LOGIN_IN_PROGRESS where one of them waits already, whatever its device.
        """
        key = uid.lower()
        if key in self.waiting:
            raise errors.LOGIN_IN_PROGRESS()
        while event := self._holding(key):
            self.waiting.append(key)
            self._arrivals.notify()
            try:
                await event.wait()
            finally:
                self.waiting.remove(key)

    def count(self, uid: str | None = None) -> int:
        """Return how many logins (of `uid`) wait now."""
        return len(self.waiting) if uid is None else self.waiting.count(uid.lower())

    async def arrival(self, uid: str | None, count: int, seconds: float) -> bool:
        """Wait until `count` logins (of `uid`) are held open; return whether that came to be.

        `seconds` is in seconds, real ones.
        """
        return await self._arrivals.until(lambda: self.count(uid) >= count, seconds)
