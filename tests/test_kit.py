"""The verbs of the testing kit, each against what a client then sees."""

import copy
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from mockchat import ApiError, MockApp, MockChat
from mockchat.core.seed import MAX_FAKE_USERS
from tests.clients import create, log_in, send
from tests.values import SEED_UIDS


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """Where clients run while the test goes on."""
    with ThreadPoolExecutor() as pool:
        yield pool


def me(app: MockApp, token: str) -> int:
    return send("GET", f"{app.url}/v3/me", authToken=token).status


# --- users ----------------------------------------------------------------------------------
def test_users_are_all_users_as_the_api_shows_them_however_many_pages_they_fill(
    mockchat: MockApp,
) -> None:
    shown = send("GET", f"{mockchat.url}/v3/users/superhero1", apikey="REST_API_KEY").data

    assert sorted(mockchat.users) == sorted(SEED_UIDS)
    for uid in ("SUPERHERO1", "superhero1", "SuperHero1"):
        assert mockchat.users[uid] == shown
        assert uid in mockchat.users
    mockchat.seed({"users": [{"uid": "Ann", "name": "Ann"}]}, users=1100)
    assert len(mockchat.users) == 1101 + len(SEED_UIDS)
    assert mockchat.users["Ann"]["name"] == "Ann"  # a fixture's uid stays as it is
    for users in -1, MAX_FAKE_USERS + 1:
        with pytest.raises(ApiError, match=f"users: .* {MAX_FAKE_USERS}"):
            mockchat.seed(users=users)


def test_what_a_verb_takes_and_returns_is_the_caller_s_own(mockchat: MockApp) -> None:
    """A change of either afterwards reaches neither the server nor another caller."""
    mockchat.clock.freeze()
    metadata: dict[str, Any] = {"level": {"up": [1]}}
    tags = ["old"]
    fixture = {
        "users": [{"uid": "bo", "name": "Bo", "metadata": {"level": {"up": [1]}}, "tags": ["old"]}],
        "roles": [{"role": "pilot", "name": "Pilot"}],
    }
    returned: list[Any] = [mockchat.create_user("ann", metadata=metadata, tags=tags)]
    mockchat.seed(fixture)
    log_in(mockchat.url, "ann")
    returned += [mockchat.log_in(uid) for uid in ("ann", "bo")]
    mockchat.snapshot()
    before = mockchat.state(), mockchat.users, mockchat.log_in("ann")["settings"]
    kept = copy.deepcopy(before)
    exchange = mockchat.journal.last(operation="login")
    sent, answered = exchange.request.json, dict(exchange.response.headers)

    returned += [*before, mockchat.journal.har(), fixture]
    returned += [exchange.request.json, exchange.response.json, metadata, tags]
    for value in returned:
        spoil(value)

    exchange = mockchat.journal.last(operation="login")
    assert (exchange.request.json, dict(exchange.response.headers)) == (sent, answered)
    with pytest.raises(TypeError):
        exchange.response.headers["Server"] = "other"  # type: ignore[index]  # it has no setter
    assert (mockchat.state(), mockchat.users, mockchat.log_in("ann")["settings"]) == kept
    mockchat.restore()
    assert (mockchat.state(), mockchat.users, mockchat.log_in("ann")["settings"]) == kept


def spoil(value: Any) -> None:
    """Change all that can be changed in a value."""
    for one in value.values() if isinstance(value, Mapping) else value:
        if isinstance(one, dict | list):
            spoil(one)
    if isinstance(value, dict):
        value.update(dict.fromkeys(value, "spoilt"), new="spoilt")
    elif isinstance(value, list):
        value.append("spoilt")


def test_a_user_is_created_logs_in_and_is_deactivated_or_deleted(mockchat: MockApp) -> None:
    user = mockchat.create_user("Ann", status_message="hello", tags=["new"])
    assert (user["uid"], user["name"], user["statusMessage"]) == ("ann", "Ann", "hello")
    assert log_in(mockchat.url, "ann").data["uid"] == "ann"
    assert mockchat.users["ann"]["tags"] == ["new"]

    mockchat.delete_user("ann", permanent=False)
    assert log_in(mockchat.url, "ann").code == "ERR_UID_NOT_FOUND"
    assert create(mockchat.url, "ann").code == "ERR_UID_ALREADY_EXISTS"

    mockchat.delete_user("superhero1")
    assert log_in(mockchat.url, "superhero1").code == "ERR_UID_NOT_FOUND"
    assert mockchat.create_user("superhero1")


