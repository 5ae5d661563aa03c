"""The session JWT, telemetry and the analytics ping (sdk-wire section 1.3)."""

import base64
import json
from typing import Any

from mockchat.core.clock import Clock
from tests.helpers import (
    NOW,
    Client,
    Json,
    by_token,
    connect,
    data_of,
    details_of,
    each_row,
    issue_token,
)


def claims(jwt: str) -> Any:
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def token(client: Client) -> dict[str, str]:
    return by_token(await issue_token(client, "superhero1"))


# --- POST /me/jwt ---------------------------------------------------------------------------
async def test_a_jwt_is_all_that_a_refresh_answers(client: Client, clock: Clock) -> None:
    headers = await token(client)
    clock.advance(100)
    bodies: list[Json] = [None, {}, [], {"passthrough": {}}, {"passthrough": None}]
    for body in (*bodies, {"passthrough": {"a": [1]}}):
        data = await data_of(client.post("/me/jwt", json=body, headers=headers))

        assert list(data) == ["token"], body
        told = claims(data["token"])
        assert (told["sub"], told["iat"]) == ("superhero1", NOW + 100), body
    assert told["passthrough"] == {"a": [1]}
    await connect(client, {"jwt": data["token"]})
    request = client.post("/me/jwt", json={"passthrough": "x"}, headers=headers)
    assert list(await details_of(request)) == ["passthrough"]


# --- POST /user_sessions --------------------------------------------------------------------
async def test_a_session_s_id_is_echoed_or_given(client: Client) -> None:
    report = {
        "sessionId": "fp_0123",
        "generatedAt": "1700000000000",
        "data": {"cometchat": {"chatsdk": {"platform": "web", "version": "4.2.0"}}},
    }
    headers = await token(client)

    data = await data_of(client.post("/user_sessions", json=report, headers=headers))

    assert data == {"sessionId": "fp_0123"}
    for body in (None, {}, {"sessionId": ""}, {"sessionId": None}):
        data = await data_of(client.post("/user_sessions", json=body, headers=headers))
        assert isinstance(data["sessionId"], str), body
        assert data["sessionId"], body


# --- POST /ping -----------------------------------------------------------------------------
@each_row("path", ["/v1/ping", "/v3.0/ping", "/ping"])
async def test_an_analytics_ping_is_answered_with_an_object(client: Client, path: str) -> None:
    body = {"uid": "superhero1", "platform": "web", "appInfo": {}}
    headers = {**await token(client), "settingsHash": "x", "Authorization": "Bearer y"}

    data = await data_of(client.post(path, json=body, headers=headers))

    assert isinstance(data, dict)
    assert data
