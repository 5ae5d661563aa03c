"""Logins that are held open: what happens meanwhile is sure to happen."""

import asyncio
from typing import Any

from aiohttp import ClientSession

from mockchat import Config, MockChat
from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.core.holds import Holds
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user, steer
from tests.rows import each_row
from tests.sessions import by_token, issue_token
from tests.values import LONG, Client, Json, Serve


def post_login(client: Client, uid: str = "superhero1", app: str = "APP_ID", **more: Any) -> Any:
    body = {"uid": uid, "authKey": "AUTH_KEY", **more}
    return client.post(f"/apps/{app}/v3/login", json=body)


async def held(client: Client, login: Any, count: int = 1) -> Any:
    """A login that has reached the point where it is held, as one of `count`."""
    task = asyncio.ensure_future(login)
    await body_of(client.get(f"/_mock/logins?wait=1m&count={count}", timeout=LONG))
    return task


async def _ask(client: Client, method: str, path: str, body: Json, headers: dict[str, str]) -> Any:
    return await client.request(method, path, json=body, headers=headers)


# --- held -----------------------------------------------------------------------------------
async def test_a_held_login_keeps_others_of_its_uid_or_device_out(client: Client) -> None:
    await steer(client, "POST", "logins", uid="superhero1")
    first = await held(client, post_login(client, deviceId="phone"))

    await assert_error(post_login(client), errors.LOGIN_IN_PROGRESS)
    same_device = post_login(client, "superhero2", deviceId="phone")
    await assert_error(same_device, errors.LOGIN_IN_PROGRESS)
    assert (await data_of(post_login(client, "superhero2")))["uid"] == "SUPERHERO2"

    await steer(client, "DELETE", "logins", uid="superhero1")
    assert (await data_of(first))["uid"] == "SUPERHERO1"
    assert (await data_of(post_login(client)))["uid"] == "SUPERHERO1"


async def test_a_second_login_of_the_uid_is_refused_by_every_way(client: Client) -> None:
    """The first is held, whichever way it came; no second one waits beside it."""
    header = by_token(await issue_token(client, "superhero1"))
    other = by_token(await issue_token(client, "superhero1", force=True))
    body = {"uid": "superhero1", "authKey": "AUTH_KEY"}
    ways: list[tuple[str, str, Json, dict[str, str]]] = [
        ("PUT", "/me", {}, header),
        ("PUT", "/me", {"deviceId": "phone"}, header),
        ("PUT", "/me", {}, {**other, "resource": "WEB-1"}),
        ("POST", "/login", body, {}),
        ("POST", "/login", {**body, "deviceId": "laptop"}, {}),
        ("POST", "/login", {}, other),
    ]
    for first in ways:
        await steer(client, "POST", "logins", uid="superhero1")
        login = await held(client, _ask(client, *first))

        for second in ways:
            await assert_error(_ask(client, *second), errors.LOGIN_IN_PROGRESS)

        await steer(client, "DELETE", "logins")
        assert (await login).status == 200, first
        for again in ways:
            assert (await _ask(client, *again)).status == 200, again


async def test_an_sdk_s_login_takes_its_device_s_slot(client: Client) -> None:
    one, two = [by_token(await issue_token(client, f"superhero{number}")) for number in (1, 2)]
    await steer(client, "POST", "logins", uid="superhero1")
    login = await held(client, client.put("/me", json={"deviceId": "tab"}, headers=one))

    same = client.put("/me", json={"deviceId": "tab"}, headers=two)
    by_uid = post_login(client, "superhero2", deviceId="tab")
    another = client.put("/me", json={"deviceId": "phone"}, headers=two)

    await assert_error(same, errors.LOGIN_IN_PROGRESS)
    await assert_error(by_uid, errors.LOGIN_IN_PROGRESS)
    assert (await data_of(another))["uid"] == "SUPERHERO2"
    await steer(client, "DELETE", "logins")
    assert (await login).status == 200