def test_a_verb_is_refused_in_the_words_of_the_api(mockchat: MockApp) -> None:
    with pytest.raises(ApiError) as refused:
        mockchat.create_user("cometchat-uid-1")

    reply = create(mockchat.url, "cometchat-uid-1")
    error = reply.body["error"]
    assert refused.value.code == reply.code
    assert str(refused.value) == f"{error['code']} ({reply.status}): {error['message']}"
    with pytest.raises(ApiError, match=r"ERR_BAD_REQUEST \(400\): .* avatar: "):
        mockchat.create_user("ann", avatar="no url")
    with pytest.raises(ApiError, match="ERR_UID_NOT_FOUND"):
        mockchat.log_in("nobody")


@pytest.mark.mockchat(max_users=len(SEED_UIDS) + 1, unbuilt="accept")
def test_a_test_may_limit_its_users_and_let_its_back_end_go_on(mockchat: MockApp) -> None:
    mockchat.create_user("ann")
    with pytest.raises(ApiError, match=r"ERR_PLAN_QUOTA_RESTRICTION \(402\): .* is 11\."):
        mockchat.create_user("bob")

    group = send("POST", f"{mockchat.url}/v3/groups", {"guid": "g"}, apikey="REST_API_KEY")

    assert group.data["guid"] == "g"
    other = f"{mockchat.server.url}/apps/other/v3/groups"
    assert send("POST", other, {"guid": "g"}, apikey="REST_API_KEY").code == "MOCK_NOT_BUILT"


def test_a_token_is_issued_again_unless_forced_and_is_good_until_the_logout(
    mockchat: MockApp,
) -> None:
    token = mockchat.issue_token("superhero1")
    assert me(mockchat, token) == 200
    assert mockchat.issue_token("superhero1") == token
    assert mockchat.issue_token("superhero1", force=True) != token

    mockchat.log_out(token)
    assert me(mockchat, token) == 401
    with pytest.raises(ApiError, match="ERROR_NO_USER_LOGGED_IN"):
        mockchat.log_out(token)

    told = mockchat.log_in("superhero1")  # all that SDKs are told
    assert (told["uid"], bool(told["jwt"])) == ("SUPERHERO1", True)
    assert told["settings"]["CHAT_HOST"]
    assert me(mockchat, told["authToken"]) == 200


def test_verbs_of_the_server_act_on_the_default_app(mockchat_server: MockChat) -> None:
    mockchat_server.create_user("boss")

    assert log_in(str(mockchat_server.url), "boss").data["uid"] == "boss"
    assert mockchat_server.users.keys() >= {"boss", *SEED_UIDS}
    mockchat_server.delete_user("boss")


# --- faults ---------------------------------------------------------------------------------
def test_a_request_fails_as_it_is_told_to(mockchat: MockApp) -> None:
    rows: dict[str | int, tuple[int, str]] = {
        "ERR_UID_NOT_FOUND": (404, "ERR_UID_NOT_FOUND"),
        503: (503, "MOCK_FAULT_503"),
        "login_in_progress": (409, "ERROR_LOGIN_IN_PROGRESS"),
        "rate_limit": (429, "ERR_TOO_MANY_REQUESTS"),
    }
    for what, expected in rows.items():
        with mockchat.fail(what) as fault:
            reply = log_in(mockchat.url)

        assert (reply.status, reply.code) == expected, what
        assert log_in(mockchat.url).status == 200, f"{what} ends with its block"
        assert fault.struck == 1, f"{what} still tells how often it struck"

    mockchat.fail("reset")
    with pytest.raises(ConnectionResetError):
        log_in(mockchat.url)


def test_a_fault_strikes_what_it_matches_as_often_as_it_may(mockchat: MockApp) -> None:
    fault = mockchat.fail(503, operation="login", uid="superhero1", after=1, times=1)

    uids = ["superhero1", "superhero2", "superhero1", "superhero1"]
    assert [log_in(mockchat.url, uid).status for uid in uids] == [200, 200, 503, 200]
    assert fault.struck == 1

    mockchat.slow("30ms", operation="login")
    log_in(mockchat.url)
    assert mockchat.journal.last().seconds >= 0.03


