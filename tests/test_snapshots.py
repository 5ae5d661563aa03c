"""Snapshots over HTTP: taken, listed, restored, carried away and brought back."""

from typing import Any

import pytest

from mockchat.core import errors, store
from mockchat.core.clock import Clock
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user, get_user, journal_of, state_of, steer, uids_of
from tests.sessions import assert_lives, by_token, connect, end_of, issue_token, log_in
from tests.values import NOW, PATIENCE, REST_KEY, SEED_UIDS, Client


async def add_user(client: Client, uid: str, app: str) -> None:
    body = {"uid": uid, "name": uid}
    await data_of(client.post(f"/apps/{app}/v3/users", json=body, headers=REST_KEY))


async def names_of(client: Client, app: str | None = None) -> list[str]:
    path = f"/_mock/snapshots?app={app}" if app else "/_mock/snapshots"
    return [one["name"] for one in await body_of(client.get(path))]


# --- there and back -------------------------------------------------------------------------
async def test_restoring_brings_back_what_was_there_again_and_again(client: Client) -> None:
    await create_user(client, "kept", metadata={"a": [1]}, tags=["t"])
    token = await issue_token(client, "superhero1")
    before = await state_of(client)
    await steer(client, "PUT", "snapshots/s1")

    await create_user(client, "late")
    body = {"metadata": {"a": [2]}, "tags": []}
    await client.put("/users/kept", json=body, headers=REST_KEY)
    told = await steer(client, "POST", "snapshots/s1/restore")
    assert told == {"success": True, "message": "The snapshot s1 was restored."}
    assert await state_of(client) == before

    await client.delete("/users/kept", json={"permanent": True}, headers=REST_KEY)
    await steer(client, "POST", "snapshots/s1/restore")
    assert await state_of(client) == before

    headers = by_token(token)  # what is restored lives on as before
    assert (await data_of(client.get("/me", headers=headers)))["uid"] == "SUPERHERO1"
    assert (await create_user(client, "late"))["uid"] == "late"
    assert (await uids_of(client))[0] == "late"
    await client.delete("/me", headers=headers)
    await assert_error(client.get("/me", headers=headers), errors.AUTH_TOKEN_UNKNOWN)


