"""Tokens, logins and WebSockets of users."""

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.answers import data_of
from tests.values import AUTH_KEY, PATIENCE, Client, Json


def by_token(token: str) -> dict[str, str]:
    """The header of a client that is logged in."""
    return {"authToken": token}


async def issue_token(client: Client, uid: str, **body: Json) -> str:
    path = f"/users/{uid}/auth_tokens"
    token: str = (await data_of(client.post(path, json=body, headers=AUTH_KEY)))["authToken"]
    return token


async def log_in(client: Client, uid: str, **body: Json) -> Json:
    """Log in as SDKs do: a token by key, then `PUT /me` with it."""
    token = await issue_token(client, uid, **body)
    return await data_of(client.put("/me", json=body, headers=by_token(token)))


async def connect(client: Client, me: Json, **frame: Json) -> ClientWebSocketResponse:
    """Open the WebSocket of a logged-in user and authenticate."""
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"], **frame))
    reply = await socket.receive_json(timeout=PATIENCE)
    assert reply["body"] == {"code": "200", "status": "OK"}, reply
    return socket


def auth_frame(jwt: str, app_id: str = "APP_ID", **body: Json) -> Json:
    return {"appId": app_id, "type": "auth", "deviceId": "d1", "body": {"auth": jwt, **body}}


async def assert_lives(socket: ClientWebSocketResponse) -> None:
    """The socket answers, and nothing else was on its way."""
    await socket.send_json({"action": "ping", "ack": True})
    assert await socket.receive_json(timeout=PATIENCE) == {"action": "pong"}


async def end_of(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server ends a socket that it tells nothing more."""
    message = await socket.receive(timeout=PATIENCE)
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED), message
    return message.data if message.type is WSMsgType.CLOSE else socket.close_code
