"""Auth tokens: create, list, flush, get, update and delete (reference section 6)."""

import re

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.helpers import (
    AUTH_KEY,
    NOW,
    REST_KEY,
    Client,
    Json,
    Serve,
    assert_error,
    body_of,
    by_token,
    create_user,
    data_of,
    details_of,
    each_row,
    error_of,
    issue_token,
)

TOKENS = "/users/superhero1/auth_tokens"


async def tokens_of(client: Client, uid: str, query: str = "") -> Json:
    return await body_of(client.get(f"/users/{uid}/auth_tokens{query}", headers=REST_KEY))


# --- create ---------------------------------------------------------------------------------
async def test_a_created_token_has_the_recorded_form(client: Client) -> None:
    await create_user(client, "user_000")

    data = await data_of(client.post("/users/user_000/auth_tokens", headers=AUTH_KEY))

    assert list(data) == ["uid", "authToken", "createdAt"]
    assert data["uid"] == "user_000"
    assert data["createdAt"] == NOW
    assert re.fullmatch(rf"user_000_{NOW}[0-9a-f]{{30}}", data["authToken"])


async def test_a_token_is_returned_again_while_it_is_valid(client: Client, clock: Clock) -> None:
    first = await data_of(client.post(TOKENS, headers=AUTH_KEY))
    clock.advance(3600)

    assert await data_of(client.post(TOKENS, headers=AUTH_KEY)) == first


@each_row("force", [True, "true", "1", 1])
async def test_force_mints_another_token_and_keeps_the_old(client: Client, force: object) -> None:
    old = await issue_token(client, "superhero1")

    new = await issue_token(client, "superhero1", force=force)

    assert new != old
    await data_of(client.get(f"{TOKENS}/{old}", headers=REST_KEY))
    await data_of(client.get(f"{TOKENS}/{new}", headers=REST_KEY))


@each_row("force", [False, "false", "0", "", None])
async def test_without_force_no_second_token_is_minted(client: Client, force: object) -> None:
    old = await issue_token(client, "superhero1")

    assert await issue_token(client, "superhero1", force=force) == old


async def test_every_device_has_a_token_of_its_own(client: Client) -> None:
    phone = await issue_token(client, "superhero1", deviceId="phone")
    laptop = await issue_token(client, "superhero1", deviceId="laptop")

    assert phone != laptop
    assert await issue_token(client, "superhero1", deviceId="phone") == phone
    assert await issue_token(client, "superhero1", deviceId="laptop") == laptop


async def test_a_token_survives_a_second_token_of_another_user(client: Client) -> None:
    one = await issue_token(client, "superhero1")
    await issue_token(client, "superhero2")

    assert await issue_token(client, "superhero1") == one


async def test_a_user_has_at_most_a_hundred_tokens(client: Client) -> None:
    minted = [await issue_token(client, "superhero1", force=True) for _ in range(101)]

    listed = (await tokens_of(client, "superhero1", "?perPage=1000"))["data"]

    assert [token["authToken"] for token in listed] == minted[:0:-1]
    await assert_error(
        client.get("/me", headers=by_token(minted[0])),
        errors.AUTH_TOKEN_UNKNOWN,
        token=minted[0],
    )


async def test_an_unknown_user_gets_no_token(client: Client) -> None:
    request = client.post("/users/NoBody/auth_tokens", headers=AUTH_KEY)

    await assert_error(request, errors.UID_NOT_FOUND, uid="nobody")


async def test_the_key_is_checked_before_the_uid(client: Client) -> None:
    request = client.post("/users/nobody/auth_tokens", headers={"apikey": "wrong"})

    await assert_error(request, errors.KEY_UNKNOWN, key="wrong")


async def test_a_login_of_an_android_sdk_is_understood(client: Client) -> None:
    body = {
        "uid": "superhero1",
        "platform": "Android",
        "userAgent": "cc_android_sdk",
        "deviceId": "d",
        "appInfo": {"osVersion": "14", "version": "4.0", "apiVersion": "v3.0"},
    }
    headers = {**AUTH_KEY, "appid": "APP_ID", "sdk": "android@4.0.10"}

    token = (await data_of(client.post(TOKENS, json=body, headers=headers)))["authToken"]

    shown = await data_of(client.get(f"{TOKENS}/{token}", headers=REST_KEY))
    assert shown["platform"] == "Android"
    assert shown["userAgent"] == "cc_android_sdk"