async def test_a_snapshot_is_replaced_by_one_of_its_name_or_deleted(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")
    await create_user(client, "late")

    told = await steer(client, "PUT", "snapshots/s1")

    assert told == {"name": "s1", "apps": ["APP_ID"], "users": 11}
    assert await names_of(client) == ["s1"]
    # Its length is not known before all of it is sent.
    assert "Content-Length" not in (await client.head("/_mock/snapshots/s1")).headers
    await steer(client, "DELETE", "snapshots/s1")
    assert await names_of(client) == []
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        request = client.request(method, f"/_mock/snapshots/s1{path}")
        await assert_error(request, errors.MOCK_NOT_FOUND, what="snapshot", name="s1", near="")
    for name in ("a%20b", ".hidden", "a%2Fb", "x" * 65, "%00", "ü", "a%0A"):
        details = await details_of(client.put(f"/_mock/snapshots/{name}"))
        assert list(details) == ["name"], name


# --- what is no part of it ------------------------------------------------------------------
async def test_journal_faults_holds_and_clock_stay(client: Client, clock: Clock) -> None:
    await steer(client, "PUT", "snapshots/s1")
    await steer(client, "POST", "faults", kind="latency", delay=0)
    await steer(client, "POST", "logins", uid="superhero1")
    await client.get("/users", headers=REST_KEY)
    clock.advance(60)

    await steer(client, "POST", "snapshots/s1/restore")

    assert len(await journal_of(client)) == 1
    assert len(await body_of(client.get("/_mock/faults"))) == 1
    assert (await body_of(client.get("/_mock/logins")))["held"] == {"APP_ID": ["superhero1"]}
    assert clock.now() == NOW + 60


# --- apps -----------------------------------------------------------------------------------
async def test_an_app_s_snapshot_touches_no_other_app(client: Client) -> None:
    for app in ("one", "two"):
        await add_user(client, f"of-{app}", app)
        await steer(client, "PUT", "snapshots/same", app=app)
        await add_user(client, "late", app)
    await steer(client, "DELETE", "snapshots/same", app="two")

    held = await body_of(client.get("/_mock/snapshots/same?app=ONE"))
    await steer(client, "POST", "snapshots/same/restore", app="one")

    assert list(held["apps"]) == ["one"]
    assert await uids_of(client, "one") == ["of-one", *SEED_UIDS]
    assert await uids_of(client, "two") == ["late", "of-two", *SEED_UIDS]
    for query in ("?app=two", ""):
        request = client.get(f"/_mock/snapshots/same{query}")
        await assert_error(request, errors.MOCK_NOT_FOUND)
    client.app[STORE].close("one")
    assert await names_of(client) == []


async def test_a_snapshot_of_the_server_holds_every_app(client: Client) -> None:
    for app in ("one", "two"):
        await add_user(client, "u1", app)
    await steer(client, "PUT", "snapshots/s1")
    for app in ("one", "two", "later"):
        await add_user(client, "u2", app)

    held = await body_of(client.get("/_mock/snapshots/s1?app=one"))
    await steer(client, "POST", "snapshots/s1/restore", app="one")
    assert list(held["apps"]) == ["one"]
    assert await uids_of(client, "one") == ["u1", *SEED_UIDS]
    assert await uids_of(client, "two") == ["u2", "u1", *SEED_UIDS]
    request = client.post("/_mock/snapshots/s1/restore", json={"app": "later"})
    await assert_error(request, errors.MOCK_NOT_FOUND, what="snapshot", name="s1", near="")

    await steer(client, "POST", "snapshots/s1/restore")
    assert list(await state_of(client)) == ["APP_ID", "one", "two"]
    assert await uids_of(client, "two") == ["u1", *SEED_UIDS]
    assert await uids_of(client, "later") == SEED_UIDS


async def test_an_app_sees_its_own_snapshots_and_those_of_the_server(client: Client) -> None:
    await steer(client, "PUT", "snapshots/whole")
    for app in ("One", "two"):
        await steer(client, "PUT", f"snapshots/of-{app}", app=app)

    assert await names_of(client) == ["whole", "of-One", "of-two"]
    assert await names_of(client, "one") == ["whole", "of-One"]
    listed = await body_of(client.get("/_mock/snapshots"))
    assert listed[1] == {"name": "of-One", "app": "One", "apps": ["One"], "users": 10}


# --- WebSockets -----------------------------------------------------------------------------
async def test_a_websocket_whose_token_is_there_stays_open(client: Client) -> None:
    me, other = await log_in(client, "superhero1"), await log_in(client, "superhero2")
    await steer(client, "PUT", "snapshots/s1")
    socket = await connect(client, me, presenceSubscription="ALL_USERS")
    await steer(client, "POST", "snapshots/s1/restore")

    await assert_lives(socket)
    assert (await get_user(client, "superhero1"))["status"] == "available"
    await connect(client, other)
    assert (await socket.receive_json(timeout=PATIENCE))["sender"] == "superhero2"
    await socket.close()
    assert (await get_user(client, "superhero1"))["status"] == "offline"


async def test_a_websocket_whose_token_is_not_there_is_closed(client: Client) -> None:
    before = await log_in(client, "superhero2")
    await steer(client, "PUT", "snapshots/s1")
    await steer(client, "POST", "reset", app="APP_ID")  # the clock stands still
    socket = await connect(client, await log_in(client, "superhero1"))

    await steer(client, "POST", "snapshots/s1/restore")

    assert await end_of(socket) == 1008
    assert (await get_user(client, "superhero1"))["status"] == "offline"
    await connect(client, before)


# --- carried away and brought back ----------------------------------------------------------
async def test_what_a_snapshot_holds_can_be_put_back_under_another_name(client: Client) -> None:
    deep: Any = 1
    for _ in range(61):  # as deep as clients may send it
        deep = [deep]
    await create_user(client, "u1", metadata={"deep": deep, "er": [1, {"": None}]})
    await issue_token(client, "u1")
    await add_user(client, "u1", "one")
    await steer(client, "PUT", "snapshots/s1")
    held = await body_of(client.get("/_mock/snapshots/s1"))
    await steer(client, "POST", "reset")

    await steer(client, "PUT", "snapshots/s2", **held)
    await steer(client, "POST", "snapshots/s2/restore")

    assert await body_of(client.get("/_mock/snapshots/s2")) == held
    assert await state_of(client) == held["apps"]
    told = await steer(client, "PUT", "snapshots/s3", app="ONE", apps=held["apps"])
    assert told == {"name": "s3", "app": "one", "apps": ["one"], "users": 11}
    refused = client.put("/_mock/snapshots/s3?app=two", json={"apps": held["apps"]})
    assert await details_of(refused) == {
        "apps": ["The apps is no snapshot: the app two is not in it."]
    }


# --- bounds ---------------------------------------------------------------------------------
async def test_there_are_only_so_many_snapshots_of_an_app(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_SNAPSHOTS", 2)
    for name in ("s1", "s2", "s1"):
        await steer(client, "PUT", f"snapshots/{name}", app="one")
    details = await details_of(client.put("/_mock/snapshots/s3?app=one"))
    assert details == {
        "name": ["The name is one too many: there are 2 snapshots already; delete some."]
    }
    assert await steer(client, "PUT", "snapshots/s3", app="two")
    assert await names_of(client) == ["s1", "s2", "s3"]
