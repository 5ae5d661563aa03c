"""Login and logout in one request, with the codes of product 3.1 in their order."""

import asyncio
from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, body_of, data_of
from tests.rows import each_row, telling
from tests.sessions import by_token, issue_token
from tests.values import AUTH_KEY, REST_KEY, Client, Json, Serve

DIALECTS = ["documented", "live"]
GOOD = {"uid": "superhero1", "authKey": "AUTH_KEY"}
LATENCY = 0.1  # long enough that two logins fired together meet on any machine


def post_login(client: Client, dialect: str = "documented", **body: Json) -> Any:
    return client.post("/login", json=body, headers={"X-Mock-Errors": dialect})


# --- POST /login ----------------------------------------------------------------------------
_LOGINS: list[tuple[Json, dict[str, str]]] = [
    ({"uid": "superhero1", "authKey": "AUTH_KEY"}, {}),
    ({"uid": "SuperHero1", "apiKey": "API_KEY"}, {}),
    ({"uid": "superhero1", "apiKey": "REST_API_KEY"}, {}),
    ({"uid": "superhero1"}, AUTH_KEY),
    ({"uid": "superhero1"}, {"apiKey": "REST_API_KEY"}),
]


async def test_a_uid_and_a_key_log_in_and_so_does_the_auth_token(client: Client) -> None:
    for body, headers in _LOGINS:
        with telling(body=body, headers=headers):
            me = await data_of(client.post("/login", json=body, headers=headers))

            token = by_token(me["authToken"])
            assert me["uid"] == "SUPERHERO1"
            assert me == await data_of(client.put("/me", headers=token))
            assert me == await data_of(client.post("/login", json=token))
            assert me == await data_of(client.post("/login", headers=token))
    older = "/v1/admin/users/auth"
    assert (await data_of(client.post(older, json=GOOD)))["authToken"] == me["authToken"]
    await assert_error(client.post(older, json={}), errors.KEY_MISSING)


async def test_every_device_logs_in_with_a_token_of_its_own_which_lasts(client: Client) -> None:
    phone = await data_of(post_login(client, **GOOD, deviceId="phone"))
    laptop = await data_of(post_login(client, **GOOD, deviceId="laptop"))
    again = await data_of(post_login(client, **GOOD, deviceId="phone"))

    assert phone["authToken"] == again["authToken"] != laptop["authToken"]


