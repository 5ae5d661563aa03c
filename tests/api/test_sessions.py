"""The session JWT, telemetry and the analytics ping (sdk-wire section 1.3)."""

import base64
import json
from typing import Any

from mockchat.core.clock import Clock
from tests.helpers import (
    NOW,
    Client,
    auth_frame,
    by_token,
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
@each_row("body", [None, {}, [], {"passthrough": {}}, {"passthrough": None}])
async def test_a_jwt_is_all_that_a_refresh_answers(client: Client, body: object) -> None:
    data = await data_of(client.post("/me/jwt", json=body, headers=await token(client)))

    assert list(data) == ["token"]
    assert claims(data["token"])["sub"] == "SUPERHERO1"


async def test_what_is_passed_through_travels_in_the_jwt(client: Client) -> None:
    body = {"passthrough": {"a": [1]}}

    data = await data_of(client.post("/me/jwt", json=body, headers=await token(client)))

    assert claims(data["token"])["passthrough"] == {"a": [1]}


async def test_a_jwt_is_issued_at_the_clock_s_time(client: Client, clock: Clock) -> None:
    headers = await token(client)
    clock.advance(100)

    data = await data_of(client.post("/me/jwt", headers=headers))

    assert claims(data["token"])["iat"] == NOW + 100


async def test_a_refreshed_jwt_opens_a_websocket(client: Client) -> None:
    data = await data_of(client.post("/me/jwt", headers=await token(client)))
    socket = await client.ws_connect("/")

    await socket.send_json(auth_frame(data["token"]))

    assert (await socket.receive_json(timeout=5))["body"] == {"code": "200", "status": "OK"}


async def test_the_passthrough_must_be_an_object(client: Client) -> None:
    request = client.post("/me/jwt", json={"passthrough": "x"}, headers=await token(client))

    assert list(await details_of(request)) == ["passthrough"]


# --- POST /user_sessions --------------------------------------------------------------------
async def test_a_session_s_id_is_echoed(client: Client) -> None:
    report = {
        "sessionId": "fp_0123",
        "generatedAt": "1700000000000",
        "data": {"cometchat": {"chatsdk": {"platform": "web", "version": "4.2.0"}}},
    }

    data = await data_of(client.post("/user_sessions", json=report, headers=await token(client)))

    assert data == {"sessionId": "fp_0123"}


@each_row("body", [None, {}, {"sessionId": ""}, {"sessionId": None}])
async def test_a_session_without_an_id_is_given_one(client: Client, body: object) -> None:
    data = await data_of(client.post("/user_sessions", json=body, headers=await token(client)))

    assert isinstance(data["sessionId"], str)
    assert data["sessionId"]


# --- POST /ping -----------------------------------------------------------------------------
@each_row("path", ["/v1/ping", "/v3.0/ping", "/ping"])
async def test_an_analytics_ping_is_answered_with_an_object(client: Client, path: str) -> None:
    body = {"uid": "superhero1", "platform": "web", "appInfo": {}}
    headers = {**await token(client), "settingsHash": "x", "Authorization": "Bearer y"}

    data = await data_of(client.post(path, json=body, headers=headers))

    assert isinstance(data, dict)
    assert data
