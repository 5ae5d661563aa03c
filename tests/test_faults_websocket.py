"""Faults of WebSockets, met on real ones."""

import asyncio
from itertools import product
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from mockchat.core.faults import PRESETS
from mockchat.wire.session import _AUTH_PATIENCE
from tests.answers import body_of
from tests.faulty import Gate, add_fault, jump, proves
from tests.sessions import auth_frame, connect, end_of, log_in
from tests.values import PATIENCE, Client, Json, Serve

PING = {"action": "ping", "ack": "true"}
REFUSING = ["token_expired", "token_revoked", "user_deactivated", "wrong_app", "wrong_region"]
SPARING = ["key_revoked", "quota_reached", "login_in_progress"]


@pytest.fixture
async def me(client: Client) -> Json:
    """A user who is logged in."""
    return await log_in(client, "superhero1")


async def frame(socket: ClientWebSocketResponse) -> Any:
    return await socket.receive_json(timeout=PATIENCE)


async def authenticate(client: Client, me: Json, path: str = "/") -> ClientWebSocketResponse:
    """Open a socket and authenticate, whatever comes of it."""
    socket = await client.ws_connect(path)
    await socket.send_json(auth_frame(me["jwt"]))
    return socket


async def is_alive(socket: ClientWebSocketResponse) -> bool:
    await socket.send_json(PING)
    return bool(await frame(socket) == {"action": "pong"})


async def refused_handshake(client: Client, path: str = "/", **headers: str) -> int:
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect(path, headers=headers)
    return refused.value.status


# --- refused --------------------------------------------------------------------------------
@proves("ws_refuse")
async def test_a_handshake_is_refused_with_any_status_and_why(client: Client, me: Json) -> None:
    await add_fault(client, "ws_refuse", times=1)
    assert await refused_handshake(client) == 503
    assert await is_alive(await connect(client, me))

    await add_fault(client, "ws_refuse", status=403)
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/")
    assert refused.value.status == 403
    assert refused.value.headers is not None
    assert refused.value.headers["X-Mock-Fault"] == "ws_refuse"


async def test_an_app_is_refused_where_it_is_named(client: Client, me: Json) -> None:
    await add_fault(client, "ws_refuse", app="one", times=2)
    assert await refused_handshake(client, "/apps/one") == 503
    assert await refused_handshake(client, appId="ONE") == 503
    assert not (await client.ws_connect("/apps/one")).closed

    await add_fault(client, "ws_refuse", app="APP_ID", times=1)
    assert await end_of(await authenticate(client, me)) == 1013
    assert await is_alive(await connect(client, me))


async def test_one_user_is_refused_at_the_authentication(client: Client, me: Json) -> None:
    other_me = await log_in(client, "superhero2")
    for path, app in product(("/", "/apps/APP_ID"), ({}, {"app": "APP_ID"})):
        await add_fault(client, "ws_refuse", uid="SUPERHERO1", times=1, **app)
        other = await connect(client, other_me)

        assert await end_of(await authenticate(client, me, path)) == 1013, (path, app)
        assert await is_alive(other), (path, app)


# --- closed ---------------------------------------------------------------------------------
@proves("ws_close")
async def test_a_socket_is_closed_once_it_has_authenticated(client: Client, me: Json) -> None:
    for code in (1000, 1006, 1011, 1013, 4001):  # 1006 hangs up without a close
        await add_fault(client, "ws_close", closeCode=code, times=1)

        socket = await authenticate(client, me)
        if code != 1006:
            await socket.send_json(PING)  # comes too late for an answer
        assert (await frame(socket))["body"]["code"] == "200"
        assert await end_of(socket) == code


async def test_open_sockets_of_the_user_meant_are_closed_at_once(client: Client, me: Json) -> None:
    sockets = [await connect(client, me), await connect(client, me)]
    other = await connect(client, await log_in(client, "superhero2"))

    await add_fault(client, "ws_close", app="one")
    assert [await is_alive(socket) for socket in sockets] == [True, True]

    await add_fault(client, "ws_close", closeCode=1012, uid="superhero1")
    assert [await end_of(socket) for socket in sockets] == [1012, 1012]
    assert await is_alive(other)


async def test_no_more_open_sockets_are_closed_than_asked_for(client: Client, me: Json) -> None:
    sockets = [await connect(client, me) for _ in range(3)]

    await add_fault(client, "ws_close", times=1)

    async with asyncio.timeout(PATIENCE):
        ends = [asyncio.ensure_future(socket.receive()) for socket in sockets]
        done, left = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in left:
        end.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    assert [end.result().type for end in done] == [WSMsgType.CLOSE]