async def test_force_must_be_a_boolean(client: Client) -> None:
    details = await details_of(client.post(TOKENS, json={"force": "maybe"}, headers=AUTH_KEY))

    assert list(details) == ["force"]


# --- list and flush -------------------------------------------------------------------------
async def test_tokens_are_listed_newest_first_without_a_cursor(
    client: Client, clock: Clock
) -> None:
    old = await issue_token(client, "superhero1")
    clock.advance(1)
    new = await issue_token(client, "superhero1", force=True)

    answer = await tokens_of(client, "superhero1")

    assert answer == {
        "data": [
            {"uid": "SUPERHERO1", "authToken": new, "createdAt": NOW + 1},
            {"uid": "SUPERHERO1", "authToken": old, "createdAt": NOW},
        ],
        "meta": {
            "pagination": {
                "total": 2,
                "count": 2,
                "per_page": 100,
                "current_page": 1,
                "total_pages": 1,
            }
        },
    }


async def test_tokens_are_listed_in_pages(client: Client) -> None:
    minted = [await issue_token(client, "superhero1", force=True) for _ in range(5)]

    answer = await tokens_of(client, "superhero1", "?perPage=2&page=3")

    assert [token["authToken"] for token in answer["data"]] == [minted[0]]
    assert answer["meta"]["pagination"]["total_pages"] == 3


async def test_a_user_without_tokens_has_an_empty_list(client: Client) -> None:
    answer = await tokens_of(client, "superhero1")

    assert answer["data"] == []
    assert answer["meta"]["pagination"]["total"] == 0


async def test_flushing_ends_every_token_of_a_user(client: Client) -> None:
    tokens = [await issue_token(client, "superhero1", force=True) for _ in range(3)]

    ack = await data_of(client.delete(TOKENS, headers=REST_KEY))

    assert ack == {
        "success": True,
        "message": "Cleared Auth Tokens successfully for uid SUPERHERO1.",
    }
    for token in tokens:
        await error_of(client.get("/me", headers=by_token(token)), 401)


async def test_flushing_leaves_other_users_alone(client: Client) -> None:
    token = await issue_token(client, "superhero2")

    await data_of(client.delete(TOKENS, headers=REST_KEY))

    await data_of(client.get("/me", headers=by_token(token)))


