"""Login and logout in one request, with the codes of product 3.1 in their order."""

import asyncio
from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.helpers import (
    AUTH_KEY,
    REST_KEY,
    Client,
    Json,
    Serve,
    assert_error,
    body_of,
    by_token,
    data_of,
    each_row,
    error_of,
    issue_token,
)

DIALECTS = ["documented", "live"]
GOOD = {"uid": "superhero1", "authKey": "AUTH_KEY"}
LATENCY = 0.1  # long enough that two logins fired together meet on any machine


def post_login(client: Client, dialect: str = "documented", **body: Json) -> Any:
    return client.post("/login", json=body, headers={"X-Mock-Errors": dialect})


# --- POST /login ----------------------------------------------------------------------------
@each_row(
    ("body", "headers"),
    [
        ({"uid": "superhero1", "authKey": "AUTH_KEY"}, {}),
        ({"uid": "SuperHero1", "apiKey": "API_KEY"}, {}),
        ({"uid": "superhero1", "apiKey": "REST_API_KEY"}, {}),
        ({"uid": "superhero1"}, AUTH_KEY),
        ({"uid": "superhero1"}, {"apiKey": "REST_API_KEY"}),
    ],
)
async def test_a_uid_and_a_key_log_in(
    client: Client, body: dict[str, str], headers: dict[str, str]
) -> None:
    me = await data_of(client.post("/login", json=body, headers=headers))

    assert me["uid"] == "SUPERHERO1"
    assert me == await data_of(client.put("/me", headers=by_token(me["authToken"])))


@each_row("way", ["body", "header"])
async def test_an_auth_token_logs_in(client: Client, way: str) -> None:
    token = await issue_token(client, "superhero1")
    body, headers = ({"authToken": token}, {}) if way == "body" else ({}, by_token(token))

    me = await data_of(client.post("/login", json=body, headers=headers))

    assert me["authToken"] == token


async def test_a_second_login_returns_the_valid_token_again(client: Client) -> None:
    first = await data_of(post_login(client, **GOOD))

    assert (await data_of(post_login(client, **GOOD)))["authToken"] == first["authToken"]


async def test_every_device_logs_in_with_a_token_of_its_own(client: Client) -> None:
    phone = await data_of(post_login(client, **GOOD, deviceId="phone"))
    laptop = await data_of(post_login(client, **GOOD, deviceId="laptop"))

    assert phone["authToken"] != laptop["authToken"]


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
    ("an unknown token", {"authToken": "a_1"}, errors.AUTH_TOKEN_UNKNOWN),
]


@each_row(("body", "row"), [row[1:] for row in _REFUSALS])
async def test_a_login_is_refused_for_what_comes_first(
    client: Client, body: dict[str, Json], row: errors.ErrorDef
) -> None:
    for dialect in DIALECTS:
        await assert_error(post_login(client, dialect, **body), row, dialect)


async def test_a_deactivated_user_cannot_log_in(client: Client) -> None:
    await data_of(client.delete("/users/superhero1", headers=REST_KEY))

    await assert_error(post_login(client, **GOOD), errors.UID_NOT_FOUND, uid="superhero1")


async def test_a_single_use_token_logs_in_one_device_only(serve: Serve) -> None:
    client = await serve(tokens="single-use")
    token = await issue_token(client, "superhero1")
    await data_of(post_login(client, authToken=token, deviceId="phone"))

    second = post_login(client, authToken=token, deviceId="laptop")

    await assert_error(second, errors.AUTH_TOKEN_BOUND, token=token)


async def test_an_expired_token_does_not_log_in(serve: Serve, clock: Clock) -> None:
    client = await serve(token_ttl=60.0)
    token = await issue_token(client, "superhero1")
    clock.advance(60)

    await assert_error(post_login(client, authToken=token), errors.AUTH_TOKEN_UNKNOWN, token=token)


# --- in progress ----------------------------------------------------------------------------
@each_row("dialect", DIALECTS)
async def test_of_two_logins_fired_together_one_is_in_progress(serve: Serve, dialect: str) -> None:
    client = await serve(login_latency=LATENCY)

    answers = await asyncio.gather(*(post_login(client, dialect, **GOOD) for _ in range(2)))

    assert sorted(answer.status for answer in answers) == [200, 409]
    refused = max(answers, key=lambda answer: answer.status)
    assert (await refused.json())["error"]["code"] == "ERROR_LOGIN_IN_PROGRESS"


async def test_a_login_after_the_collision_succeeds(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)
    await asyncio.gather(post_login(client, **GOOD), post_login(client, **GOOD))

    assert (await data_of(post_login(client, **GOOD)))["uid"] == "SUPERHERO1"


async def test_a_refused_login_is_over_too(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)
    unknown = {"uid": "nobody", "authKey": "AUTH_KEY"}
    await asyncio.gather(post_login(client, **unknown), post_login(client, **unknown))

    await assert_error(post_login(client, **unknown), errors.UID_NOT_FOUND, uid="nobody")


