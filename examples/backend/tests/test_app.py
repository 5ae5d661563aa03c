"""The back end against mockchat: each test has an app of its own, with the vendor's test users."""

import asyncio

import httpx
import pytest

from app import app
from mockchat.server import MockApp


@pytest.fixture(autouse=True)
def comet_chat(mockchat: MockApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the back end to the test's own app."""
    monkeypatch.setenv("COMETCHAT_API", f"{mockchat.url}/v3")
    monkeypatch.setenv("COMETCHAT_REST_API_KEY", mockchat.rest_api_key)


def sign_in(uid: str = "alice", name: str = "Alice") -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as client:
            return await client.post("/session", json={"uid": uid, "name": name})

    return asyncio.run(post())


def test_the_first_sign_in_creates_the_user(mockchat: MockApp) -> None:
    assert sign_in().status_code == 200

    assert mockchat.users["alice"]["name"] == "Alice"


def test_the_token_logs_its_user_in(mockchat: MockApp) -> None:
    token = sign_in().json()["authToken"]

    me = httpx.put(f"{mockchat.url}/v3/me", headers={"authToken": token}, json={})

    assert me.json()["data"]["uid"] == "alice"


def test_a_second_sign_in_takes_the_user_that_is_there(mockchat: MockApp) -> None:
    first, second = sign_in(), sign_in()

    assert second.json() == first.json()
    mockchat.journal.assert_called(1, operation="create_user", code="ERR_UID_ALREADY_EXISTS")


def test_cometchat_is_asked_for_a_user_and_a_token_with_the_rest_api_key(
    mockchat: MockApp,
) -> None:
    sign_in("bob", "Bob")

    key, bob = {"apikey": mockchat.rest_api_key}, {"uid": "bob", "name": "Bob"}
    mockchat.journal.assert_called(1, operation="create_user", headers=key, json=bob)
    mockchat.journal.assert_called(1, operation="create_auth_token", headers=key, uid="bob")


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize(
    ("trouble", "detail"),
    [
        (503, "CometChat refused: MOCK_FAULT_503"),
        ("key_revoked", "CometChat refused: ERROR_API_KEY_NOT_FOUND"),
        ("ERR_TOO_MANY_REQUESTS", "CometChat refused: ERR_TOO_MANY_REQUESTS"),
        ("reset", "The line to CometChat broke"),
        ("malformed", "CometChat answered what is no JSON"),
    ],
)
def test_a_cometchat_that_fails_is_a_bad_gateway(
    mockchat: MockApp, trouble: str | int, detail: str
) -> None:
    mockchat.fail(trouble)

    assert told(sign_in()) == (502, detail)


def test_a_token_that_is_refused_is_told_though_the_user_was_created(mockchat: MockApp) -> None:
    mockchat.fail("ERR_UID_NOT_FOUND", operation="create_auth_token")

    assert told(sign_in()) == (502, "CometChat refused: ERR_UID_NOT_FOUND")
    assert "alice" in mockchat.users


def test_a_slow_cometchat_is_not_waited_for(
    mockchat: MockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMETCHAT_TIMEOUT", "0.05")
    mockchat.slow("30s")

    assert told(sign_in()) == (502, "CometChat did not answer in time")


def test_the_sign_in_after_an_outage_succeeds(mockchat: MockApp) -> None:
    with mockchat.fail(503):
        sign_in()

    assert sign_in().status_code == 200


def test_a_uid_that_cometchat_would_refuse_never_gets_there(mockchat: MockApp) -> None:
    assert sign_in("two words").status_code == 422

    mockchat.journal.assert_not_called()
