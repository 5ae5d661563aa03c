"""Hostile input over the WebSocket: odd frames end at most the socket that sent them."""

import asyncio
import base64
import contextlib
import json
from typing import Any

import pytest
from aiohttp import WSMsgType
from hypothesis import given

from tests.faulty import Wire
from tests.raw import assert_alive, send_raw
from tests.rows import each_row, telling
from tests.sessions import assert_lives, auth_frame, connect, log_in
from tests.strategies import hostile, json_values
from tests.values import PATIENCE, Client

_KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
_UPGRADE = (b"Host: localhost", b"Upgrade: websocket", b"Connection: Upgrade")

FRAMES: dict[str, str] = {
    "nothing": "",
    "no JSON": "hello",
    "half a frame": '{"type": "auth"',
    "a list": "[1, 2]",
    "a text": '"ping"',
    "a number": "5",
    "null": "null",
    "an empty object": "{}",
    "an unknown type": '{"type": "dance"}',
    "a type that is no text": '{"type": {"a": [1]}}',
    "an action that is no text": '{"action": ["ping"]}',
    "deep lists": "[" * 20_000,
    "a deep frame": '{"a":' * 5000 + "1" + "}" * 5000,
    "NUL": "\x00",
    "half a surrogate pair": '{"type": "\\ud800"}',
    "NaN": '{"type": NaN}',
    "a huge integer": '{"type": ' + "9" * 5000 + "}",
    "presence without a body": '{"type": "presence"}',
    "presence with an odd body": '{"type": "presence", "body": 5}',
}


async def test_odd_frames_are_overlooked(client: Client) -> None:
    nobody = await client.ws_connect("/")
    somebody = await connect(client, await log_in(client, "superhero1"))
    for socket in (nobody, somebody):
        for content in (b"", b"\xff\xfe", b'{"action": "ping"}', b"\x00" * 1000):
            await socket.send_bytes(content)
        for case, frame in FRAMES.items():
            await socket.send_str(frame)
            with telling(case=case):
                await assert_lives(socket)
    careful = await client.ws_connect("/", autoping=False)
    await careful.ping(b"are you there")
    message = await careful.receive(timeout=PATIENCE)
    assert (message.type, message.data) == (WSMsgType.PONG, b"are you there")


@given(frame=json_values)
@hostile
async def test_any_json_is_overlooked(client: Client, frame: Any) -> None:
    socket = await client.ws_connect("/")

    await socket.send_str(json.dumps(frame))

    await assert_lives(socket)
    await socket.close()


@each_row("size", [64 * 1024 + 1, 5_000_000, 0])
async def test_a_huge_or_garbled_frame_ends_its_socket_only(client: Client, size: int) -> None:
    bystander = await connect(client, await log_in(client, "superhero2"))
    socket = await connect(client, await log_in(client, "superhero1"))

    with contextlib.suppress(ConnectionError):  # the server need not read it all
        await socket.send_frame(b"x" * size or b"\xff\xfe", WSMsgType.TEXT)
    async for _ in socket:
        pass

    assert socket.close_code in ((1006, 1009) if size else (1002, 1006, 1007))
    await assert_lives(bystander)


# --- authentication -------------------------------------------------------------------------
def forged(header: bytes, claims: bytes = b"{}", signature: bytes = b"x") -> str:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims, signature))
    return b".".join(parts).decode()


_HEADER = b'{"alg":"RS256","typ":"JWT"}'
JWTS: dict[str, Any] = {
    "no text": {"a": [1]},
    "a number": 5,
    "null": None,
    "NUL": "\x00.\x00.\x00",
    "no base64": "!.!.!",
    "no JSON": forged(b"\xff\xff"),
    "a list as header": forged(b"[]"),
    "a deep header": forged(b"[" * 30_000),
    "deep claims": forged(_HEADER, b"[" * 30_000),
    "an algorithm that is none": forged(b'{"alg":"none"}'),
    "an algorithm that is no text": forged(b'{"alg":{"a":1}}'),
    "a list as algorithm": forged(b'{"alg":["HS256"]}'),
    "an odd key id": forged(b'{"alg":"HS256","kid":{"a":1}}'),
    "a critical extension": forged(b'{"alg":"HS256","crit":["b64"],"b64":false}'),
    "odd claims": forged(_HEADER, b'{"sub":[],"exp":"x","data":5}'),
    "many dots": "." * 30_000,
}


