"""Users deleted, deactivated and reactivated (reference section 5)."""

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, data_of, details_of
from tests.helpers import create_user, get_user
from tests.rows import each_row
from tests.sessions import by_token, issue_token
from tests.values import AUTH_KEY, NOW, REST_KEY, Client, Json

PERMANENT = {"permanent": True}


async def delete(client: Client, uid: str, body: object = None) -> Json:
    return await data_of(client.delete(f"/users/{uid}", json=body, headers=REST_KEY))


async def deactivate(client: Client, *uids: str) -> Json:
    body = {"uidsToDeactivate": uids}
    return await data_of(client.delete("/users", json=body, headers=REST_KEY))


async def reactivate(client: Client, *uids: str) -> Json:
    body = {"uidsToActivate": uids}
    return await data_of(client.put("/users", json=body, headers=REST_KEY))


# --- one user -------------------------------------------------------------------------------
@each_row("flag", [True, "true", "1", 1])
async def test_a_real_deletion_frees_the_uid(client: Client, clock: Clock, flag: object) -> None:
    data = await delete(client, "superhero1", {"permanent": flag})

    assert data == {
        "success": True,
        "message": "User with UID superhero1 has been deleted successfully.",
    }
    for request in (
        client.get("/users/superhero1", headers=REST_KEY),
        client.delete("/users/superhero1", json=PERMANENT, headers=REST_KEY),
    ):
        await assert_error(request, errors.UID_NOT_FOUND, uid="superhero1")
    clock.advance(5)
    assert (await create_user(client, "superhero1"))["createdAt"] == NOW + 5


async def test_a_deletion_deactivates_unless_it_is_permanent(client: Client) -> None:
    """It needs no body, but a user."""
    falsy: list[Json] = [None, {}, [], *({"permanent": no} for no in (False, "false", None))]
    for number, body in enumerate(falsy):
        await create_user(client, f"u{number}")
        assert await delete(client, f"u{number}", body) == {"deactivatedUids": [f"u{number}"]}, body
    deletion = client.delete("/users/superhero1", headers=REST_KEY)
    assert await data_of(deletion) == {"deactivatedUids": ["superhero1"]}
    unknown = client.delete("/users/NoBody", json=PERMANENT, headers=REST_KEY)
    await assert_error(unknown, errors.UID_NOT_FOUND, uid="nobody")


@each_row("end", ["delete", "permanently", "many", "and back"])
async def test_the_tokens_of_a_user_end_with_it_for_ever(client: Client, end: str) -> None:
    token = await issue_token(client, "superhero1")

    if end in ("delete", "permanently"):
        await delete(client, "superhero1", PERMANENT if end == "permanently" else {})
    else:
        await deactivate(client, "superhero1", "superhero2")
    if end == "and back":
        await reactivate(client, "superhero1")

    for method in ("GET", "PUT"):
        request = client.request(method, "/me", headers=by_token(token))
        await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)


async def test_a_deactivated_user_is_as_good_as_unknown_but_can_be_deleted(client: Client) -> None:
    await delete(client, "superhero1")

    for method, path in (
        ("GET", "/users/superhero1"),
        ("PUT", "/users/superhero1"),
        ("POST", "/users/superhero1/auth_tokens"),
        ("GET", "/users/superhero1/auth_tokens"),
    ):
        request = client.request(method, path, headers=REST_KEY)
        await assert_error(request, errors.UID_NOT_FOUND, uid="superhero1")
    # The refusal of a taken uid tells to do just that (reference section 9.1).
    await delete(client, "superhero1", PERMANENT)
    assert (await create_user(client, "superhero1"))["uid"] == "superhero1"


# --- many users -----------------------------------------------------------------------------
async def test_deactivating_many_tells_what_became_of_each(client: Client) -> None:
    assert await deactivate(client, "superhero1") == {"deactivatedUids": ["superhero1"]}

    data = await deactivate(client, "Superhero2", "superhero1", "InvalidUserUID")

    assert data == {
        "deactivatedUids": ["superhero2"],
        "alreadyDeactivatedUids": ["superhero1"],
        "notFound": ["InvalidUserUID"],
    }


async def test_reactivating_many_tells_what_became_of_each(client: Client) -> None:
    before = await create_user(client, "u1", avatar="https://a.example", tags=["t"])
    await deactivate(client, "u1")

    data = await reactivate(client, "u1", "superhero2", "InvalidUID")

    assert data == {
        "reactivatedUids": ["u1"],
        "nonDeactivatedUids": ["superhero2"],
        "notFound": ["InvalidUID"],
    }
    assert await reactivate(client, "InvalidUID") == {"notFound": ["InvalidUID"]}
    assert await get_user(client, "u1") == before


@each_row(
    ("method", "field", "empty"),
    [("DELETE", "uidsToDeactivate", []), ("PUT", "uidsToActivate", "")],
)
async def test_many_need_uids_and_a_key(
    client: Client, method: str, field: str, empty: object
) -> None:
    bodies: list[Json] = [None, {}, [], {field: empty}]
    for body in bodies:
        request = client.request(method, "/users", json=body, headers=REST_KEY)
        assert list(await details_of(request)) == [field], body
    await assert_error(client.request(method, "/users", headers=AUTH_KEY), errors.NO_ACCESS)
