"""What the vendor's SDKs make of the faults that a tester asks the mock for (`faults.mjs`)."""

from typing import Any

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


def test_a_login_fails_with_the_code_that_was_chosen(faulty: Facts) -> None:
    for step, code in REFUSED_LOGINS:
        facts = faulty["steps"][step]

        assert facts["login"]["refused"]["code"] == code, step
        assert facts["user"] is None, step

    hanging = faulty["steps"]["login_that_hangs"]  # as long as the connection is open
    assert hanging["waited"] is True
    assert hanging["second"]["refused"]["name"] == "LOGIN_IN_PROGRESS"
    assert hanging["first"]["refused"]["code"] == "FAILED_TO_FETCH"
    after = faulty["steps"]["login_after_all_that"]
    assert after == {"user": ANDREW, "status": "connected"}


def test_a_lost_socket_is_taken_up_again_and_pinged(faulty: Facts) -> None:
    for step, codes in LOST_SOCKETS:
        expected = {"again": True, "codes": codes, "status": "connected"}
        assert faulty["steps"][step] == expected, step

    assert faulty["steps"]["pings_answered_again"] == {"again": True}


def test_a_revoked_token_logs_the_app_out_and_no_promise_is_left_rejected(faulty: Facts) -> None:
    facts = faulty["steps"]["token_revoked"]

    assert facts["fetched"]["refused"]["code"] == "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"
    assert facts["loggedOut"] is True
    assert faulty["unhandled"] == []
