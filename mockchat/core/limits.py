"""The rules of an app, and its rate limit."""

import math
from collections import defaultdict
from typing import NamedTuple

from mockchat.core import errors

CORE_LIMIT = 10_000  # a minute: logins, creating and deleting users (reference section 1.2)
STANDARD_LIMIT = 20_000  # a minute: everything else
IMPORT_LIMIT = 60  # a minute: each carries up to 50 users
APP_LIMIT = 100_000  # a minute, all classes together
RECORDED_MAX_USERS = 25  # of the plan whose refusal was recorded (reference section 15.1)
_WINDOW = 60  # seconds
SINGLE_USE = "single-use"  # of Rules.tokens


class Rules(NamedTuple):
    """The settings of an app for its checks and refusals."""

    tokens: str = "reusable"  # or SINGLE_USE
    token_ttl: float | None = None  # seconds
    any_key: bool = False
    strict_apps: bool = False
    max_apps: int = 1000  # that requests may add by naming them
    rate_limit: int | None = None  # requests a minute and app
    max_users: int | None = None  # of an app, the deactivated ones counted
    webhook: tuple[str, ...] = ()  # URLs for the events of users
    unbuilt: str = "refuse"  # or "accept": writes to paths that mockchat does not build
    login_latency: float = 0.0  # seconds that POST /login takes
    errors: str = "auto"  # the error dialect
    region: str = "us"


class Quota:
    """Counts an app's requests per minute and class.

    Without a `rate_limit`, the numbers of the live service count down but no request is refused.
    A `rate_limit` is the limit of each class and of the app.
    """

    def __init__(self, rate_limit: int | None = None) -> None:
        self.rate_limit = rate_limit
        self._minute = -1.0
        self._used: defaultdict[int, int] = defaultdict(int)  # by the limit of a class
        self._used_by_app = 0

    def take(self, limit: int, now: float) -> None:
        """Count one request of the class with this limit; raise TOO_MANY_REQUESTS."""
        minute = now // _WINDOW
        if minute != self._minute:
            self._minute, self._used_by_app = minute, 0
            self._used.clear()
        if self.rate_limit is not None and self._used_by_app >= self.rate_limit:
            end = (int(minute) + 1) * _WINDOW
            seconds = math.ceil(end - now)
            raise errors.TOO_MANY_REQUESTS(limit=self.rate_limit, seconds=seconds, reset=end)
        self._used_by_app += 1
        self._used[limit] += 1

    def left(self, limit: int) -> tuple[int, int, int, int]:
        """Return the limit of a class and what is left of it this minute, then those of the app."""
        most, by_app, used = self.rate_limit, self._used_by_app, self._used[limit]
        if most is not None:
            return most, most - by_app, most, most - by_app
        of_app = APP_LIMIT - by_app if by_app < APP_LIMIT else 0
        return limit, limit - used if used < limit else 0, APP_LIMIT, of_app
