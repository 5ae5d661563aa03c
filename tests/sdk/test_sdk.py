"""What the vendor's SDKs make of the mock, step by step (`steps.mjs`)."""

from typing import Any

Facts = dict[str, Any]

ANDREW = {"uid": "cometchat-uid-1", "name": "Andrew Joseph", "role": "default", "status": "online"}
GEORGE = {"uid": "cometchat-uid-2", "name": "George Alan", "role": "default", "status": "online"}
NANCY = {"uid": "cometchat-uid-3", "name": "Nancy Grace", "role": "default", "status": "online"}
IRON_MAN = {"uid": "superhero1", "name": "Iron Man", "role": "default", "status": "online"}
CAPTAIN = {"uid": "superhero2", "name": "Captain America", "role": "default", "status": "online"}

REPORTS_TELEMETRY = "chat-4.2.0"

REFUSED_LOGINS = [
    ("login_with_a_wrong_key", "AUTH_ERR_APIKEY_NOT_FOUND"),
    ("login_with_an_unknown_uid", "ERR_UID_NOT_FOUND"),
]
PROVOKED = {
    ("POST", "users/cometchat-uid-1/auth_tokens", 401),  # a wrong key
    ("POST", "users/nobody-of-that-name/auth_tokens", 404),
    ("POST", "users", 400),  # a uid that is taken
    ("PUT", "me", 401),  # the token of a session that was logged out
    ("GET", "users", 401),  # a token deleted on the server
}
FEWEST_PROMISES = 50  # of any version
ANSWERED = {  # what an app asks for after a login, and no version may see refused
    *("UsersRequestBuilder.fetchNext", "BlockedUsersRequestBuilder.fetchNext"),
    *("MessagesRequestBuilder(user).fetchPrevious", "MessagesRequestBuilder(next).fetchNext"),
    *("GroupsRequestBuilder.fetchNext", "ConversationsRequestBuilder.fetchNext"),
    *("markConversationAsRead", "markConversationAsRead#2", "markConversationAsDelivered"),
    *("markAsRead", "markAsDelivered", "getUnreadMessageCount", "getNotificationFeedUnreadCount"),
    *("registerTokenForPushNotification", "registerPushToken", "unregisterPushToken"),
    *("fetchPreferences", "updatePreferences", "resetPreferences", "getMutedConversations"),
    *("getTimezone", "updateTimezone"),
}
BY_PORT_443 = {"getOnlineUserCount", "getOnlineGroupMemberCount"}
# What an SDK may ask by itself for a session that is over: it polls, or reports five seconds late.
LATE = {("GET", "messages", 401), ("POST", "user_sessions", 401)}
LATE_CODES = {"USER_NOT_LOGED_IN", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"}


def step(run: Facts, name: str) -> Any:
    return run["steps"][name]


def resource(path: str) -> str:
    """Drops the version: `/v3.0/users` is `users`."""
    return path.split("/", maxsplit=2)[2]


def refusal_code(outcome: Facts) -> Any:
    assert "refused" in outcome, outcome
    return outcome["refused"]["code"]


# Each test of a run is a milestone of the matrix (`matrix.py`).


def test_init_succeeds_without_a_session(run: Facts) -> None:
    assert step(run, "init") == {"answer": True}


def test_a_refused_login_reaches_the_app_with_the_servers_code(run: Facts) -> None:
    for refused_step, code in REFUSED_LOGINS:
        assert refusal_code(step(run, refused_step)) == code, refused_step


def test_a_created_user_comes_back_with_its_defaults_and_a_taken_uid_is_refused(run: Facts) -> None:
    facts = step(run, "create_user")

    assert facts["created"] == {
        "uid": facts["asked"],
        "name": "Fresh User",
        "role": "default",
        "status": "offline",
    }
    assert refusal_code(facts["again"]) == "ERR_UID_ALREADY_EXISTS"


def test_a_login_gives_and_remembers_the_user_and_a_second_login_is_refused_or_takes_over(
    run: Facts,
) -> None:
    assert step(run, "login")["user"] == ANDREW
    assert step(run, "logged_in_user") == ANDREW
    assert step(run, "login_again") == ANDREW

    at_once = step(run, "two_logins_at_once")
    assert at_once["first"]["uid"] == at_once["asked"]
    refused = at_once["second"]["refused"]
    assert (refused["name"], refused["code"]) == ("LOGIN_IN_PROGRESS", -1)
    assert step(run, "second_user") == {"first": NANCY, "second": IRON_MAN, "current": IRON_MAN}

    heard = step(run, "login_listener")["heard"]
    if not run["traits"]["realtime"] and heard[0] == ["logoutSuccess"]:
        heard = heard[1:]  # of the session before: a poll was still under way
    assert heard == [
        ["loginFailure", "ERR_UID_NOT_FOUND"],
        ["loginSuccess", "cometchat-uid-4"],
        ["logoutSuccess"],
    ]


def test_a_token_minted_by_a_back_end_logs_its_user_in(run: Facts) -> None:
    assert step(run, "login_by_auth_token") == {"user": GEORGE, "sameToken": True}


def test_the_connection_is_live_and_another_users_coming_and_going_is_seen(run: Facts) -> None:
    facts, realtime = step(run, "presence"), run["traits"]["realtime"]

    assert (step(run, "login")["connection"] == "connected") is realtime
    if not realtime:
        assert facts == {"realtime": False}
    else:
        assert facts["answer"] == {"code": "200", "status": "OK"}
        assert facts["online"] == CAPTAIN
        assert facts["offline"] == {**CAPTAIN, "status": "offline"}


def test_a_logout_leaves_no_user(run: Facts) -> None:
    facts = step(run, "logout")

    assert (facts["left"], facts["user"]) == ({"done": True}, None)


def test_a_token_that_was_logged_out_or_deleted_is_dead(run: Facts) -> None:
    refused = step(run, "past_token")["refused"]
    assert refused["code"] == "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"
    assert refused["message"].startswith("The auth token cometchat-uid-1_")

    deleted, left = step(run, "token_deleted_on_the_server"), run["traits"]["leaves"]
    assert refusal_code(deleted["fetched"]) == "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"
    assert deleted["loggedOut"] is left
    assert deleted["heard"] == [["loginSuccess", "cometchat-uid-5"], ["logoutSuccess"]][: 1 + left]


def test_a_session_left_open_is_restored_at_the_next_start(run: Facts) -> None:
    facts = step(run, "restored_session")

    assert step(run, "init_again") == {"answer": True}
    assert facts["user"] == ANDREW
    assert facts["fetched"] == {"users": 1}
    assert (facts["connection"] == "connected") is run["traits"]["realtime"]


def test_every_promise_settles_and_what_an_app_asks_for_after_its_login_is_answered(
    run: Facts,
) -> None:
    facts = step(run, "promises")
    refused = facts["refused"]

    assert (facts["hung"], facts["thrown"]) == ([], [])
    assert facts["called"] > FEWEST_PROMISES
    assert ANSWERED & refused.keys() == set()
    assert "ERR_API_NOT_FOUND" not in refused.values(), "nothing that an SDK asks is unknown"
    if "consoleErrors" in run:  # a browser that finds the server is told how many are online
        assert BY_PORT_443 & refused.keys() == set()


def test_nothing_goes_wrong_unasked(run: Facts) -> None:
    assert [one for one in run["unhandled"] if one not in LATE_CODES] == []
    refused = {
        (fetch["method"], resource(fetch["path"]), fetch["status"])
        for fetch in run["fetches"]
        if fetch["status"] != 200
    }
    assert refused - LATE == PROVOKED  # what the steps provoke

    answered = "Failed to load resource: the server responded with a status of "
    expected = [f"{answered}4", f"{answered}501"]
    if not run["traits"]["realtime"]:  # XMPP
        expected.append("WebSocket connection to 'wss://")
    for error in run.get("consoleErrors", []):  # which Node does not have
        assert error["text"].startswith(tuple(expected)), error


# --- a session that lasts ----------------------------------------------------------------------


def test_a_session_lasts_over_pings_telemetry_and_a_lost_connection(long_session: Facts) -> None:
    facts = step(long_session, "pings")
    assert facts["ping"] == {"action": "ping", "ack": "true"}
    assert facts["pongs"] >= 3
    assert (facts["closed"], facts["status"]) == (0, "connected")

    reports = step(long_session, "telemetry")["reports"]  # of newer SDKs
    wanted = [200] if long_session["label"] == REPORTS_TELEMETRY else []
    assert [report["status"] for report in reports] == wanted

    assert step(long_session, "reconnecting") == {"again": True, "status": "connected"}
    assert [fetch for fetch in long_session["fetches"] if fetch["status"] != 200] == []
