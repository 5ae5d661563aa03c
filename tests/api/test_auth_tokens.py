"""Auth tokens: create, list, flush, get, update and delete (reference section 6)."""

import re

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, body_of, data_of, details_of, error_of
from tests.sessions import by_token, issue_token
from tests.values import AUTH_KEY, NOW, REST_KEY, Client, Json, Serve

TOKENS = "/users/superhero1/auth_tokens"


async def tokens_of(client: Client, uid: str, query: str = "") -> Json:
    return await body_of(client.get(f"/users/{uid}/auth_tokens{query}", headers=REST_KEY))


# --- create ---------------------------------------------------------------------------------
async def test_a_token_is_returned_again_while_it_is_valid(client: Client, clock: Clock) -> None:
    first = await data_of(client.post(TOKENS, headers=AUTH_KEY))
    assert list(first) == ["uid", "authToken", "createdAt"]
    assert (first["uid"], first["createdAt"]) == ("SUPERHERO1", NOW)
    assert re.fullmatch(rf"superhero1_{NOW}[0-9a-f]{{30}}", first["authToken"])
    await issue_token(client, "superhero2")
    clock.advance(3600)

    assert await data_of(client.post(TOKENS, headers=AUTH_KEY)) == first
    for force in (False, "false", "0", "", None):
        again = await issue_token(client, "superhero1", force=force)
        assert again == first["authToken"], force


async def test_force_mints_another_token_and_keeps_the_old(client: Client) -> None:
    flags = (None, True, "true", "1", 1)

    minted = [await issue_token(client, "superhero1", force=flag) for flag in flags]

    assert len(set(minted)) == 5
    for token in minted:
        await data_of(client.get(f"{TOKENS}/{token}", headers=REST_KEY))
    details = await details_of(client.post(TOKENS, json={"force": "maybe"}, headers=AUTH_KEY))
    assert list(details) == ["force"]


async def test_every_device_has_a_token_of_its_own(client: Client) -> None:
    phone = await issue_token(client, "superhero1", deviceId="phone")
    laptop = await issue_token(client, "superhero1", deviceId="laptop")

    assert phone != laptop
    assert await issue_token(client, "superhero1", deviceId="phone") == phone
    assert await issue_token(client, "superhero1", deviceId="laptop") == laptop


async def test_a_user_has_at_most_a_hundred_tokens(client: Client) -> None:
    minted = [await issue_token(client, "superhero1", force=True) for _ in range(101)]

    listed = (await tokens_of(client, "superhero1", "?perPage=1000"))["data"]

    assert [token["authToken"] for token in listed] == minted[:0:-1]
    await assert_error(
        client.get("/me", headers=by_token(minted[0])), errors.AUTH_TOKEN_UNKNOWN, token=minted[0]
    )


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


# --- list and flush -------------------------------------------------------------------------
async def test_tokens_are_listed_newest_first_and_no_cursor(client: Client, clock: Clock) -> None:
    def page(*data: Json) -> Json:
        counts = {"total": len(data), "count": len(data), "per_page": 100}
        return {
            "data": list(data),
            "meta": {"pagination": {**counts, "current_page": 1, "total_pages": 1}},
        }

    empty = await tokens_of(client, "superhero1")
    assert (empty["data"], empty["meta"]["pagination"]["total"]) == ([], 0)
    old = await issue_token(client, "superhero1")
    clock.advance(1)
    new = await issue_token(client, "superhero1", force=True)

    assert await tokens_of(client, "superhero1") == page(
        {"uid": "SUPERHERO1", "authToken": new, "createdAt": NOW + 1},
        {"uid": "SUPERHERO1", "authToken": old, "createdAt": NOW},
    )
    last = await tokens_of(client, "superhero1", "?perPage=1&page=2")
    assert [token["authToken"] for token in last["data"]] == [old]
    assert last["meta"]["pagination"]["total_pages"] == 2


async def test_flushing_ends_every_token_of_a_user_and_no_other_s(client: Client) -> None:
    tokens = [await issue_token(client, "superhero1", force=True) for _ in range(3)]
    other = await issue_token(client, "superhero2")

    ack = await data_of(client.delete(TOKENS, headers=REST_KEY))

    assert ack == {
        "success": True,
        "message": "Cleared Auth Tokens successfully for uid superhero1.",
    }
    for token in tokens:
        await error_of(client.get("/me", headers=by_token(token)), 401)
    await data_of(client.get("/me", headers=by_token(other)))


