"""What the vendor's SDKs make of the faults that a tester asks the mock for (`faults.mjs`)."""

from typing import Any

import pytest

Facts = dict[str, Any]

ANDREW = {"uid": "cometchat-uid-1", "name": "Andrew Joseph", "role": "default", "status": "online"}
# Codes of the server reach the app; whatever is no answer is one thing to an SDK.
REFUSED_LOGINS = [
    ("login_refused_by_code", "ERR_UID_NOT_FOUND"),
    ("login_refused_by_a_code_of_ones_own", "OUT_OF_TEA"),
    ("login_refused_by_preset", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"),
    ("login_refused_by_rate_limit", "ERR_TOO_MANY_REQUESTS"),
    ("login_reset", "FAILED_TO_FETCH"),
    ("login_truncated", "FAILED_TO_FETCH"),
    ("login_malformed", "FAILED_TO_FETCH"),
]
# How the sockets ended, the SDK's own among them: it closes the one that owes it a pong.
LOST_SOCKETS = [
    ("socket_closed", [1011]),
    ("socket_cut", [1006]),
    ("socket_refused", [1012, 1013, 1013]),
    ("ping_unanswered", [1000]),
]


@pytest.mark.parametrize(("step", "code"), REFUSED_LOGINS)
def test_a_login_fails_with_the_code_that_was_chosen(faulty: Facts, step: str, code: str) -> None:
    facts = faulty["steps"][step]

    assert facts["login"]["refused"]["code"] == code
    assert facts["user"] is None


def test_a_login_that_hangs_is_waited_for_as_long_as_the_connection_is_open(faulty: Facts) -> None:
    facts = faulty["steps"]["login_that_hangs"]

    assert facts["waited"] is True
    assert facts["second"]["refused"]["name"] == "LOGIN_IN_PROGRESS"
    assert facts["first"]["refused"]["code"] == "FAILED_TO_FETCH"


def test_after_failed_logins_one_succeeds(faulty: Facts) -> None:
    facts = faulty["steps"]["login_after_all_that"]

    assert facts == {"user": ANDREW, "status": "connected"}


@pytest.mark.parametrize(("step", "codes"), LOST_SOCKETS)
def test_a_lost_socket_is_taken_up_again(faulty: Facts, step: str, codes: list[int]) -> None:
    facts = faulty["steps"][step]

    assert facts == {"again": True, "codes": codes, "status": "connected"}


def test_a_socket_that_is_back_is_pinged_and_answers(faulty: Facts) -> None:
    assert faulty["steps"]["pings_answered_again"] == {"again": True}


def test_a_revoked_token_logs_the_app_out(faulty: Facts) -> None:
    facts = faulty["steps"]["token_revoked"]

    assert facts["fetched"]["refused"]["code"] == "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"
    assert facts["loggedOut"] is True


def test_no_promise_is_left_rejected(faulty: Facts) -> None:
    assert faulty["unhandled"] == []
