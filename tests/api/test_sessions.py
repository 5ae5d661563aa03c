"""The session JWT, telemetry and the analytics ping (sdk-wire section 1.3)."""

import time
from pathlib import Path
from typing import Any

import jwt
from aiohttp import ClientSession

from mockchat import Config, MockChat
from mockchat.api import session_jwt
from mockchat.core.clock import Clock
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of, details_of
from tests.rows import each_row
from tests.sessions import auth_frame, by_token, connect, issue_token, log_in
from tests.values import NOW, PATIENCE, Client, Json, Serve


def claims(token: str) -> Any:
    return jwt.decode(token, options={"verify_signature": False})


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
        assert (told["sub"], told["iat"]) == ("[APP_ID]superhero1", NOW + 100), body
    assert told["data"]["passthrough"] == {"a": [1]}
    await connect(client, {"jwt": data["token"]})
    request = client.post("/me/jwt", json={"passthrough": "x"}, headers=headers)
    assert list(await details_of(request)) == ["passthrough"]


# --- the session JWT (reference section 15.6) -----------------------------------------------
async def test_anybody_can_check_the_jwt_of_a_login_with_the_public_key(client: Client) -> None:
    before = int(time.time())
    client.app[STORE].clock.resume()  # PyJWT has the clock of this machine
    me = await log_in(client, "superhero1")
    keys = jwt.PyJWKSet.from_dict(await body_of(client.get("/_mock/jwks.json")))
    head = jwt.get_unverified_header(me["jwt"])

    told = jwt.decode(me["jwt"], keys[head["kid"]], algorithms=["RS256"], audience="*")

    assert head == {"alg": "RS256", "typ": "JWT", "kid": head["kid"]}
    assert [*told] == ["iss", "aud", "sub", "iat", "nbf", "exp", "data"]
    issuer = "APP_ID.apiclient-us.cometchat.io"
    assert (told["iss"], told["sub"]) == (issuer, "[APP_ID]superhero1")
    assert before <= told["iat"] <= time.time()
    assert (told["iat"] - told["nbf"], told["exp"] - told["iat"]) == (3600, 5_260_000)
    assert told["data"] == {"appId": "APP_ID", "region": "us", "authToken": me["authToken"]}


async def test_the_jwt_expires_by_the_app_s_clock_and_with_its_token(
    serve: Serve, clock: Clock
) -> None:
    client, brief = await serve(), await serve(token_ttl=60.0)
    me, short = await log_in(client, "superhero1"), await log_in(brief, "superhero1")
    assert claims(short["jwt"])["exp"] == NOW + 60

    clock.advance(5_259_999)
    again = await data_of(client.get("/me", headers=by_token(me["authToken"])))
    assert again["jwt"] == me["jwt"]
    await (await connect(client, me)).close()
    clock.advance(1)
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"]))

    assert (await socket.receive_json(timeout=PATIENCE))["body"]["status"] == "ERR_NO_AUTH"
    await connect(client, await data_of(client.get("/me", headers=by_token(me["authToken"]))))


async def test_with_a_state_file_a_jwt_outlives_the_server_but_not_its_key(tmp_path: Path) -> None:
    config = Config(port=0, https_port=None, state=str(tmp_path / "state"))
    key_file = tmp_path / "state.jwt-key"

    async def status_of(me: Json) -> int:
        session_jwt._key.cache_clear()  # noqa: SLF001  # a new process
        headers = {"Authorization": me["jwt"]}
        async with MockChat(config) as mock, ClientSession(mock.url) as session:
            return (await session.post("/api/v3.0/online-members", headers=headers)).status

    async with MockChat(config) as mock:
        me = mock.log_in("superhero1")

    assert key_file.stat().st_mode & 0o777 == 0o600
    assert await status_of(me) == 200
    key_file.write_bytes(b"damaged")
    assert await status_of(me) == 401


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
