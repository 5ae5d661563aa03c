"""Users deleted, deactivated and reactivated (reference section 5)."""

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
)

PERMANENT = {"permanent": True}
FLAGS = [True, "true", "1", 1]


async def delete(client: Client, uid: str, body: object = None) -> Json:
    return await data_of(client.delete(f"/users/{uid}", json=body, headers=REST_KEY))


async def deactivate(client: Client, *uids: str) -> Json:
    body = {"uidsToDeactivate": uids}
    return await data_of(client.delete("/users", json=body, headers=REST_KEY))


async def reactivate(client: Client, *uids: str) -> Json:
    body = {"uidsToActivate": uids}
    return await data_of(client.put("/users", json=body, headers=REST_KEY))


# --- one user -------------------------------------------------------------------------------
@each_row("flag", FLAGS)
async def test_a_permanent_deletion_is_acknowledged(client: Client, flag: object) -> None:
    data = await delete(client, "superhero1", {"permanent": flag})

    assert data == {
        "success": True,
        "message": "User with UID SUPERHERO1 has been deleted successfully.",
    }


async def test_a_deleted_user_is_gone(client: Client) -> None:
    await delete(client, "superhero1", PERMANENT)

    await assert_error(
        client.get("/users/superhero1", headers=REST_KEY), errors.UID_NOT_FOUND, uid="superhero1"
    )


async def test_a_deleted_user_s_uid_is_free_again(client: Client, clock: Clock) -> None:
    await delete(client, "superhero1", PERMANENT)
    clock.advance(5)

    assert (await create_user(client, "superhero1"))["createdAt"] == NOW + 5


@each_row("body", [None, {}, [], {"permanent": False}, {"permanent": "false"}, {"permanent": None}])
async def test_a_deletion_deactivates_unless_it_is_permanent(client: Client, body: object) -> None:
    assert await delete(client, "superhero1", body) == {"deactivatedUids": ["SUPERHERO1"]}


async def test_a_deletion_needs_no_body(client: Client) -> None:
    deletion = client.delete("/users/superhero1", headers=REST_KEY)

    assert await data_of(deletion) == {"deactivatedUids": ["SUPERHERO1"]}


@each_row("body", [{}, PERMANENT])
async def test_deleting_a_user_revokes_its_tokens(client: Client, body: dict[str, Any]) -> None:
    token = await issue_token(client, "superhero1")

    await delete(client, "superhero1", body)

    await assert_error(
        client.get("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN, token=token
    )


async def test_an_unknown_user_cannot_be_deleted(client: Client) -> None:
    deletion = client.delete("/users/NoBody", json=PERMANENT, headers=REST_KEY)

    await assert_error(deletion, errors.UID_NOT_FOUND, uid="nobody")


async def test_a_second_permanent_deletion_finds_nobody(client: Client) -> None:
    await delete(client, "superhero1", PERMANENT)

    deletion = client.delete("/users/superhero1", json=PERMANENT, headers=REST_KEY)

    await assert_error(deletion, errors.UID_NOT_FOUND, uid="superhero1")


async def test_a_deactivated_user_can_still_be_deleted_for_good(client: Client) -> None:
    # The refusal of a taken uid tells to do just that (reference section 9.1).
    await delete(client, "superhero1")

    await delete(client, "superhero1", PERMANENT)

    assert (await create_user(client, "superhero1"))["uid"] == "superhero1"


@each_row(
    ("method", "path"),
    [
        ("GET", "/users/superhero1"),
        ("PUT", "/users/superhero1"),
        ("POST", "/users/superhero1/auth_tokens"),
        ("GET", "/users/superhero1/auth_tokens"),
    ],
)
async def test_a_deactivated_user_is_as_good_as_unknown(
    client: Client, method: str, path: str
) -> None:
    await delete(client, "superhero1")

    request = client.request(method, path, headers=REST_KEY)

    await assert_error(request, errors.UID_NOT_FOUND, uid="superhero1")


# --- many users -----------------------------------------------------------------------------
async def test_deactivating_many_tells_what_became_of_each(client: Client) -> None:
    await deactivate(client, "superhero1")

    data = await deactivate(client, "Superhero2", "superhero1", "InvalidUserUID")

    assert data == {
        "deactivatedUids": ["SUPERHERO2"],
        "alreadyDeactivatedUids": ["SUPERHERO1"],
        "notFound": ["InvalidUserUID"],
    }


async def test_deactivating_many_revokes_their_tokens(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    await deactivate(client, "superhero1", "superhero2")

    await assert_error(
        client.put("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN, token=token
    )


async def test_empty_lists_are_left_out_of_a_deactivation(client: Client) -> None:
    assert await deactivate(client, "superhero1") == {"deactivatedUids": ["SUPERHERO1"]}


async def test_reactivating_many_tells_what_became_of_each(client: Client) -> None:
    await deactivate(client, "superhero1")

    data = await reactivate(client, "superhero1", "superhero2", "InvalidUID")

    assert data == {
        "reactivatedUids": ["SUPERHERO1"],
        "nonDeactivatedUids": ["SUPERHERO2"],
        "notFound": ["InvalidUID"],
    }


async def test_reactivating_an_unknown_user_is_no_error(client: Client) -> None:
    assert await reactivate(client, "InvalidUID") == {"notFound": ["InvalidUID"]}


async def test_a_reactivated_user_is_as_before(client: Client) -> None:
    before = await create_user(client, "u1", avatar="https://a.example", tags=["t"])
    await deactivate(client, "u1")

    await reactivate(client, "u1")

    assert await get_user(client, "u1") == before


async def test_a_reactivated_user_s_old_tokens_stay_dead(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await deactivate(client, "superhero1")

    await reactivate(client, "superhero1")

    await assert_error(
        client.get("/me", headers=by_token(token)), errors.AUTH_TOKEN_UNKNOWN, token=token
    )


@each_row("body", [None, {}, [], {"uidsToDeactivate": []}])
async def test_deactivating_needs_uids(client: Client, body: object) -> None:
    details = await details_of(client.delete("/users", json=body, headers=REST_KEY))

    assert list(details) == ["uidsToDeactivate"]


@each_row("body", [None, {}, [], {"uidsToActivate": ""}])
async def test_reactivating_needs_uids(client: Client, body: object) -> None:
    details = await details_of(client.put("/users", json=body, headers=REST_KEY))

    assert list(details) == ["uidsToActivate"]


@each_row(("method", "path"), [("DELETE", "/users"), ("PUT", "/users")])
async def test_an_auth_key_may_not_deactivate_or_reactivate(
    client: Client, method: str, path: str
) -> None:
    await assert_error(client.request(method, path, headers=AUTH_KEY), errors.NO_ACCESS)