# --- one token ------------------------------------------------------------------------------
async def test_a_token_is_shown(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    data = await data_of(client.get(f"{TOKENS}/{token}", headers=REST_KEY))

    assert data == {"uid": "SUPERHERO1", "authToken": token, "createdAt": NOW}


@each_row("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_token_is_not_found(client: Client, method: str) -> None:
    error = await error_of(client.request(method, f"{TOKENS}/nope", headers=REST_KEY), 404)

    assert error == {
        "message": "Auth token does not exist.",
        "devMessage": "Auth token does not exist.",
        "source": "chat-api",
        "code": "ERR_AUTH_TOKEN_NOT_FOUND",
    }


@each_row("method", ["GET", "PUT", "DELETE"])
async def test_another_user_s_token_is_not_found(client: Client, method: str) -> None:
    token = await issue_token(client, "superhero2")

    request = client.request(method, f"{TOKENS}/{token}", headers=REST_KEY)

    await assert_error(request, errors.TOKEN_NOT_FOUND)


@each_row("method", ["GET", "PUT", "DELETE"])
async def test_a_token_of_an_unknown_user_is_asked_for_in_vain(client: Client, method: str) -> None:
    request = client.request(method, "/users/nobody/auth_tokens/x", headers=REST_KEY)

    await assert_error(request, errors.UID_NOT_FOUND, uid="nobody")


async def test_an_update_tells_about_the_token_s_client(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    body = {"platform": "web", "userAgent": "Mozilla", "appInfo": {"version": "1"}}

    data = await data_of(client.put(f"{TOKENS}/{token}", json=body, headers=REST_KEY))

    assert data == {
        "uid": "SUPERHERO1",
        "authToken": token,
        "createdAt": NOW,
        "platform": "web",
        "userAgent": "Mozilla",
        "appInfo": '{"version":"1"}',
    }
    assert (await tokens_of(client, "superhero1"))["data"] == [data]


@each_row("body", [[], {}, None])
async def test_an_update_without_changes_is_accepted(client: Client, body: object) -> None:
    token = await issue_token(client, "superhero1")

    data = await data_of(client.put(f"{TOKENS}/{token}", json=body, headers=REST_KEY))

    assert data["authToken"] == token


async def test_a_deleted_token_is_dead(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    ack = await data_of(client.delete(f"{TOKENS}/{token}", headers=REST_KEY))

    assert ack["success"] is True
    assert isinstance(ack["message"], str)
    await error_of(client.get("/me", headers=by_token(token)), 401)
    await assert_error(client.delete(f"{TOKENS}/{token}", headers=REST_KEY), errors.TOKEN_NOT_FOUND)


async def test_after_a_deletion_a_new_token_is_minted(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await data_of(client.delete(f"{TOKENS}/{token}", headers=REST_KEY))

    assert await issue_token(client, "superhero1") != token


# --- lifetime -------------------------------------------------------------------------------
async def test_a_token_dies_when_its_time_is_up(serve: Serve, clock: Clock) -> None:
    client = await serve(token_ttl=60.0)
    token = await issue_token(client, "superhero1")

    clock.advance(59)
    await data_of(client.get("/me", headers=by_token(token)))
    clock.advance(1)

    await assert_error(
        client.get("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN, token=token
    )


async def test_an_expired_token_is_neither_listed_nor_reused(serve: Serve, clock: Clock) -> None:
    client = await serve(token_ttl=60.0)
    old = await issue_token(client, "superhero1")
    clock.advance(60)

    new = await issue_token(client, "superhero1")
    listed = (await tokens_of(client, "superhero1"))["data"]

    assert new != old
    assert [token["authToken"] for token in listed] == [new]


async def test_tokens_live_for_ever_by_default(client: Client, clock: Clock) -> None:
    token = await issue_token(client, "superhero1")
    clock.advance(10 * 365 * 24 * 3600)

    await data_of(client.get("/me", headers=by_token(token)))


# --- single use -----------------------------------------------------------------------------
async def test_single_use_tokens_are_minted_at_every_create(serve: Serve) -> None:
    client = await serve(tokens="single-use")

    tokens = {await issue_token(client, "superhero1", deviceId="d") for _ in range(3)}

    assert len(tokens) == 3


async def test_a_single_use_token_belongs_to_its_first_device(serve: Serve) -> None:
    client = await serve(tokens="single-use")
    token = await issue_token(client, "superhero1")
    await data_of(client.put("/me", json={"deviceId": "phone"}, headers=by_token(token)))

    second = client.put("/me", json={"deviceId": "laptop"}, headers=by_token(token))

    error = await error_of(second, 401)
    assert error["code"] == "ERR_AUTHTOKEN_UNAVAILABLE"
    await data_of(client.put("/me", json={"deviceId": "phone"}, headers=by_token(token)))


async def test_a_refused_device_changes_nothing(serve: Serve) -> None:
    client = await serve(tokens="single-use")
    token = await issue_token(client, "superhero1")
    await data_of(client.put("/me", json={"deviceId": "phone"}, headers=by_token(token)))

    body = {"deviceId": "laptop", "name": "Mallory", "platform": "evil"}
    await error_of(client.put("/me", json=body, headers=by_token(token)), 401)

    assert (await data_of(client.get("/me", headers=by_token(token))))["name"] == "Iron Man"


async def test_reusable_tokens_log_any_device_in(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    for device in ("phone", "laptop"):
        await data_of(client.put("/me", json={"deviceId": device}, headers=by_token(token)))
