"""The clock: the one place that reads the time."""

import time
from collections.abc import Callable

from mockchat.core.durations import seconds as seconds_of

LATEST = 9_999_999_999  # unix seconds: auth tokens hold ten digits of them


class Clock:
    """Tells the time in unix seconds; can be frozen, advanced and resumed.

    Everything that reads time reads a clock it was handed, so that one call moves the whole
    server: token expiry, timestamps and rate-limit windows alike.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._offset = 0.0
        self._frozen_at: float | None = None
        self.listeners: list[Callable[[], None]] = []  # told when time was moved

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen_at is not None

    @property
    def moved(self) -> bool:
        """Whether it tells another time than the wall clock."""
        return self._frozen_at is not None or self._offset != 0

    def now(self) -> float:
        """Return the unix time in seconds."""
        return self._wall() + self._offset if self._frozen_at is None else self._frozen_at

    def real(self) -> float:
        """Return what the wall clock tells, wherever this one stands."""
        return self._wall()

    def freeze(self, at: float | None = None) -> None:
        """Stop at the unix time `at`, or at this moment; raise ValueError for no such time."""
        self._frozen_at = self.now() if at is None else _possible(float(at))
        self._tell()

    def advance(self, seconds: float | str) -> None:
        """Move forward, frozen or not, by seconds or a duration like `1h`.

        Raises ValueError where that leads beyond the times that there are.
        """
        span = seconds_of(seconds)
        _possible(self.now() + span)
        if self._frozen_at is None:
            self._offset += span
        else:
            self._frozen_at += span
        self._tell()

    def resume(self) -> None:
        """Tick again at the wall clock's time."""
        self._offset = 0.0
        self._frozen_at = None
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()


def _possible(at: float) -> float:
    if not 0 <= at <= LATEST:
        raise ValueError(f"the time must be between 0 and {LATEST} unix seconds, not {at}")
    return at
