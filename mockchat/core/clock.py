"""Time: clocks, one for the server and one for each app, and durations like `1h`.

Nothing else reads the time.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

__tracebackhide__ = True  # a wrong time shows the line of the test
LONGEST = 10**9  # seconds of the longest duration; 31 years
Duration = float | str | timedelta  # seconds, or a text like `250ms`
Moment = float | str | datetime  # unix seconds, or a text like `2026-01-31T12:00:00Z`
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
LATEST = 9_999_999_999  # unix seconds: auth tokens hold ten digits of them


def duration(text: str) -> float:
    """Return the seconds of a duration like `25ms`, `1.5s`, `10m`, `2h`, `30d` or `3`."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|)", text)
    if not match:
        raise ValueError("must be a duration like 25ms, 1.5s, 10m, 2h or 30d")
    return float(match[1]) * _UNITS[match[2]]


def seconds(value: Duration) -> float:
    """Return the seconds of a duration; raise ValueError for a text that is none."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not isinstance(value, str):
        return float(value)
    try:
        return duration(value)
    except ValueError as error:
        raise ValueError(f"{value!r} {error}") from None


def unix(value: Moment) -> float:
    """Return the unix seconds of a moment; raise ValueError for a text that is none.

    A moment without a time zone is in UTC.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} must be a time like 2026-01-31T12:00:00Z") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value)


class _Setting(NamedTuple):
    """The difference of a clock from the wall clock."""

    ahead: float = 0.0  # seconds
    frozen_at: float | None = None


class Clock:
    """Tells the time in unix seconds; can be frozen, advanced and resumed.

    Token expiry, timestamps and rate-limit windows follow the clock of their app. Moving the
    server's clock moves the clocks of all apps, too. A move beyond the possible times raises
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

    def freeze(self, at: Moment | None = None) -> None:
        """Stop at the moment `at` (unix seconds, a datetime, ISO text), or now."""
        self.move(freeze=True, at=None if at is None else unix(at))

    def advance(self, by: Duration) -> None:
        """Move forward, frozen or not, by seconds, a timedelta or a text like `1h`."""
        self.move(advance=seconds(by))

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
        """Take over the leader's time, and move whenever the leader moves."""
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