# --- one token ------------------------------------------------------------------------------
async def test_a_token_is_shown_to_its_user_alone(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    other = await issue_token(client, "superhero2")

    data = await data_of(client.get(f"{TOKENS}/{token}", headers=REST_KEY))

    assert data == {"uid": "SUPERHERO1", "authToken": token, "createdAt": NOW}
    for method in ("GET", "PUT", "DELETE"):
        request = client.request(method, f"{TOKENS}/nope", headers=REST_KEY)
        assert (await error_of(request, 404))["code"] == "ERR_AUTH_TOKEN_NOT_FOUND"
        request = client.request(method, f"{TOKENS}/{other}", headers=REST_KEY)
        expected = errors.AUTH_TOKEN_NOT_ACCESSIBLE
        await assert_error(request, expected, token=other, uid="superhero1")
        request = client.request(method, "/users/nobody/auth_tokens/x", headers=REST_KEY)
        await assert_error(request, errors.UID_NOT_FOUND, uid="nobody")
    request = client.post("/users/NoBody/auth_tokens", headers=AUTH_KEY)
    await assert_error(request, errors.UID_NOT_FOUND, uid="nobody")
    request = client.post("/users/nobody/auth_tokens", headers={"apikey": "wrong"})
    await assert_error(request, errors.KEY_UNKNOWN, key="wrong")


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
    unchanged: list[Json] = [[], {}, None]
    for nothing in unchanged:
        again = await data_of(client.put(f"{TOKENS}/{token}", json=nothing, headers=REST_KEY))
        assert again == data, nothing
    assert (await tokens_of(client, "superhero1"))["data"] == [data]


async def test_a_deleted_token_is_dead_and_the_next_one_new(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    ack = await data_of(client.delete(f"{TOKENS}/{token}", headers=REST_KEY))

    assert ack["success"] is True
    assert isinstance(ack["message"], str)
    await error_of(client.get("/me", headers=by_token(token)), 401)
    await assert_error(client.delete(f"{TOKENS}/{token}", headers=REST_KEY), errors.TOKEN_NOT_FOUND)
    assert await issue_token(client, "superhero1") != token


# --- lifetime -------------------------------------------------------------------------------
async def test_a_token_dies_when_its_time_is_up(serve: Serve, clock: Clock) -> None:
    client, eternal = await serve(token_ttl=60.0), await serve()
    old = await issue_token(client, "superhero1")
    other = await issue_token(eternal, "superhero1")

    clock.advance(59)
    await data_of(client.get("/me", headers=by_token(old)))
    clock.advance(1)

    request = client.get("/me", headers=by_token(old))
    await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=old)
    new = await issue_token(client, "superhero1")
    listed = (await tokens_of(client, "superhero1"))["data"]
    assert [token["authToken"] for token in listed] == [new] != [old]
    clock.advance(10 * 365 * 24 * 3600)
    await data_of(eternal.get("/me", headers=by_token(other)))


# --- single use -----------------------------------------------------------------------------
async def test_a_single_use_token_belongs_to_its_first_device(serve: Serve) -> None:
    """A refused device changes nothing; a reusable token logs any device in."""
    client, reusable = await serve(tokens="single-use"), await serve()
    assert len({await issue_token(client, "superhero1", deviceId="d") for _ in range(3)}) == 3
    other = await issue_token(reusable, "superhero1")
    headers = by_token(await issue_token(client, "superhero1"))
    await data_of(client.put("/me", json={"deviceId": "phone"}, headers=headers))

    body = {"deviceId": "laptop", "name": "Mallory", "platform": "evil"}
    error = await error_of(client.put("/me", json=body, headers=headers), 401)

    assert error["code"] == "ERR_AUTHTOKEN_UNAVAILABLE"
    await data_of(client.put("/me", json={"deviceId": "phone"}, headers=headers))
    assert (await data_of(client.get("/me", headers=headers)))["name"] == "Iron Man"
    for device in ("phone", "laptop"):
        await data_of(reusable.put("/me", json={"deviceId": device}, headers=by_token(other)))
