"""Call tokens, as versions 4 and 5 of the Calls SDKs ask for them (sdk-wire 8 and 9)."""

from mockchat.core import errors
from tests.answers import assert_error, data_of, details_of
from tests.sessions import by_token, issue_token
from tests.values import Client, Json

SESSION = {"sessionId": "call-1"}


async def call_token(client: Client, **headers: str) -> str:
    token = await issue_token(client, "superhero1")
    request = client.post("/call_tokens", json=SESSION, headers={**by_token(token), **headers})
    return str((await data_of(request))["token"])


async def read(client: Client, token: str, query: str = "") -> Json:
    return await data_of(client.get(f"/call_tokens{query}", headers={"callToken": token}))


async def test_a_call_token_is_all_that_is_answered_and_needs_a_session(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))

    data = await data_of(client.post("/v3.0/call_tokens", json=SESSION, headers=headers))

    assert list(data) == ["token"]
    assert data["token"]
    for body in (None, {}, {"sessionId": ""}, {"sessionId": None}):
        request = client.post("/call_tokens", json=body, headers=headers)
        assert list(await details_of(request)) == ["sessionId"], body


async def test_versions_4_and_5_read_the_payload(client: Client) -> None:
    token = await call_token(client)

    data = await read(client, token)

    assert await read(client, token, "?configVersion=1") == data
    assert data["callToken"] == token
    payload = data["payload"]["data"]
    assert payload["appId"] == "APP_ID"
    assert payload["region"] == "us"
    assert payload["sessionId"] == "call-1"
    assert payload["user"]["uid"] == "superhero1"
    assert payload["user"]["name"] == "Iron Man"
    assert payload["authToken"].startswith("superhero1_")
    assert data["settings"]["ANALYTICS_VERSION"] == "v1"
    assert isinstance(data["settings"]["PRESENTER_MODE_ENABLED"], bool)
    # It names its app; version 4 sends no app id at all.
    headers = {"apikey": "AUTH_KEY", "appId": "app1"}
    made = await data_of(client.post("/users/superhero1/auth_tokens", headers=headers))
    request = client.post("/call_tokens", json=SESSION, headers=by_token(made["authToken"]))
    token = (await data_of(request))["token"]
    assert (await read(client, token))["payload"]["data"]["appId"] == "app1"


async def test_a_call_token_that_is_missing_unknown_or_dead_reads_nothing(client: Client) -> None:
    dead = await call_token(client)
    headers = by_token(await issue_token(client, "superhero1"))
    await data_of(client.delete("/me", headers=headers))

    for blank in ({}, {"callToken": " "}):
        await assert_error(client.get("/call_tokens", headers=blank), errors.AUTH_TOKEN_MISSING)
    for token in ("nope", "a.b.c", dead):
        request = client.get("/call_tokens", headers={"callToken": token})
        await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)