# --- logins held open -----------------------------------------------------------------------
def test_a_held_login_is_in_progress_until_it_is_let_go(
    mockchat: MockApp, thread: ThreadPoolExecutor
) -> None:
    with mockchat.hold_logins("superhero1") as hold:
        with pytest.raises(TimeoutError, match=r"no login of superhero1 arrived within 0\.01 s"):
            hold.wait(timeout=0.01)
        first = thread.submit(log_in, mockchat.url, "superhero1")
        hold.wait()
        second = log_in(mockchat.url, "superhero1")

    assert second.code == "ERROR_LOGIN_IN_PROGRESS"
    assert first.result().data["uid"] == "SUPERHERO1"
    assert log_in(mockchat.url, "superhero1").status == 200


def test_the_logins_of_everybody_and_of_all_apps_can_be_held(
    mockchat_server: MockChat, mockchat: MockApp, thread: ThreadPoolExecutor
) -> None:
    with mockchat.hold_logins() as hold:
        logins = [thread.submit(log_in, mockchat.url, uid) for uid in SEED_UIDS[:2]]
        hold.wait(count=2)
        assert not any(login.done() for login in logins)
    assert [login.result().status for login in logins] == [200, 200]

    with mockchat_server.hold_logins() as hold:
        login = thread.submit(log_in, mockchat.url)
        hold.wait()
        with pytest.raises(TimeoutError, match="no 2 logins of anybody"):
            hold.wait(count=2, timeout=0.01)
    assert login.result().status == 200


# --- state ----------------------------------------------------------------------------------
def test_a_reset_goes_back_to_the_seed(mockchat: MockApp) -> None:
    mockchat.create_user("ann")
    mockchat.fail(503)
    log_in(mockchat.url)

    mockchat.reset()

    assert "ann" not in mockchat.users
    assert len(mockchat.journal) == 0
    assert log_in(mockchat.url).status == 200


def test_a_snapshot_brings_back_what_the_state_of_the_app_was(mockchat: MockApp) -> None:
    token = mockchat.issue_token("superhero1")
    mockchat.create_user("ann")
    ((app_id, held),) = mockchat.state().items()
    assert app_id == mockchat.app_id
    assert "ann" in {user["uid"] for user in held["users"]}
    mockchat.snapshot()
    mockchat.delete_user("superhero1")

    mockchat.restore()

    assert me(mockchat, token) == 200
    mockchat.snapshot("before")
    with pytest.raises(ApiError, match=r"MOCK_NOT_FOUND \(404\): .*after"):
        mockchat.restore("after")


@pytest.mark.mockchat(token_ttl="1h")
def test_the_clock_of_an_app_moves_its_tokens_and_not_its_neighbours(mockchat: MockApp) -> None:
    token = mockchat.issue_token("superhero1")
    mockchat.clock.advance("59m")
    assert me(mockchat, token) == 200
    mockchat.clock.advance("1m")
    assert me(mockchat, token) == 401

    mockchat.clock.freeze(1_700_000_000)
    assert mockchat.create_user("ann")["createdAt"] == 1_700_000_000
    assert not mockchat.server.clock.frozen
    mockchat.server.clock.freeze(1)
    assert mockchat.create_user("bob")["createdAt"] == 1


# --- apps -----------------------------------------------------------------------------------
def test_an_app_has_rules_and_a_seed_of_its_own(mockchat_server: MockChat) -> None:
    with closing(mockchat_server.app("own", fixture="empty", errors="live")) as app:
        assert app.users == {}
        assert log_in(app.url, "two words").code == "ERR_BAD_REQUEST"
        app.create_user("ann")
        app.reset()
        assert app.users == {}


def test_a_closed_app_is_gone_and_seen_for_the_first_time_again(mockchat: MockApp) -> None:
    mockchat.close()  # nobody has seen it, which costs nothing
    assert not mockchat.server.store.find(mockchat.app_id)
    mockchat.create_user("ann")

    mockchat.close()

    assert "ann" not in mockchat.users
