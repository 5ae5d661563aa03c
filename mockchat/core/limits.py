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


class Allowance(NamedTuple):
    """The values of the rate-limit headers of one answer."""

    limit: int
    remaining: int
    app_limit: int
    app_remaining: int


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

    def left(self, limit: int) -> Allowance:
        """Return the requests of this minute that are left for the class with this limit."""
        most, used = self.rate_limit, self._used_by_app
        if most is not None:
            return Allowance(most, most - used, most, most - used)
        left, left_of_app = limit - self._used[limit], APP_LIMIT - used
        return Allowance(limit, max(0, left), APP_LIMIT, max(0, left_of_app))
