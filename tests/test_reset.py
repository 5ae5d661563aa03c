"""Resets: an app goes back to the seed, and nothing else does."""

import asyncio

from hypothesis import given, settings

from mockchat import Config
from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.core.snapshot import relating
from mockchat.core.steps import finish
from mockchat.wire.app import create_store
from tests.answers import assert_error, body_of, data_of
from tests.helpers import create_user, get_user, journal_of, steer, uids_of
from tests.sessions import by_token, connect, end_of, issue_token, log_in
from tests.strategies import Contents, contents
from tests.values import NOW, REST_KEY, SEED_UIDS, Client, Serve


# --- what goes ------------------------------------------------------------------------------
async def test_users_keys_and_roles_are_those_of_the_seed_again(client: Client) -> None:
    await create_user(client, "late")
    await client.delete("/users/superhero1", json={"permanent": True}, headers=REST_KEY)
    await data_of(client.post("/roles", json={"role": "r", "name": "R"}, headers=REST_KEY))
    key = await data_of(client.post("/apikeys", json={"name": "k"}, headers=REST_KEY))

    told = await steer(client, "POST", "reset")

    assert told == {"success": True, "message": "1 app went back to the seed."}
    assert await uids_of(client) == SEED_UIDS
    assert len(await data_of(client.get("/roles", headers=REST_KEY))) == 1
    await assert_error(client.get("/users", headers={"apikey": key["apiKey"]}), errors.KEY_UNKNOWN)


async def test_tokens_with_their_sockets_journal_faults_and_quotas_are_gone(serve: Serve) -> None:
    client = await serve(rate_limit=4)
    await steer(client, "POST", "faults", kind="error", code="503", operation="list_users")
    me = await log_in(client, "superhero1")
    socket = await connect(client, me)
    for _ in range(4):
        await client.get("/users", headers=REST_KEY)

    await steer(client, "POST", "reset")

    assert await journal_of(client) == []
    assert await body_of(client.get("/_mock/faults")) == []
    assert await data_of(client.get("/users", headers=REST_KEY))
    assert await end_of(socket) == 1008
    headers = by_token(me["authToken"])
    await assert_error(client.get("/me", headers=headers), errors.AUTH_TOKEN_UNKNOWN)
    assert (await get_user(client, "superhero1"))["status"] == "offline"


async def test_held_logins_go_on_and_are_refused_if_their_user_is_gone(client: Client) -> None:
    await create_user(client, "late")
    await steer(client, "POST", "logins")
    bodies = [{"uid": uid, "authKey": "AUTH_KEY"} for uid in ("superhero1", "late")]
    logins = [asyncio.create_task(client.post("/login", json=body)) for body in bodies]
    await body_of(client.get("/_mock/logins?wait=5s&count=2"))

    await steer(client, "POST", "reset")

    assert [(await login).status for login in logins] == [200, 404]
    assert (await body_of(client.get("/_mock/logins")))["held"] == {"APP_ID": []}


async def test_snapshots_stay_and_a_moved_clock_ticks_again(client: Client, clock: Clock) -> None:
    await create_user(client, "u1")
    await steer(client, "PUT", "snapshots/s1")

    await steer(client, "POST", "reset", app="APP_ID")
    assert clock.now() == NOW
    await steer(client, "POST", "reset")
    assert not clock.frozen

    await steer(client, "POST", "snapshots/s1/restore")
    assert (await get_user(client, "u1"))["uid"] == "u1"


# --- what stays -----------------------------------------------------------------------------
async def test_one_app_s_reset_touches_nothing_of_another(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    for app in ("one", "APP_ID"):
        body = {"uid": "u1", "name": "x"}
        await client.post(f"/apps/{app}/v3/users", json=body, headers=REST_KEY)
        await steer(client, "POST", "faults", kind="latency", delay=0, app=app)
        await steer(client, "POST", "logins", uid="u9", app=app)

    await steer(client, "POST", "reset", app="one")

    assert await uids_of(client, "one") == SEED_UIDS
    assert await uids_of(client) == ["u1", *SEED_UIDS]
    assert await data_of(client.get("/me", headers=by_token(token)))
    assert [one["app"] for one in await body_of(client.get("/_mock/faults"))] == ["APP_ID"]
    assert (await body_of(client.get("/_mock/logins")))["held"] == {"APP_ID": ["u9"], "one": []}
    assert {one["app"] for one in await journal_of(client)} == {"APP_ID", "one"}

    told = await steer(client, "POST", "reset")  # without an app, all of them
    assert told["message"] == "2 apps went back to the seed."
    assert await uids_of(client, "one") == await uids_of(client) == SEED_UIDS


@settings(max_examples=20)
@given(contents(), contents())
def test_whatever_apps_hold_one_s_reset_is_its_own(one: Contents, other: Contents) -> None:
    clock = Clock()
    clock.freeze(NOW)
    store = create_store(Config(random_seed=1), clock)
    app, beside, untouched = (store.app(name) for name in ("one", "other", "untouched"))
    finish(app.replace(finish(relating(*one))))
    finish(beside.replace(finish(relating(*other))))
    before = finish(store.taking(beside))

    finish(store.resetting(app))

    assert finish(store.taking(beside)) == before
    fresh = finish(store.taking(untouched))["untouched"]
    again = finish(store.taking(app))["one"]
    assert {**again, "id": "", "secret": ""} == {**fresh, "id": "", "secret": ""}
