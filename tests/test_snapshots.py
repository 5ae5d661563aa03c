"""Snapshots over HTTP: taken, listed, restored, carried away and brought back."""

from typing import Any

import pytest
from aiohttp import WSMsgType

from mockchat.core import errors, store
from mockchat.core.clock import Clock
from mockchat.wire.app import STORE
from tests.helpers import (
    NOW,
    PATIENCE,
    REST_KEY,
    SEED_UIDS,
    Client,
    Json,
    assert_error,
    auth_frame,
    body_of,
    by_token,
    connect,
    create_user,
    data_of,
    details_of,
    get_user,
    issue_token,
    journal_of,
    log_in,
    steer,
)


async def state_of(client: Client, app: str | None = None) -> Json:
    path = f"/_mock/state?app={app}" if app else "/_mock/state"
    return (await body_of(client.get(path)))["apps"]


async def uids_of(client: Client, app: str = "APP_ID") -> list[str]:
    found = await data_of(client.get(f"/apps/{app}/v3/users", headers=REST_KEY))
    return [user["uid"] for user in found]


async def add_user(client: Client, uid: str, app: str) -> None:
    body = {"uid": uid, "name": uid}
    await data_of(client.post(f"/apps/{app}/v3/users", json=body, headers=REST_KEY))


async def names_of(client: Client, app: str | None = None) -> list[str]:
    path = f"/_mock/snapshots?app={app}" if app else "/_mock/snapshots"
    return [one["name"] for one in await body_of(client.get(path))]


# --- there and back -------------------------------------------------------------------------
async def test_restoring_brings_back_what_was_there(client: Client) -> None:
    await create_user(client, "kept")
    before = await state_of(client)
    await steer(client, "PUT", "snapshots/s1")

    await create_user(client, "late")
    await client.delete("/users/kept", json={"permanent": True}, headers=REST_KEY)
    told = await steer(client, "POST", "snapshots/s1/restore")

    assert told == {"success": True, "message": "The snapshot s1 was restored."}
    assert await state_of(client) == before