async def test_tabs_of_one_user_that_reload_together_all_log_in(client: Client) -> None:
    header = by_token(await issue_token(client, "superhero1"))

    answers = await asyncio.gather(
        *(client.put("/me", headers={**header, "resource": f"WEB-{n}"}) for n in range(5)),
        *(client.put("/me", headers=header) for _ in range(5)),
    )

    assert {answer.status for answer in answers} == {200}


async def test_a_login_by_auth_token_is_held_as_well(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    for method, path in (("POST", "/login"), ("PUT", "/me")):
        await steer(client, "POST", "logins", uid="SuperHero1")
        first = await held(client, _ask(client, method, path, {}, by_token(token)))

        told = await body_of(client.get("/_mock/logins"))
        assert told["waiting"] == {"APP_ID": ["superhero1"]}
        again = client.post("/login", json={"authToken": token})
        await assert_error(again, errors.LOGIN_IN_PROGRESS)
        await steer(client, "DELETE", "logins")
        assert (await data_of(first))["authToken"] == token


async def test_everybody_s_logins_can_be_held_and_are_not_released_for_one(client: Client) -> None:
    for body in ({}, {"uid": "superhero1"}):
        await steer(client, "POST", "logins", **body)
    tasks = [await held(client, post_login(client, f"superhero{n}"), n) for n in (1, 2)]

    told = await steer(client, "DELETE", "logins", uid="superhero1")
    assert told == {"held": {"APP_ID": ["*"]}, "waiting": {"APP_ID": ["superhero1", "superhero2"]}}
    told = await steer(client, "DELETE", "logins")

    assert told["held"] == {"APP_ID": []}
    found = [await data_of(task) for task in tasks]
    assert [me["uid"] for me in found] == ["SUPERHERO1", "SUPERHERO2"]


async def test_a_change_of_the_own_profile_or_a_push_token_is_no_login(client: Client) -> None:
    header = by_token(await issue_token(client, "superhero1"))
    await steer(client, "POST", "logins")
    login = await held(client, client.put("/me", headers=header))

    for body in ({"name": "Tony"}, {"appInfo": {"pushNotification": {"fcmDeviceToken": "t"}}}):
        me = await data_of(client.put("/me", json=body, headers=header))
        assert me["name"] == "Tony"
    await steer(client, "DELETE", "logins")
    assert (await login).status == 200


@each_row("end", ["death", "expiry"])
async def test_a_token_that_ends_logs_nobody_in(serve: Serve, clock: Clock, end: str) -> None:
    client = await serve(token_ttl=60.0)
    headers = by_token(await issue_token(client, "superhero1"))
    await steer(client, "POST", "logins")
    login = await held(client, client.put("/me", headers=headers))
    if end == "death":
        await body_of(client.delete("/me", headers=headers))
    else:
        clock.advance(60)

    await steer(client, "DELETE", "logins")

    await assert_error(login, errors.AUTH_TOKEN_UNKNOWN)


async def test_logins_of_a_uid_that_does_not_exist_yet_can_be_held(client: Client) -> None:
    await steer(client, "POST", "logins", uid="later")
    await create_user(client, "later")
    login = await held(client, post_login(client, "later"))
    await steer(client, "DELETE", "logins", uid="LATER")
    assert (await data_of(login))["uid"] == "later"

    await steer(client, "POST", "logins")  # which holds no login that is refused anyway
    await assert_error(post_login(client, authKey="nope"), errors.KEY_UNKNOWN)
    await assert_error(post_login(client, "not a uid"), errors.UID_WITH_SPACE)


async def test_a_client_that_leaves_gives_its_slot_back() -> None:
    """aiohttp's server tells no handler that its client left; its test server does."""
    async with MockChat(Config(port=0, https_port=None)) as mock, ClientSession(mock.url) as web:
        header = by_token(mock.issue_token("superhero1"))
        ways: dict[str, Any] = {
            "login": lambda: web.post("/login", json={"uid": "superhero1", "authKey": "AUTH_KEY"}),
            "update_me": lambda: web.put("/me", json={"deviceId": "phone"}, headers=header),
        }
        with mock.hold_logins() as hold:
            operation: Any
            for operation, ask in ways.items():
                for count in (1, 2):  # the second takes the place of the first
                    login = asyncio.ensure_future(ask())
                    await hold.wait_async()
                    login.cancel()
                    await mock.journal.wait_for_async(count, operation=operation, status=0)

        answers = [await ask() for ask in ways.values()]

    assert [answer.status for answer in answers] == [200, 200]


# --- apps -----------------------------------------------------------------------------------
async def test_logins_of_one_app_or_of_all_are_held_and_released(client: Client) -> None:
    told = await steer(client, "POST", "logins", app="one")
    assert told == {"held": {"one": ["*"]}, "waiting": {"one": []}}
    assert await data_of(post_login(client, app="two"))
    await steer(client, "DELETE", "logins")
    await steer(client, "POST", "logins", uid="superhero1")
    tasks = [asyncio.create_task(post_login(client, app=app)) for app in ("one", "APP_ID")]
    query = "/_mock/logins?uid=SuperHero1&count=2&wait=1m"

    told = await body_of(client.get(query, timeout=LONG))

    assert told["waiting"] == {"APP_ID": ["superhero1"], "one": ["superhero1"], "two": []}
    await steer(client, "DELETE", "logins")
    for task in tasks:
        assert await data_of(task)


# --- released -------------------------------------------------------------------------------
async def test_an_app_that_goes_or_a_server_that_stops_holds_nobody(client: Client) -> None:
    await data_of(post_login(client, app="one"))
    await steer(client, "POST", "logins")
    one = await held(client, post_login(client, app="one"))
    login = await held(client, post_login(client), 2)

    client.app[STORE].close("one")
    assert (await one).status == 200
    await client.app.shutdown()
    assert (await data_of(login))["uid"] == "SUPERHERO1"


# --- waiting --------------------------------------------------------------------------------
async def test_a_wait_for_a_uid_is_ended_by_its_login_alone(client: Client) -> None:
    await steer(client, "POST", "logins")
    await held(client, post_login(client, "superhero2"))

    for query in ("uid=superhero1&wait=1ms", "wait=1m&count=", "uid=superhero2&wait=1m"):
        told = await body_of(client.get(f"/_mock/logins?{query}", timeout=LONG))
        assert told["waiting"] == {"APP_ID": ["superhero2"]}, query
    for query in ("wait=61", "wait=-1", "count=0", "count=1001", "user=x"):
        details = await details_of(client.get(f"/_mock/logins?{query}"))
        assert list(details) == [query.partition("=")[0]], query


async def test_a_server_that_stops_keeps_nobody_waiting_for_logins(client: Client) -> None:
    wait: Json = asyncio.create_task(
        body_of(client.get("/_mock/logins?app=APP_ID&wait=1m", timeout=LONG))
    )
    await steer(client, "POST", "logins", uid="nobody")

    await client.app.shutdown()

    assert (await wait)["waiting"] == {"APP_ID": []}


async def test_holds_count_the_logins_of_one_uid_and_release_what_is_not_held() -> None:
    holds = Holds()
    holds.hold()
    waiting = [asyncio.ensure_future(holds.passed(uid)) for uid in ("one", "two")]
    await asyncio.sleep(0)

    holds.release("one")
    holds.release("ONE")

    assert [holds.count(), holds.count("One"), holds.count("three")] == [2, 1, 0]
    holds.release()
    await asyncio.gather(*waiting)
    assert holds.count() == 0


async def test_an_empty_uid_is_nobody_and_not_everybody(client: Client) -> None:
    for request in (
        client.post("/_mock/logins", json={"uid": ""}),
        client.post("/_mock/logins", json={"uid": " "}),
        client.delete("/_mock/logins?uid="),
        client.get("/_mock/logins?uid="),
    ):
        assert await details_of(request) == {"uid": ["The uid field must have a value."]}
    assert (await body_of(client.get("/_mock/logins")))["held"] == {"APP_ID": []}
