"""Rules and quotas: requests a minute, per class and per app."""

import pytest

from mockchat import Config
from mockchat.core.errors import TOO_MANY_REQUESTS, ApiError
from mockchat.core.limits import APP_LIMIT, CORE_LIMIT, STANDARD_LIMIT, Quota, Rules
from mockchat.wire.app import rules_of

MINUTE = 1_700_000_040.0  # a whole minute


def taken(quota: Quota, limit: int, now: float) -> tuple[int, int, int, int]:
    quota.take(limit, now)
    return quota.left(limit)


def test_without_a_rate_limit_the_live_limits_count_down_and_refuse_nobody() -> None:
    quota = Quota()

    assert quota.left(CORE_LIMIT) == (10_000, 10_000, 100_000, 100_000)
    assert taken(quota, CORE_LIMIT, MINUTE) == (10_000, 9_999, 100_000, 99_999)
    assert taken(quota, STANDARD_LIMIT, MINUTE) == (20_000, 19_999, 100_000, 99_998)
    assert [taken(quota, 2, MINUTE)[1] for _ in range(4)] == [1, 0, 0, 0]
    for _ in range(APP_LIMIT):
        quota.take(2, MINUTE)
    assert taken(quota, 2, MINUTE) == (2, 0, APP_LIMIT, 0)


def test_the_next_minute_starts_anew_and_so_does_a_clock_set_back() -> None:
    quota, limited = Quota(), Quota(rate_limit=1)
    quota.take(CORE_LIMIT, MINUTE + 59.9)
    limited.take(CORE_LIMIT, MINUTE)

    renewed = (CORE_LIMIT, CORE_LIMIT - 1, APP_LIMIT, APP_LIMIT - 1)
    assert taken(quota, CORE_LIMIT, MINUTE + 60) == renewed
    assert taken(limited, CORE_LIMIT, MINUTE - 3_600) == (1, 0, 1, 0)


def test_a_rate_limit_is_the_limit_of_every_class_and_of_the_app() -> None:
    quota = Quota(rate_limit=3)
    quota.take(CORE_LIMIT, MINUTE)

    assert taken(quota, STANDARD_LIMIT, MINUTE) == (3, 1, 3, 1)


def test_a_request_beyond_the_rate_limit_is_refused_and_told_when_the_minute_ends() -> None:
    for later, seconds in ((0, 60), (20, 40), (20.5, 40), (59.99, 1)):
        quota = Quota(rate_limit=2)
        quota.take(CORE_LIMIT, MINUTE)
        quota.take(STANDARD_LIMIT, MINUTE)

        with pytest.raises(ApiError) as refused:
            quota.take(CORE_LIMIT, MINUTE + later)

        assert refused.value.definition is TOO_MANY_REQUESTS
        assert refused.value.values == {"limit": 2, "seconds": seconds, "reset": MINUTE + 60}
        assert taken(quota, CORE_LIMIT, MINUTE + later + seconds) == (2, 1, 2, 1)


def test_rules_are_the_defaults_of_the_settings_but_for_the_latency_of_logins() -> None:
    assert Rules() == rules_of(Config(login_latency=0))