async def test_a_snapshot_can_be_restored_again_and_again(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")

    for uid in ("one", "two"):
        await create_user(client, uid)
        await steer(client, "POST", "snapshots/s1/restore")

    assert await uids_of(client) == SEED_UIDS


async def test_what_is_restored_lives_on_as_before(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await steer(client, "PUT", "snapshots/s1")
    await steer(client, "POST", "snapshots/s1/restore")

    assert (await data_of(client.get("/me", headers=by_token(token))))["uid"] == "SUPERHERO1"
    assert (await create_user(client, "late"))["uid"] == "late"
    assert (await uids_of(client))[0] == "late"
    await client.delete("/me", headers=by_token(token))
    await assert_error(client.get("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN)


async def test_taking_one_of_the_same_name_replaces_it(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")
    await create_user(client, "late")

    told = await steer(client, "PUT", "snapshots/s1")

    assert told == {"name": "s1", "apps": ["APP_ID"], "users": 11}
    assert await names_of(client) == ["s1"]


async def test_a_snapshot_does_not_change_with_what_it_was_taken_of(client: Client) -> None:
    await create_user(client, "u1", metadata={"a": [1]}, tags=["t"])
    await steer(client, "PUT", "snapshots/s1")
    body = {"metadata": {"a": [2]}, "tags": []}
    await client.put("/users/u1", json=body, headers=REST_KEY)

    await steer(client, "POST", "snapshots/s1/restore")

    assert (await get_user(client, "u1"))["metadata"] == {"a": [1]}


async def test_a_deleted_snapshot_is_gone(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")

    await steer(client, "DELETE", "snapshots/s1")

    assert await names_of(client) == []
    await assert_error(client.get("/_mock/snapshots/s1"), errors.MOCK_NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nope"), ("DELETE", "nope"), ("POST", "nope/restore")]
)
async def test_a_snapshot_that_is_not_there_is_named(
    client: Client, method: str, path: str
) -> None:
    request = client.request(method, f"/_mock/snapshots/{path}")

    await assert_error(request, errors.MOCK_NOT_FOUND, what="snapshot", name="nope")


@pytest.mark.parametrize("name", ["a%20b", ".hidden", "a%2Fb", "x" * 65, "%00", "ü", "a%0A"])
async def test_a_snapshot_has_a_plain_name(client: Client, name: str) -> None:
    details = await details_of(client.put(f"/_mock/snapshots/{name}"))

    assert list(details) == ["name"]


# --- what is no part of it ------------------------------------------------------------------
async def test_journal_faults_holds_and_clock_stay_as_they_are(
    client: Client, clock: Clock
) -> None:
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
    await steer(client, "PUT", "snapshots/s1", app="one")
    for app in ("one", "two"):
        await add_user(client, "late", app)

    await steer(client, "POST", "snapshots/s1/restore", app="one")

    assert "late" not in await uids_of(client, "one")
    assert "late" in await uids_of(client, "two")


async def test_names_of_apps_do_not_collide(client: Client) -> None:
    for app in ("one", "two"):
        await add_user(client, f"of-{app}", app)
        await steer(client, "PUT", "snapshots/same", app=app)
    await steer(client, "DELETE", "snapshots/same", app="two")

    held = await body_of(client.get("/_mock/snapshots/same?app=ONE"))

    assert list(held["apps"]) == ["one"]
    assert "of-one" in [user["uid"] for user in held["apps"]["one"]["users"]]
    await assert_error(client.get("/_mock/snapshots/same?app=two"), errors.MOCK_NOT_FOUND)
    await assert_error(client.get("/_mock/snapshots/same"), errors.MOCK_NOT_FOUND)


async def test_a_snapshot_of_the_server_holds_every_app_and_no_other(client: Client) -> None:
    await add_user(client, "u1", "one")
    await steer(client, "PUT", "snapshots/s1")
    await add_user(client, "u2", "one")
    await add_user(client, "u3", "two")

    await steer(client, "POST", "snapshots/s1/restore")

    assert list(await state_of(client)) == ["APP_ID", "one"]
    assert await uids_of(client, "one") == ["u1", *SEED_UIDS]
    assert await uids_of(client, "two") == SEED_UIDS


async def test_an_app_gets_its_own_part_of_a_snapshot_of_the_server(client: Client) -> None:
    for app in ("one", "two"):
        await add_user(client, "u1", app)
    await steer(client, "PUT", "snapshots/s1")
    for app in ("one", "two"):
        await add_user(client, "u2", app)

    held = await body_of(client.get("/_mock/snapshots/s1?app=one"))
    await steer(client, "POST", "snapshots/s1/restore", app="one")

    assert list(held["apps"]) == ["one"]
    assert (await uids_of(client, "one"))[0] == "u1"
    assert (await uids_of(client, "two"))[0] == "u2"


async def test_an_app_that_came_later_is_in_no_snapshot(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")
    request = client.post("/_mock/snapshots/s1/restore", json={"app": "later"})

    await assert_error(request, errors.MOCK_NOT_FOUND, what="snapshot", name="s1")


async def test_an_app_sees_its_own_snapshots_and_those_of_the_server(client: Client) -> None:
    await steer(client, "PUT", "snapshots/whole")
    for app in ("One", "two"):
        await steer(client, "PUT", f"snapshots/of-{app}", app=app)

    assert await names_of(client) == ["whole", "of-One", "of-two"]
    assert await names_of(client, "one") == ["whole", "of-One"]
    assert (await body_of(client.get("/_mock/snapshots")))[1] == {
        "name": "of-One",
        "app": "One",
        "apps": ["One"],
        "users": 10,
    }


async def test_an_app_that_goes_takes_its_snapshots_along(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1", app="one")

    client.app[STORE].close("one")

    assert await names_of(client) == []


# --- WebSockets -----------------------------------------------------------------------------
async def test_a_websocket_whose_token_is_there_stays_open_and_online(client: Client) -> None:
    me = await log_in(client, "superhero1")
    await steer(client, "PUT", "snapshots/s1")
    socket = await connect(client, me)

    await steer(client, "POST", "snapshots/s1/restore")

    await socket.send_json({"action": "ping"})
    assert await socket.receive_json(timeout=PATIENCE) == {"action": "pong"}
    assert (await get_user(client, "superhero1"))["status"] == "available"
    await socket.close()
    assert (await get_user(client, "superhero1"))["status"] == "offline"


async def test_a_websocket_whose_token_is_not_there_is_closed(client: Client) -> None:
    await steer(client, "PUT", "snapshots/s1")
    socket = await connect(client, await log_in(client, "superhero1"))

    await steer(client, "POST", "snapshots/s1/restore")

    message = await socket.receive(timeout=PATIENCE)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
    assert (await get_user(client, "superhero1"))["status"] == "offline"


async def test_a_restored_user_s_websocket_hears_of_others(client: Client) -> None:
    one, other = await log_in(client, "superhero1"), await log_in(client, "superhero2")
    await steer(client, "PUT", "snapshots/s1")
    socket = await connect(client, one, presenceSubscription="ALL_USERS")
    await steer(client, "POST", "snapshots/s1/restore")

    await connect(client, other)

    assert (await socket.receive_json(timeout=PATIENCE))["sender"] == "SUPERHERO2"


async def test_a_jwt_of_before_opens_a_websocket_afterwards(client: Client) -> None:
    me = await log_in(client, "superhero1")
    await steer(client, "PUT", "snapshots/s1")
    await steer(client, "POST", "reset")
    await steer(client, "POST", "snapshots/s1/restore")

    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"]))

    assert (await socket.receive_json(timeout=PATIENCE))["body"]["status"] == "OK"


# --- carried away and brought back ----------------------------------------------------------
async def test_what_a_snapshot_holds_can_be_put_back_under_another_name(client: Client) -> None:
    await create_user(client, "u1", metadata={"deep": {"er": [1, {"": None}]}})
    await issue_token(client, "u1")
    await steer(client, "PUT", "snapshots/s1")
    held = await body_of(client.get("/_mock/snapshots/s1"))
    await steer(client, "POST", "reset")

    await steer(client, "PUT", "snapshots/s2", **held)
    await steer(client, "POST", "snapshots/s2/restore")

    assert await state_of(client) == held["apps"]


async def test_metadata_as_deep_as_clients_may_send_it_comes_back(client: Client) -> None:
    deep: Any = 1
    for _ in range(61):
        deep = [deep]
    await create_user(client, "u1", metadata={"deep": deep})
    held = await state_of(client)

    await steer(client, "PUT", "snapshots/s1", apps=held)

    assert await body_of(client.get("/_mock/snapshots/s1")) == {"apps": held}


async def test_of_the_contents_an_app_s_snapshot_takes_its_own_part(client: Client) -> None:
    await add_user(client, "u1", "one")
    apps = await state_of(client)

    told = await steer(client, "PUT", "snapshots/s1", app="ONE", apps=apps)

    assert told == {"name": "s1", "app": "one", "apps": ["one"], "users": 11}


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


async def test_snapshots_take_only_so_much_memory(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_SNAPSHOT_BYTES", 2**20)
    await steer(client, "PUT", "snapshots/s1")
    await steer(client, "POST", "seed", users=9000)

    details = await details_of(client.put("/_mock/snapshots/s2"))

    assert "all snapshots may take 1 MiB together" in details["name"][0]
    assert await names_of(client) == ["s1"]
