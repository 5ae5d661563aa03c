"""Presence: who is told when a user comes and goes (sdk-wire 1.6)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType

from mockchat.core.clock import Clock
from mockchat.core.entities import UserCaller
from mockchat.wire.app import HANDLER, STORE
from mockchat.wire.session import Session
from mockchat.wire.websocket import _presence
from tests.answers import data_of
from tests.helpers import create_user, get_user, steer
from tests.sessions import auth_frame, by_token, connect, issue_token, log_in
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve

EVERYONE = {"presenceSubscription": "ALL_USERS"}
FIXTURE = {
    "roles": [{"role": "nurse", "name": "Nurse"}, {"role": "doctor", "name": "Doctor"}],
    "users": [
        {"uid": "ann", "name": "Ann", "role": "nurse", "friends": ["bob"]},
        {"uid": "bob", "name": "Bob", "role": "doctor", "friends": ["ann"]},
        {"uid": "cid", "name": "Cid", "metadata": {"@private": {"pin": 1}, "pet": "cat"}},
    ],
}


@pytest.fixture
async def hospital(serve: Serve, tmp_path: Path) -> Client:
    """A client of an app with roles and friends."""
    path = tmp_path / "hospital.json"
    path.write_text(json.dumps(FIXTURE))
    return await serve(fixture=(str(path),))


async def enter(client: Client, uid: str, **body: Json) -> ClientWebSocketResponse:
    return await connect(client, await log_in(client, uid), **body)


async def heard(socket: ClientWebSocketResponse) -> list[str]:
    """What a socket was told until now, as `uid action`."""
    await socket.send_json({"action": "ping", "ack": True})
    told = []
    while (frame := await socket.receive_json(timeout=PATIENCE)) != {"action": "pong"}:
        told.append(f"{frame['sender']} {frame['body']['action']}")
    return told


async def test_a_user_s_coming_is_told(client: Client, clock: Clock) -> None:
    watch = await enter(client, "superhero1", **EVERYONE)
    clock.advance(3)

    await enter(client, "superhero2")

    frame = await watch.receive_json(timeout=PATIENCE)
    assert (frame["type"], frame["appId"]) == ("presence", "APP_ID")
    assert frame["sender"] == "superhero2"
    assert frame["body"]["action"] == "online"
    assert frame["body"]["timestamp"] == NOW + 3
    assert frame["body"]["user"]["name"] == "Captain America"
    assert frame["body"]["user"]["status"] == "available"


async def test_a_user_s_going_is_told_however_the_user_goes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.wire.session._LOGOUT_PATIENCE", 0.01)

    async def close(_me: Json, socket: ClientWebSocketResponse) -> None:
        await socket.close()

    async def log_out(me: Json, _socket: ClientWebSocketResponse) -> None:
        await data_of(client.delete("/me", headers=by_token(me["authToken"])))

    async def break_off(_me: Json, socket: ClientWebSocketResponse) -> None:
        socket.get_extra_info("socket").shutdown(2)

    async def deactivate(_me: Json, _socket: ClientWebSocketResponse) -> None:
        await data_of(client.delete("/users/superhero2", headers=REST_KEY))

    async def delete(_me: Json, _socket: ClientWebSocketResponse) -> None:
        permanent = {"permanent": True}
        await data_of(client.delete("/users/superhero3", json=permanent, headers=REST_KEY))

    watch = await enter(client, "superhero1", **EVERYONE)
    for go in (close, log_out, break_off, deactivate, delete):
        uid = "superhero3" if go is delete else "superhero2"
        me = await log_in(client, uid)
        socket = await connect(client, me)
        assert (await watch.receive_json(timeout=PATIENCE))["body"]["action"] == "online"

        await go(me, socket)

        frame = await watch.receive_json(timeout=PATIENCE)
        assert frame["sender"] == uid, go
        assert frame["body"]["action"] == "offline", go
        assert go is not close or frame["body"]["user"]["status"] == "offline"


async def test_only_the_first_device_comes_and_only_the_last_one_goes(client: Client) -> None:
    watch = await enter(client, "superhero1", **EVERYONE)
    me = await log_in(client, "superhero2")
    phone, laptop = await connect(client, me), await connect(client, me)

    await phone.close()
    assert await heard(watch) == ["superhero2 online"]
    await laptop.close()

    assert (await watch.receive_json(timeout=PATIENCE))["body"]["action"] == "offline"


async def test_a_session_is_not_told_about_its_own_user_and_other_apps(client: Client) -> None:
    own = await log_in(client, "superhero1")
    watch = await connect(client, own, **EVERYONE)
    await connect(client, own, **EVERYONE)
    silent = await client.ws_connect("/")  # it did not authenticate
    headers = {**REST_KEY, "appId": "app1"}
    issued = await data_of(client.post("/users/superhero2/auth_tokens", headers=headers))
    me = await data_of(client.put("/me", headers=by_token(issued["authToken"])))

    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"], app_id="app1"))
    await socket.receive_json(timeout=PATIENCE)

    assert await heard(watch) == []
    await enter(client, "superhero3")
    assert await heard(watch) == ["superhero3 online"]
    assert await heard(silent) == []


# --- subscriptions --------------------------------------------------------------------------
SUBSCRIPTIONS: list[tuple[Json, list[str]]] = [
    ({"presenceSubscription": "ALL_USERS"}, ["ann online", "cid online"]),
    ({"presenceSubscription": "all_users"}, ["ann online", "cid online"]),
    ({"presenceSubscription": "ROLES", "roles": ["nurse"]}, ["ann online"]),
    (
        {"presenceSubscription": "ROLES", "roles": ["nurse", "default"]},
        ["ann online", "cid online"],
    ),
    ({"presenceSubscription": "ROLES", "roles": []}, []),
    ({"presenceSubscription": "ROLES"}, []),
    ({"presenceSubscription": "FRIENDS"}, ["ann online"]),
    ({"presenceSubscription": "NONE"}, []),
    ({}, []),
]


async def test_everyone_is_told_what_they_subscribed_to(hospital: Client) -> None:
    bob = await log_in(hospital, "bob")
    watches = [await connect(hospital, bob, **body) for body, _ in SUBSCRIPTIONS]

    await enter(hospital, "ann")
    await enter(hospital, "cid")

    for watch, (subscription, expected) in zip(watches, SUBSCRIPTIONS, strict=True):
        assert await heard(watch) == expected, subscription


async def test_a_presence_shows_neither_private_metadata_nor_credentials(hospital: Client) -> None:
    watch = await enter(hospital, "bob", **EVERYONE)
    await create_user(hospital, "u1", withAuthToken=True)

    await enter(hospital, "cid")
    await enter(hospital, "u1")

    cid, user = [
        (await watch.receive_json(timeout=PATIENCE))["body"]["user"] for _ in ("cid", "u1")
    ]
    assert cid["metadata"] == {"pet": "cat"}
    assert not {"authToken", "jwt", "wsChannel"} & user.keys()


async def test_a_presence_shows_a_picture_at_the_address_of_each_client(client: Client) -> None:
    local = await enter(client, "superhero1", **EVERYONE)
    live = {"Host": "app_id.websocket-us.cometchat.io"}
    me = await log_in(client, "superhero2")
    by_live_name = await client.ws_connect("/", headers=live)
    await by_live_name.send_json(auth_frame(me["jwt"], **EVERYONE))
    await by_live_name.receive_json(timeout=PATIENCE)
    await local.receive_json(timeout=PATIENCE)

    await enter(client, "cometchat-uid-1")

    shown = [await socket.receive_json(timeout=PATIENCE) for socket in (local, by_live_name)]
    here, there = (frame["body"]["user"]["avatar"] for frame in shown)
    assert here == str(client.make_url("/sampleapp/v2/users/cometchat-uid-1.webp"))
    assert there == "https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-1.webp"


# --- Calls SDKs alone, which open no WebSocket ----------------------------------------------
CALLS = {"platform": "web", "deviceId": "web_1"}


async def test_a_client_of_calls_alone_is_online_from_its_login_to_its_logout(
    client: Client, clock: Clock
) -> None:
    watch = await enter(client, "superhero1", **EVERYONE)
    headers = by_token(await issue_token(client, "superhero2"))
    clock.advance(5)

    for _ in range(2):  # a reload of the page logs in again
        assert (await data_of(client.put("/me", json=CALLS, headers=headers)))["status"] == "online"
    user = await get_user(client, "superhero2")
    count = await data_of(client.get("/users?status=available&count=true", headers=REST_KEY))
    await data_of(client.delete("/me", headers=headers))

    assert (user["status"], user["lastActiveAt"], count) == ("available", NOW + 5, {"count": 2})
    assert await heard(watch) == ["superhero2 online", "superhero2 offline"]
    assert (await get_user(client, "superhero2"))["status"] == "offline"


async def test_a_chat_sdk_or_a_back_end_that_logs_in_is_not_online_without_a_socket(
    client: Client,
) -> None:
    plain: Json = {"deviceId": "web_1"}
    chat: list[tuple[Json, dict[str, str]]] = [
        (CALLS, {"sdk": "javascript@4.0.0"}),
        (CALLS, {"resource": "WEB-4_0_0-x"}),
        ({**CALLS, "appInfo": {"version": "2.0.4"}}, {}),
        (plain, {}),
        ({}, {}),
    ]
    for body, headers in chat:
        token = by_token(await issue_token(client, "superhero2"))
        await data_of(client.put("/me", json=body, headers={**token, **headers}))
        assert (await get_user(client, "superhero2"))["status"] == "offline", (body, headers)


async def test_the_presence_of_calls_follows_the_token_through_sockets_and_snapshots(
    client: Client,
) -> None:
    token = await issue_token(client, "superhero2")
    me = await data_of(client.put("/me", json=CALLS, headers=by_token(token)))

    async def status() -> str:
        return str((await get_user(client, "superhero2"))["status"])

    await steer(client, "PUT", "snapshots/s")
    await steer(client, "POST", "reset", app="APP_ID")  # the clock stands still
    assert await status() == "offline"
    await steer(client, "POST", "snapshots/s/restore")
    assert await status() == "available"

    watch = await enter(client, "superhero1", **EVERYONE)
    socket = await connect(client, me)  # so it is no client of calls alone
    assert await heard(watch) == []
    await socket.close()
    assert (await watch.receive_json(timeout=PATIENCE))["body"]["action"] == "offline"
    assert await status() == "offline"


# --- many ------------------------------------------------------------------------------------
async def test_a_change_is_rendered_once_for_all_whatever_its_size(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[Any] = []

    def render(*of: Any) -> Json:
        rendered.append(of)
        return _presence(*of)

    monkeypatch.setattr("mockchat.wire.websocket._presence", render)
    sockets = [await enter(client, f"superhero{number}", **EVERYONE) for number in (1, 2, 3)]
    for socket in sockets:
        await heard(socket)
    app = client.app[STORE].default

    for uid, length in (("superhero5", 10), ("superhero4", 60_000), ("cometchat-uid-1", 70_000)):
        rendered.clear()
        user = app.update_user(app.user(uid), {"link": "x" * length})
        await enter(client, uid)

        for socket in sockets:
            frame = await socket.receive_json(timeout=PATIENCE)
            assert frame["body"]["user"]["link"] == user.link
        assert len(rendered) == 1


async def test_others_are_served_while_many_are_told_and_each_hears_all_in_order(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.wire.websocket._TOLD_AT_ONCE", 1)
    order: list[str] = []
    send = Session.send

    def send_noting(session: Session, *frame: Any) -> None:
        order.append("told")
        asyncio.get_running_loop().call_soon(order.append, "served")
        send(session, *frame)

    sockets = [await enter(client, "superhero1", **EVERYONE) for _ in range(4)]
    app = client.app[STORE].default
    user = app.user("superhero2")
    caller = UserCaller(user, app.issue_token(user))
    monkeypatch.setattr(Session, "send", send_noting)

    app.open_session(caller)
    for socket in sockets:
        await socket.receive_json(timeout=PATIENCE)
    assert "served" in order[:4]

    app.close_session(caller, 0)
    app.open_session(caller)
    for socket in sockets:
        told = [await socket.receive_json(timeout=PATIENCE) for _ in range(2)]
        assert [frame["body"]["action"] for frame in told] == ["offline", "online"]


async def test_a_client_that_does_not_read_is_dropped_with_a_log_line_and_holds_little_memory(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    watch = await enter(client, "superhero1", **EVERYONE)
    app = client.app[STORE].default
    [session] = client.app[HANDLER].hub._sessions  # noqa: SLF001  # to see what waits for it
    transport = session.context.request.transport
    assert transport is not None
    user = app.update_user(app.user("superhero2"), {"link": "x" * 60_000})
    caller = UserCaller(user, app.issue_token(user))

    for _ in range(500):
        app.open_session(caller)
        app.close_session(caller, app.clock.now())
        assert transport.get_write_buffer_size() < 500_000

    assert transport.is_closing()
    assert caplog.text.count("a WebSocket client that does not read was dropped") == 1
    while (await watch.receive(timeout=PATIENCE)).type is WSMsgType.TEXT:
        pass
    assert watch.close_code == WSCloseCode.ABNORMAL_CLOSURE
