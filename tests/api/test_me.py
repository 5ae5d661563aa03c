"""The logged-in user's own client: `/me` (sdk-wire sections 1.4 and 1.5)."""

from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.helpers import (
    AUTH_KEY,
    NOW,
    REST_KEY,
    Client,
    Json,
    assert_error,
    by_token,
    create_user,
    data_of,
    details_of,
    each_row,
    get_user,
    issue_token,
    log_in,
)


async def update_me(client: Client, token: str, **body: Json) -> Json:
    return await data_of(client.put("/me", json=body, headers=by_token(token)))


# --- login ----------------------------------------------------------------------------------
async def test_a_login_answers_what_every_sdk_reads(client: Client) -> None:
    me = await log_in(client, "superhero1", platform="web", deviceId="d")

    assert list(me) == [
        *("uid", "name", "avatar", "status", "role", "createdAt"),
        *("authToken", "jwt", "wsChannel", "settings"),
    ]
    assert me["uid"] == "SUPERHERO1"
    assert me["name"] == "Iron Man"
    assert me["status"] == "online"
    assert me["role"] == "default"
    assert me["createdAt"] == NOW


async def test_a_login_echoes_the_very_token_it_came_with(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    assert (await update_me(client, token))["authToken"] == token


async def test_a_login_tells_the_websocket_channel(client: Client) -> None:
    me = await log_in(client, "superhero1")

    assert me["wsChannel"]["identity"] == "[APP_ID]SUPERHERO1"
    assert isinstance(me["wsChannel"]["secret"], str)
    assert me["wsChannel"]["secret"]


async def test_the_channel_s_secret_is_the_user_s_own_and_lasts(client: Client) -> None:
    first = await log_in(client, "superhero1")
    again = await log_in(client, "superhero1", force=True)
    other = await log_in(client, "superhero2")

    assert first["wsChannel"] == again["wsChannel"]
    assert first["wsChannel"]["secret"] != other["wsChannel"]["secret"]


async def test_a_login_brings_a_jwt_of_three_parts(client: Client) -> None:
    jwt = (await log_in(client, "superhero1"))["jwt"]

    assert [bool(part) for part in jwt.split(".")] == [True, True, True]


async def test_tags_and_metadata_come_with_a_login(client: Client) -> None:
    await create_user(client, "u1", tags=["t"], metadata={"a": 1})

    me = await log_in(client, "u1")

    assert me["tags"] == ["t"]
    assert me["metadata"] == {"a": 1}


async def test_a_login_does_not_count_as_an_update(client: Client) -> None:
    await log_in(client, "superhero1", platform="web", deviceId="d", appInfo={"version": "1"})

    assert "updatedAt" not in await get_user(client, "superhero1")


async def test_a_login_notes_the_client_on_the_token(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    await update_me(client, token, platform="IONIC", appInfo={"version": "4"}, deviceId="d")

    path = f"/users/superhero1/auth_tokens/{token}"
    shown = await data_of(client.get(path, headers=REST_KEY))
    assert shown["platform"] == "IONIC"
    assert shown["appInfo"] == '{"version":"4"}'


@each_row("body", [b"", b"{}", b"[]", b"null"])
async def test_a_login_needs_no_body(client: Client, body: bytes) -> None:
    token = await issue_token(client, "superhero1")

    me = await data_of(client.put("/me", data=body, headers=by_token(token)))

    assert me["authToken"] == token


async def test_the_old_way_to_log_in_is_get_me(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    me = await data_of(client.get("/me", headers=by_token(token)))

    assert me == await update_me(client, token)


# --- changing oneself -----------------------------------------------------------------------
async def test_a_user_changes_its_own_profile(client: Client, clock: Clock) -> None:
    token = await issue_token(client, "superhero1")
    clock.advance(9)

    me = await update_me(client, token, name="Tony", statusMessage="hi", tags=["a"])

    assert (me["name"], me["statusMessage"], me["tags"]) == ("Tony", "hi", ["a"])
    assert me["updatedAt"] == NOW + 9
    assert (await get_user(client, "superhero1"))["name"] == "Tony"


@each_row("field", ["avatar", "link", "metadata"])
async def test_a_user_unsets_its_own_fields(client: Client, field: str) -> None:
    full = {"avatar": "https://a.example", "link": "https://l.example", "metadata": {"a": 1}}
    await create_user(client, "u1", **full)
    token = await issue_token(client, "u1")

    me = await update_me(client, token, unset=[field])

    assert full.keys() - me.keys() == {field}


@each_row(
    ("body", "field"),
    [({"name": ""}, "name"), ({"avatar": "x"}, "avatar"), ({"tags": [" "]}, "tags.0")],
)
async def test_a_user_s_own_changes_are_checked(
    client: Client, body: dict[str, Any], field: str
) -> None:
    headers = by_token(await issue_token(client, "superhero1"))

    assert list(await details_of(client.put("/me", json=body, headers=headers))) == [field]


@each_row("change", [{"role": "admin"}, {"uid": "other"}, {"authToken": "x"}])
async def test_a_user_cannot_change_who_it_is(client: Client, change: dict[str, str]) -> None:
    token = await issue_token(client, "superhero1")

    me = await update_me(client, token, **change)

    assert (me["uid"], me["role"], me["authToken"]) == ("SUPERHERO1", "default", token)


# --- logout ---------------------------------------------------------------------------------
async def test_a_logout_is_acknowledged(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))

    ack = await data_of(client.delete("/me", headers=headers))

    assert ack == {"success": True, "message": "User logged out successfully."}


@each_row("method", ["PUT", "GET", "DELETE"])
async def test_a_logout_destroys_the_token(client: Client, method: str) -> None:
    token = await issue_token(client, "superhero1")
    await data_of(client.delete("/me", headers=by_token(token)))

    late = client.request(method, "/me", headers=by_token(token))

    await assert_error(late, errors.AUTH_TOKEN_UNKNOWN, token=token)


async def test_a_logout_leaves_the_user_s_other_devices_logged_in(client: Client) -> None:
    phone = await issue_token(client, "superhero1", deviceId="phone")
    laptop = await issue_token(client, "superhero1", deviceId="laptop")

    await data_of(client.delete("/me", headers=by_token(phone)))

    assert (await update_me(client, laptop))["authToken"] == laptop


async def test_a_logout_with_android_s_empty_form_is_fine(client: Client) -> None:
    headers = {
        **by_token(await issue_token(client, "superhero1")),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    assert (await data_of(client.delete("/me", data=b"", headers=headers)))["success"] is True


# --- who may ask ----------------------------------------------------------------------------
async def test_an_unknown_token_is_told_the_vendor_s_words(client: Client) -> None:
    request = client.put("/me", headers=by_token("superhero1_1"))

    await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token="superhero1_1")


async def test_a_key_is_no_login(client: Client) -> None:
    await assert_error(client.get("/me", headers=AUTH_KEY), errors.AUTH_TOKEN_MISSING)


@each_row("name", ["authToken", "authtoken", "AUTHTOKEN"])
async def test_the_token_s_header_may_be_in_any_case(client: Client, name: str) -> None:
    token = await issue_token(client, "superhero1")

    assert await data_of(client.get("/me", headers={name: token}))
