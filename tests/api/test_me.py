"""The logged-in user's own client: `/me` (sdk-wire sections 1.4 and 1.5)."""

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, data_of, details_of
from tests.helpers import create_user, get_user
from tests.sessions import by_token, issue_token, log_in
from tests.values import NOW, REST_KEY, Client, Json


async def update_me(client: Client, token: str, **body: Json) -> Json:
    return await data_of(client.put("/me", json=body, headers=by_token(token)))


# --- login ----------------------------------------------------------------------------------
async def test_a_login_answers_what_every_sdk_reads(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    me = await update_me(client, token, platform="IONIC", appInfo={"version": "4"}, deviceId="d")

    assert list(me) == [
        *("uid", "name", "avatar", "status", "role", "createdAt"),
        *("authToken", "jwt", "wsChannel", "settings"),
    ]
    told = {name: me[name] for name in ("uid", "name", "status", "role", "createdAt", "authToken")}
    assert told == {
        "uid": "SUPERHERO1",
        "name": "Iron Man",
        "status": "online",
        "role": "default",
        "createdAt": NOW,
        "authToken": token,
    }
    assert [bool(part) for part in me["jwt"].split(".")] == [True, True, True]
    # The login is noted on the token, and is no update of the user.
    path = f"/users/superhero1/auth_tokens/{token}"
    shown = await data_of(client.get(path, headers=REST_KEY))
    assert (shown["platform"], shown["appInfo"]) == ("IONIC", '{"version":"4"}')
    assert "updatedAt" not in await get_user(client, "superhero1")


async def test_the_channel_s_secret_is_the_user_s_own_and_lasts(client: Client) -> None:
    first = await log_in(client, "superhero1")
    again = await log_in(client, "superhero1", force=True)
    other = await log_in(client, "superhero2")

    assert first["wsChannel"]["identity"] == "[APP_ID]superhero1"
    assert isinstance(first["wsChannel"]["secret"], str)
    assert first["wsChannel"] == again["wsChannel"]
    assert "" != first["wsChannel"]["secret"] != other["wsChannel"]["secret"]


async def test_a_login_needs_no_body_and_the_old_way_is_get_me(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    me = await update_me(client, token)

    for body in (b"", b"{}", b"[]", b"null"):
        assert await data_of(client.put("/me", data=body, headers=by_token(token))) == me, body
    for name in ("authToken", "authtoken", "AUTHTOKEN"):
        assert await data_of(client.get("/me", headers={name: token})) == me, name


# --- changing oneself -----------------------------------------------------------------------
async def test_a_user_changes_its_own_profile(client: Client, clock: Clock) -> None:
    token = await issue_token(client, "superhero1")
    clock.advance(9)

    me = await update_me(client, token, name="Tony", statusMessage="hi", tags=["a"])

    assert (me["name"], me["statusMessage"], me["tags"]) == ("Tony", "hi", ["a"])
    assert me["updatedAt"] == NOW + 9
    assert (await get_user(client, "superhero1"))["name"] == "Tony"


async def test_a_user_unsets_its_own_fields(client: Client) -> None:
    full = {"avatar": "https://a.example", "link": "https://l.example", "metadata": {"a": 1}}
    await create_user(client, "u1", **full, tags=["t"])
    me = await log_in(client, "u1")
    assert (me["tags"], me["metadata"]) == (["t"], {"a": 1})

    for field in full:
        assert field in me
        me = await update_me(client, me["authToken"], unset=[field])
        assert field not in me


async def test_a_user_s_own_changes_are_checked_and_change_not_who_it_is(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    refused: list[tuple[Json, str]] = [
        ({"name": ""}, "name"),
        ({"avatar": "x"}, "avatar"),
        ({"tags": [" "]}, "tags.0"),
    ]
    for body, field in refused:
        request = client.put("/me", json=body, headers=by_token(token))
        assert list(await details_of(request)) == [field], body

    me = await update_me(client, token, role="admin", uid="other", authToken="x")

    assert (me["uid"], me["role"], me["authToken"]) == ("SUPERHERO1", "default", token)


# --- logout ---------------------------------------------------------------------------------
async def test_a_logout_destroys_the_token_and_no_other_device_s(client: Client) -> None:
    phone = await issue_token(client, "superhero1", deviceId="phone")
    laptop = await issue_token(client, "superhero1", deviceId="laptop")

    ack = await data_of(client.delete("/me", headers=by_token(phone)))

    assert ack == {"success": True, "message": "User logged out successfully."}
    for method in ("PUT", "GET", "DELETE"):
        late = client.request(method, "/me", headers=by_token(phone))
        await assert_error(late, errors.AUTH_TOKEN_UNKNOWN, token=phone)
    assert (await update_me(client, laptop))["authToken"] == laptop
    headers = {**by_token(laptop), "Content-Type": "application/x-www-form-urlencoded"}
    ack = await data_of(client.delete("/me", data=b"", headers=headers))  # as Android does
    assert ack["success"] is True