async def test_an_odd_jwt_call_token_or_auth_frame_is_refused(client: Client) -> None:
    good = auth_frame((await log_in(client, "superhero1"))["jwt"])
    frames = [auth_frame(one) for one in JWTS.values()]
    frames += [{**good, "appId": app_id} for app_id in (None, {"a": 1}, "x" * 5000, "a/b", "")]
    frames += [{**good, "body": body} for body in (None, [1], "text")]
    for frame in frames:
        socket = await client.ws_connect("/")
        await socket.send_json(frame)
        with telling(frame=frame):
            reply = await socket.receive_json(timeout=PATIENCE)
            assert reply["body"]["code"] == "401"

    for case, token in JWTS.items():
        header = {"callToken": str(token).replace("\x00", "0")[:7000]}
        response = await client.get("/call_tokens", headers=header)
        assert response.status == 401, case
    await assert_alive(client)


async def test_odd_wishes_of_a_good_client_are_overlooked(client: Client) -> None:
    me = await log_in(client, "superhero1")
    wishes: list[dict[str, Any]] = [
        {"presenceSubscription": 5, "roles": "nurse"},
        {"presenceSubscription": None, "roles": {"a": 1}},
        {"presenceSubscription": ["ROLES"], "roles": [None, {"a": 1}, 5]},
        {"deviceId": {"a": 1}, "params": "x"},
    ]
    for odd in wishes:
        with telling(**odd):
            await assert_lives(await connect(client, me, **odd))


# --- handshakes -----------------------------------------------------------------------------
_V13 = b"Sec-WebSocket-Version: 13"
_GET = b"GET / HTTP/1.1"
_HANDSHAKES: dict[str, tuple[bytes, ...]] = {
    "without a key": (_GET, *_UPGRADE, _V13),
    "with a bad key": (_GET, *_UPGRADE, _V13, b"Sec-WebSocket-Key: \xff"),
    "without a version": (_GET, *_UPGRADE, _KEY),
    "of an old version": (_GET, *_UPGRADE, _KEY, b"Sec-WebSocket-Version: 5"),
    "without a connection": (_GET, b"Host: a", b"Upgrade: websocket", _KEY, _V13),
    "elsewhere": (b"GET /users HTTP/1.1", *_UPGRADE, _KEY, _V13),
    "by POST": (b"POST / HTTP/1.1", *_UPGRADE, _KEY, _V13),
    "by HEAD": (b"HEAD / HTTP/1.1", *_UPGRADE, _V13),
}


async def test_a_broken_handshake_is_refused(client: Client) -> None:
    for case, lines in _HANDSHAKES.items():
        status, body = await send_raw(client, b"\r\n".join((*lines, b"", b"")))

        assert 400 <= status < 500, (case, body)

    me = await log_in(client, "superhero1")
    socket = await connect(client, me)
    for _ in range(5):
        await socket.send_json({"action": "ping", "ack": True})
    socket.get_extra_info("socket").shutdown(2)  # a client that vanishes stops nothing
    await assert_lives(await connect(client, me))


async def test_a_burst_of_pings_is_answered_in_full_to_a_client_that_reads(client: Client) -> None:
    me = await log_in(client, "superhero1")
    new, known = await client.ws_connect("/"), await connect(client, me)
    for socket in (new, known):
        await asyncio.gather(*(socket.send_json({"action": "ping"}) for _ in range(300)))
        for _ in range(300):
            assert await socket.receive_json(timeout=PATIENCE) == {"action": "pong"}


# --- clients that do not read ---------------------------------------------------------------
_PING = b"\x89\xfd" + bytes(4 + 125)  # a protocol ping, masked, as long as it may be


async def test_a_client_that_pings_and_never_reads_does_not_hold_up_the_stop(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.wire.session.GOODBYE", 0.1)
    lines = (_GET, *_UPGRADE, _KEY, _V13, b"", b"")
    async with wire.connection(room=4096) as (reader, writer):
        writer.write(b"\r\n".join(lines))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_PING * 64_000)
        (session,) = wire.mock._service.handler.hub._sessions  # noqa: SLF001  # to see it stuck
        looks = 0
        while looks < 100:  # with its pongs, and not for a moment only
            await asyncio.sleep(0)
            looks += session.context.request.protocol.writing_paused

        await wire.mock.stop()
