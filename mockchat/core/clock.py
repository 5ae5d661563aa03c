"""Clocks, one for the server and one for each app: the one place that reads the time."""

import time
from collections.abc import Callable
from typing import NamedTuple

from mockchat.core.durations import seconds as seconds_of

LATEST = 9_999_999_999  # unix seconds: auth tokens hold ten digits of them


class _Setting(NamedTuple):
    """How a clock differs from the wall clock."""

    ahead: float = 0.0  # seconds
    frozen_at: float | None = None


class Clock:
    """Tells the time in unix seconds; can be frozen, advanced and resumed.

    Token expiry, timestamps and rate-limit windows follow the clock of their app. Moving the
    server's clock moves the clocks of all apps, too. A move that leads to no possible time raises
    ValueError and changes nothing.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self.setting = _Setting()
        self.followers: set[Clock] = set()  # moved whenever this one is
        self.listeners: list[Callable[[], None]] = []  # called after a move

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self.setting.frozen_at is not None

    @property
    def moved(self) -> bool:
        """Whether this clock, or one that follows it, differs from the wall clock."""
        return any(clock.setting != _Setting() for clock in (self, *self.followers))

    def now(self) -> float:
        """Return the unix time in seconds."""
        ahead, frozen_at = self.setting
        return self.wall() + ahead if frozen_at is None else frozen_at

    def freeze(self, at: float | None = None) -> None:
        """Stop at the unix time `at`, or at this moment."""
        self.move(freeze=True, at=at)

    def advance(self, seconds: float | str) -> None:
        """Move forward, frozen or not, by seconds or a duration like `1h`."""
        self.move(advance=seconds_of(seconds))

    def resume(self) -> None:
        """Tick again at the wall clock's time."""
        self.move(resume=True)

    def move(
        self,
        *,
        resume: bool = False,
        freeze: bool = False,
        at: float | None = None,
        advance: float = 0.0,
    ) -> None:
        """Resume, then freeze (now, or `at` a unix time), then advance by seconds."""
        clocks = (self, *self.followers)
        settings = [
            _moved(clock.wall(), _Setting() if resume else clock.setting, freeze, at, advance)
            for clock in clocks
        ]
        for clock, setting in zip(clocks, settings, strict=True):
            clock.setting = setting
        self._tell()

    def follow(self, leader: "Clock") -> None:
        """Tell the leader's time, and move from now on whenever the leader is moved."""
        leader.followers.add(self)
        self.wall, self.listeners = leader.wall, leader.listeners
        if self.setting != leader.setting:
            self.setting = leader.setting
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()


def _moved(
    wall: float,
    setting: _Setting,
    freeze: bool,  # noqa: FBT001
    at: float | None,
    advance: float,
) -> _Setting:
    ahead, frozen_at = setting
    now = _possible(wall + ahead if frozen_at is None else frozen_at)
    if freeze or at is not None:
        frozen_at = now if at is None else _possible(float(at))
    _possible((now if frozen_at is None else frozen_at) + advance)
    if frozen_at is None:
        return _Setting(ahead + advance)
    return _Setting(ahead, frozen_at + advance)


def _possible(at: float) -> float:
    if not 0 <= at <= LATEST:
        raise ValueError(f"the time must be between 0 and {LATEST} unix seconds, not {at}")
    return at