_TOGETHER: list[tuple[str, list[dict[str, str]], list[int]]] = [
    ("the uid's case does not count", [GOOD, {**GOOD, "uid": "SUPERHERO1"}], [200, 409]),
    ("different uids", [GOOD, {**GOOD, "uid": "superhero2"}], [200, 200]),
    (
        "one uid on two devices",
        [{**GOOD, "deviceId": "phone"}, {**GOOD, "deviceId": "laptop"}],
        [200, 200],
    ),
    (
        "two uids on one device",
        [{**GOOD, "deviceId": "d"}, {**GOOD, "uid": "superhero2", "deviceId": "d"}],
        [200, 409],
    ),
]


@each_row(("bodies", "statuses"), [row[1:] for row in _TOGETHER])
async def test_a_device_or_else_a_uid_logs_in_once_at_a_time(
    serve: Serve, bodies: list[dict[str, str]], statuses: list[int]
) -> None:
    client = await serve(login_latency=LATENCY)

    answers = await asyncio.gather(*(post_login(client, **body) for body in bodies))

    assert sorted(answer.status for answer in answers) == statuses


async def test_the_resource_header_names_the_device_too(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)

    answers = await asyncio.gather(
        *(
            client.post("/login", json={**GOOD, "uid": uid}, headers={"resource": "WEB-1"})
            for uid in ("superhero1", "superhero2")
        )
    )

    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_one_token_logs_in_once_at_a_time(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)
    token = await issue_token(client, "superhero1")

    answers = await asyncio.gather(*(post_login(client, authToken=token) for _ in range(2)))

    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_what_is_wrong_with_a_login_is_told_while_another_runs(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)

    good, bad = await asyncio.gather(
        post_login(client, **GOOD), post_login(client, **{**GOOD, "authKey": "nope"})
    )

    assert (good.status, bad.status) == (200, 401)


async def test_logins_in_two_apps_do_not_meet(serve: Serve) -> None:
    client = await serve(login_latency=LATENCY)

    answers = await asyncio.gather(
        *(client.post("/login", json=GOOD, headers={"appId": app}) for app in ("a", "b"))
    )

    assert [answer.status for answer in answers] == [200, 200]


# --- GET /login -----------------------------------------------------------------------------
async def test_the_logged_in_user_is_shown(client: Client) -> None:
    me = await data_of(post_login(client, **GOOD))

    user = await data_of(client.get("/login", headers=by_token(me["authToken"])))

    assert user["uid"] == "SUPERHERO1"
    assert user["name"] == "Iron Man"


@each_row("headers", [{}, {"authToken": ""}, {"authToken": "nope"}])
async def test_nobody_logged_in_is_null(client: Client, headers: dict[str, str]) -> None:
    assert await body_of(client.get("/login", headers=headers)) == {"data": None}


# --- logout ---------------------------------------------------------------------------------
_LOGOUTS = ["POST /logout header", "POST /logout body", "DELETE /login header"]
_LOGOUTS += ["DELETE /login body", "DELETE /admin/users/auth/{token} path"]


async def log_out(client: Client, way: str, token: str, dialect: str = "documented") -> Any:
    method, path, place = way.split()
    headers = {"X-Mock-Errors": dialect} | (by_token(token) if place == "header" else {})
    body = {"authToken": token} if place == "body" else None
    return await client.request(method, path.format(token=token), json=body, headers=headers)


@each_row("way", _LOGOUTS)
async def test_a_logout_destroys_the_token(client: Client, way: str) -> None:
    token = (await data_of(post_login(client, **GOOD)))["authToken"]

    ack = await data_of(log_out(client, way, token))

    assert ack == {"success": True, "message": "User logged out successfully."}
    await assert_error(
        client.put("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN, token=token
    )


@each_row("dialect", DIALECTS)
@each_row("way", _LOGOUTS)
async def test_a_second_logout_finds_nobody_logged_in(
    client: Client, way: str, dialect: str
) -> None:
    token = (await data_of(post_login(client, **GOOD)))["authToken"]
    await data_of(log_out(client, way, token))

    again = log_out(client, way, token, dialect)

    await assert_error(again, errors.NOT_LOGGED_IN, dialect, token=token)


@each_row("dialect", DIALECTS)
@each_row("body", [None, {}, {"authToken": ""}, {"authToken": None}, {"authToken": []}])
async def test_a_logout_without_a_token_finds_nobody_logged_in(
    client: Client, body: object, dialect: str
) -> None:
    request = client.post("/logout", json=body, headers={"X-Mock-Errors": dialect})

    await assert_error(request, errors.NOT_LOGGED_IN, dialect)


async def test_after_a_logout_a_login_brings_a_new_token(client: Client) -> None:
    first = (await data_of(post_login(client, **GOOD)))["authToken"]
    await data_of(log_out(client, "POST /logout header", first))

    assert (await data_of(post_login(client, **GOOD)))["authToken"] != first


# --- the older names ------------------------------------------------------------------------
async def test_the_older_name_of_a_login(client: Client) -> None:
    me = await data_of(client.post("/v1/admin/users/auth", json=GOOD))

    assert me["authToken"]
    assert (await error_of(client.post("/v1/admin/users/auth", json={}), 401))["code"] == (
        "ERROR_API_KEY_NOT_FOUND"
    )