# --- what is refused, in this order ---------------------------------------------------------
_REFUSALS: list[tuple[str, Json, errors.ErrorDef]] = [
    ("nothing", {}, errors.KEY_MISSING),
    ("no key", {"uid": "superhero1"}, errors.KEY_MISSING),
    ("a blank key", {"uid": "superhero1", "authKey": " "}, errors.KEY_MISSING),
    ("a key that is no text", {"uid": "superhero1", "authKey": {}}, errors.KEY_MISSING),
    ("a null key", {"uid": "superhero1", "authKey": None}, errors.KEY_MISSING),
    ("an unknown key", {"uid": "superhero1", "authKey": "nope"}, errors.KEY_UNKNOWN),
    ("no key and a bad uid", {"uid": "a b"}, errors.KEY_MISSING),
    ("an unknown key and a bad uid", {"uid": "a b", "authKey": "nope"}, errors.KEY_UNKNOWN),
    ("an unknown key and uid", {"uid": "nobody", "authKey": "nope"}, errors.KEY_UNKNOWN),
    ("no uid", {"authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("a null uid", {"uid": None, "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("an empty uid", {"uid": "", "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("a blank uid", {"uid": " ", "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("too long a uid", {"uid": "u" * 101, "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("a strange uid", {"uid": "ü", "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("a uid that is no text", {"uid": {}, "authKey": "AUTH_KEY"}, errors.UID_INVALID),
    ("a uid with a space", {"uid": "a b", "authKey": "AUTH_KEY"}, errors.UID_WITH_SPACE),
    ("an unknown uid", {"uid": "nobody", "authKey": "AUTH_KEY"}, errors.UID_NOT_FOUND),
    ("an empty token", {"authToken": ""}, errors.AUTH_TOKEN_MISSING),
    ("a null token", {"authToken": None}, errors.AUTH_TOKEN_MISSING),
    ("a blank token", {"authToken": " \t"}, errors.AUTH_TOKEN_MISSING),
    ("a token with a space", {"authToken": "a b"}, errors.AUTH_TOKEN_WITH_SPACE),
    ("a token with another space", {"authToken": "a\u00a0b"}, errors.AUTH_TOKEN_WITH_SPACE),
    ("an unknown token", {"authToken": "a_1"}, errors.AUTH_TOKEN_UNKNOWN),
]


async def test_a_login_is_refused_for_what_comes_first(client: Client) -> None:
    for name, body, row in _REFUSALS:
        for dialect in DIALECTS:
            with telling(name=name, dialect=dialect):
                await assert_error(post_login(client, dialect, **body), row, dialect)


async def test_no_deactivated_user_or_expired_token_logs_in(serve: Serve, clock: Clock) -> None:
    client = await serve(token_ttl=60.0)
    token = await issue_token(client, "superhero2")
    clock.advance(60)

    request = post_login(client, authToken=token)
    await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)
    await data_of(client.delete("/users/superhero1", headers=REST_KEY))
    await assert_error(post_login(client, **GOOD), errors.UID_NOT_FOUND, uid="superhero1")


async def test_a_single_use_token_logs_in_one_device_only(serve: Serve) -> None:
    client = await serve(tokens="single-use")
    token = await issue_token(client, "superhero1")
    await data_of(post_login(client, authToken=token, deviceId="phone"))

    for device in ({"deviceId": "laptop"}, {}):
        second = post_login(client, authToken=token, **device)
        await assert_error(second, errors.AUTH_TOKEN_BOUND, token=token)
    await data_of(post_login(client, authToken=token, deviceId="phone"))  # a restart of the app


async def test_a_single_use_token_without_a_device_logs_in_once_and_serves_on(serve: Serve) -> None:
    client = await serve(tokens="single-use")
    token = await issue_token(client, "superhero1")

    async def rename() -> None:
        await data_of(client.put("/me", json={"name": "Tony"}, headers=by_token(token)))

    await rename()  # is no login

    await data_of(post_login(client, authToken=token))

    await rename()
    for second in (post_login(client, authToken=token), client.put("/me", headers=by_token(token))):
        await assert_error(second, errors.AUTH_TOKEN_BOUND, token=token)
    assert (await data_of(client.get("/me", headers=by_token(token))))["name"] == "Tony"


# --- in progress ----------------------------------------------------------------------------
_TWO = {**GOOD, "uid": "superhero2"}
_WEB = {"resource": "WEB-1"}
Fired = tuple[dict[str, str], dict[str, str]]  # body and headers
# What two logins that are fired together are answered with.
_TOGETHER: dict[str, tuple[Fired, Fired, list[int]]] = {
    "the same login": ((GOOD, {}), (GOOD, {}), [200, 409]),
    "the uid's case does not count": ((GOOD, {}), ({**GOOD, "uid": "SUPERHERO1"}, {}), [200, 409]),
    "different uids": ((GOOD, {}), (_TWO, {}), [200, 200]),
    "one uid on two devices": (
        ({**GOOD, "deviceId": "phone"}, {}),
        ({**GOOD, "deviceId": "laptop"}, {}),
        [200, 200],
    ),
    "two uids on one device": (
        ({**GOOD, "deviceId": "d"}, {}),
        ({**_TWO, "deviceId": "d"}, {}),
        [200, 409],
    ),
    "two uids, the device by header": ((GOOD, _WEB), (_TWO, _WEB), [200, 409]),
    "a wrong key": ((GOOD, {}), ({**GOOD, "authKey": "nope"}, {}), [200, 401]),
    "two apps": ((GOOD, {"appId": "a"}), (GOOD, {"appId": "b"}), [200, 200]),
}


@each_row("case", _TOGETHER)
async def test_a_device_or_else_a_uid_logs_in_once_at_a_time(serve: Serve, case: str) -> None:
    client = await serve(login_latency=LATENCY)
    *fired, statuses = _TOGETHER[case]

    answers = await asyncio.gather(
        *(client.post("/login", json=body, headers=headers) for body, headers in fired)
    )

    assert sorted(answer.status for answer in answers) == statuses
    for answer in answers:
        if answer.status == 409:
            assert (await answer.json())["error"]["code"] == "ERROR_LOGIN_IN_PROGRESS"


async def test_after_the_collision_a_login_succeeds_or_is_refused_as_ever(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)
    token = await issue_token(client, "superhero2")
    unknown = {"uid": "nobody", "authKey": "AUTH_KEY"}
    fired = [GOOD, GOOD, unknown, unknown, {"authToken": token}, {"authToken": token}]

    answers = await asyncio.gather(*(post_login(client, "live", **body) for body in fired))

    assert sorted(answer.status for answer in answers) == [200, 200, 404, 409, 409, 409]
    for answer in answers:
        if answer.status == 409:
            assert (await answer.json())["error"]["code"] == "ERROR_LOGIN_IN_PROGRESS"
    assert (await data_of(post_login(client, **GOOD)))["uid"] == "SUPERHERO1"
    await assert_error(post_login(client, **unknown), errors.UID_NOT_FOUND, uid="nobody")


# --- GET /login -----------------------------------------------------------------------------
async def test_the_logged_in_user_is_shown_and_nobody_is_null(client: Client) -> None:
    me = await data_of(post_login(client, **GOOD))

    user = await data_of(client.get("/login", headers=by_token(me["authToken"])))

    assert (user["uid"], user["name"]) == ("SUPERHERO1", "Iron Man")
    for headers in ({}, {"authToken": ""}, {"authToken": "nope"}):
        assert await body_of(client.get("/login", headers=headers)) == {"data": None}, headers


# --- logout ---------------------------------------------------------------------------------
_LOGOUTS = ["POST /logout header", "POST /logout body", "DELETE /login header"]
_LOGOUTS += ["DELETE /login body", "DELETE /admin/users/auth/{token} path"]


async def log_out(client: Client, way: str, token: str, dialect: str = "documented") -> Any:
    method, path, place = way.split()
    headers = {"X-Mock-Errors": dialect} | (by_token(token) if place == "header" else {})
    body = {"authToken": token} if place == "body" else None
    return await client.request(method, path.format(token=token), json=body, headers=headers)


async def test_a_logout_destroys_the_token_and_a_second_one_finds_nobody(client: Client) -> None:
    ended = ""
    for way in _LOGOUTS:
        with telling(way=way):
            token = (await data_of(post_login(client, **GOOD)))["authToken"]
            assert token != ended

            ack = await data_of(log_out(client, way, token))

            assert ack == {"success": True, "message": "User logged out successfully."}
            late = client.put("/me", headers=by_token(token))
            await assert_error(late, errors.AUTH_TOKEN_UNKNOWN, token=token)
            for dialect in DIALECTS:
                again = log_out(client, way, token, dialect)
                await assert_error(again, errors.NOT_LOGGED_IN, dialect, token=token)
            ended = token


async def test_a_logout_without_a_token_finds_nobody_logged_in(client: Client) -> None:
    blanks: list[Json] = ["", None, []]
    for body in (None, {}, *({"authToken": blank} for blank in blanks)):
        for dialect in DIALECTS:
            request = client.post("/logout", json=body, headers={"X-Mock-Errors": dialect})
            with telling(body=body, dialect=dialect):
                await assert_error(request, errors.NOT_LOGGED_IN, dialect)
