"""Quotas: requests a minute, per class and per app."""

import pytest

from mockchat.core.errors import TOO_MANY_REQUESTS, ApiError
from mockchat.core.limits import APP_LIMIT, CORE_LIMIT, STANDARD_LIMIT, Allowance, Quota

MINUTE = 1_700_000_040.0  # a whole minute


def test_the_first_request_finds_the_live_limits_nearly_whole() -> None:
    allowance = Quota().take(CORE_LIMIT, MINUTE)

    assert allowance == Allowance(10_000, 9_999, 100_000, 99_999)


def test_each_class_counts_down_by_itself_and_the_app_by_all() -> None:
    quota = Quota()
    quota.take(CORE_LIMIT, MINUTE)

    allowance = quota.take(STANDARD_LIMIT, MINUTE)

    assert allowance == Allowance(20_000, 19_999, 100_000, 99_998)


def test_the_next_minute_starts_anew() -> None:
    quota = Quota()
    quota.take(CORE_LIMIT, MINUTE + 59.9)

    allowance = quota.take(CORE_LIMIT, MINUTE + 60)

    assert (allowance.remaining, allowance.app_remaining) == (CORE_LIMIT - 1, APP_LIMIT - 1)


def test_a_clock_set_back_starts_anew_too() -> None:
    quota = Quota(rate_limit=1)
    quota.take(CORE_LIMIT, MINUTE)

    allowance = quota.take(CORE_LIMIT, MINUTE - 3_600)

    assert allowance.remaining == 0


def test_without_a_rate_limit_nobody_is_refused_and_nothing_falls_below_zero() -> None:
    quota = Quota()

    allowances = [quota.take(2, MINUTE) for _ in range(4)]

    assert [allowance.remaining for allowance in allowances] == [1, 0, 0, 0]


def test_a_rate_limit_is_the_limit_of_every_class_and_of_the_app() -> None:
    quota = Quota(rate_limit=3)
    quota.take(CORE_LIMIT, MINUTE)

    allowance = quota.take(STANDARD_LIMIT, MINUTE)

    assert allowance == Allowance(3, 1, 3, 1)


def test_the_request_beyond_the_rate_limit_is_refused_until_the_minute_ends() -> None:
    quota = Quota(rate_limit=2)
    quota.take(CORE_LIMIT, MINUTE)
    quota.take(CORE_LIMIT, MINUTE)

    with pytest.raises(ApiError) as refused:
        quota.take(STANDARD_LIMIT, MINUTE + 20)

    assert refused.value.definition is TOO_MANY_REQUESTS
    assert refused.value.values == {"limit": 2, "seconds": 40, "reset": MINUTE + 60}


def test_a_refused_client_is_never_told_to_wait_no_time() -> None:
    quota = Quota(rate_limit=1)
    quota.take(CORE_LIMIT, MINUTE)

    with pytest.raises(ApiError) as refused:
        quota.take(CORE_LIMIT, MINUTE + 59.99)

    assert refused.value.values["seconds"] == 1


def test_whoever_waits_as_long_as_told_is_served() -> None:
    quota = Quota(rate_limit=1)
    quota.take(CORE_LIMIT, MINUTE)
    with pytest.raises(ApiError) as refused:
        quota.take(CORE_LIMIT, MINUTE + 20.5)

    wait = float(str(refused.value.values["seconds"]))

    assert quota.take(CORE_LIMIT, MINUTE + 20.5 + wait).remaining == 0


def test_the_minute_after_a_refusal_is_whole_again() -> None:
    quota = Quota(rate_limit=1)
    quota.take(CORE_LIMIT, MINUTE)
    with pytest.raises(ApiError):
        quota.take(CORE_LIMIT, MINUTE)

    assert quota.take(CORE_LIMIT, MINUTE + 60).remaining == 0