async def test_a_socket_is_closed_a_while_after_its_authentication_unless_the_fault_is_removed(
    client: Client, me: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await add_fault(client, "ws_close", delay="30s")

    socket = await connect(client, me)

    assert await is_alive(socket)
    await jump(monkeypatch, 30)
    assert await end_of(socket) == 1011
    socket = await connect(client, me)
    await body_of(client.delete(f"/_mock/faults/{made['id']}"))
    await jump(monkeypatch, 30)
    assert await is_alive(socket)


async def test_a_user_whose_socket_was_closed_is_offline(client: Client, me: Json) -> None:
    await add_fault(client, "ws_close", closeCode=1006, uid="superhero1")
    watcher = await client.ws_connect("/")
    other = await log_in(client, "superhero2")
    await watcher.send_json(auth_frame(other["jwt"], presenceSubscription="ALL_USERS"))
    await frame(watcher)

    await end_of(await connect(client, me))

    actions = [(await frame(watcher))["body"]["action"] for _ in range(2)]
    assert actions == ["online", "offline"]


# --- pings ----------------------------------------------------------------------------------
@proves("ws_ignore_pings")
async def test_pings_stay_unanswered_and_nothing_else_does(client: Client, me: Json) -> None:
    socket = await connect(client, me)
    await add_fault(client, "ws_ignore_pings", times=2)

    for _ in range(3):
        await socket.send_json(PING)

    assert await frame(socket) == {"action": "pong"}
    await socket.close()
    assert await frames_of(client) == [("ping", True)] * 3 + [("pong", False)]
    await add_fault(client, "ws_ignore_pings")
    socket = await client.ws_connect("/")
    await socket.send_json(PING)
    await socket.send_json(auth_frame(me["jwt"]))
    assert await frame(socket) == {"action": "pong"}  # of a socket that is nobody's yet
    assert (await frame(socket))["type"] == "auth"


async def frames_of(client: Client) -> list[tuple[str, bool]]:
    """The actions of the frames of the one socket, and whether the client sent them."""
    journal = await body_of(client.get("/_mock/journal", params={"operation": "websocket"}))
    (exchange,) = journal["exchanges"]
    actions = ("ping", "pong")
    return [
        (action, one["sent"])
        for one in exchange["frames"]
        for action in actions
        if action in one["text"]
    ]


# --- a late answer --------------------------------------------------------------------------
async def late(serve: Serve, gate: Gate, **knobs: Json) -> tuple[Client, Json]:
    """A client of a server that authenticates late, and a user who is logged in."""
    client = await serve(sleep=gate)
    me = await log_in(client, "superhero1")
    await add_fault(client, "ws_delay_auth", **knobs)
    return client, me


@proves("ws_delay_auth")
async def test_the_answer_to_the_authentication_comes_late(serve: Serve) -> None:
    gate = Gate()
    client, me = await late(serve, gate, delay="3s")

    answer = asyncio.create_task(connect(client, me))
    await gate.asleep.acquire()

    assert not answer.done()
    gate.wake.release()
    assert await is_alive(await answer)
    assert gate.slept == [3]


async def test_whose_token_dies_while_its_answer_is_late_is_refused(serve: Serve) -> None:
    gate = Gate()
    client, me = await late(serve, gate)
    socket = await authenticate(client, me)
    await gate.asleep.acquire()

    await client.delete("/login", headers={"authToken": me["authToken"]})
    gate.wake.release()

    assert (await frame(socket))["body"] == {"code": "401", "status": "ERR_NO_AUTH"}
    assert await end_of(socket) == 1008


async def test_a_late_answer_is_not_taken_for_a_client_that_does_not_authenticate(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    client, me = await late(serve, gate)
    socket = await authenticate(client, me)
    await gate.asleep.acquire()

    await jump(monkeypatch, _AUTH_PATIENCE)

    gate.wake.release()
    assert (await frame(socket))["type"] == "auth"
    assert await is_alive(socket)


# --- presets --------------------------------------------------------------------------------
async def test_a_preset_refuses_or_leaves_sockets_alone(client: Client, me: Json) -> None:
    assert {*REFUSING, *SPARING} == PRESETS.keys()
    for preset in (*SPARING, *REFUSING):
        fault = await add_fault(client, preset, app="APP_ID")

        socket = await authenticate(client, me)

        refused = {"code": "401", "status": "ERR_NO_AUTH"}
        told = (await frame(socket))["body"]
        assert told == (refused if preset in REFUSING else {"code": "200", "status": "OK"}), preset
        if preset in REFUSING:
            assert await end_of(socket) == 1008, preset
        else:
            assert await is_alive(socket), preset
        await body_of(client.delete(f"/_mock/faults/{fault['id']}"))


# --- faults of requests at a handshake --------------------------------------------------------
async def test_a_fault_of_requests_strikes_handshakes(client: Client, me: Json) -> None:
    await add_fault(client, "error", status=502, times=1)
    assert await refused_handshake(client) == 502
    assert await is_alive(await connect(client, me))
    assert await refused_handshake(client, **{"X-Mock-Fault": "error=502"}) == 502

    await add_fault(client, "error", status=502, app="APP_ID")
    assert await refused_handshake(client, "/apps/APP_ID") == 502
    assert await is_alive(await connect(client, me))


async def test_a_handshake_has_no_body_that_could_be_misshapen(client: Client, me: Json) -> None:
    kinds = ("truncated", "malformed", "slow_body")
    made = [await add_fault(client, kind, times=1) for kind in kinds]

    await connect(client, me)

    assert await body_of(client.get("/_mock/faults")) == made


# --- the journal ----------------------------------------------------------------------------
async def test_the_journal_names_each_fault_of_a_socket_once(client: Client, me: Json) -> None:
    await add_fault(client, "ws_ignore_pings", times=5)
    await add_fault(client, "ws_delay_auth", delay=0)
    socket = await connect(client, me)

    for _ in range(6):
        await socket.send_json(PING)
    await frame(socket)

    journal = await body_of(client.get("/_mock/journal", params={"operation": "websocket"}))
    assert [one["faults"] for one in journal["exchanges"]] == [["ws_delay_auth", "ws_ignore_pings"]]
