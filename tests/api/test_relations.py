"""Friends and blocked users, by key and by token (reference section 8)."""

import json
from pathlib import Path
from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user
from tests.rows import each_row
from tests.sessions import by_token, issue_token
from tests.values import NOW, REST_KEY, Client, Json, Serve

FRIENDS, BLOCKED = "/users/superhero1/friends", "/users/superhero1/blockedusers"
PRIVATE = {"@private": {"pin": 1}, "pet": "cat"}


def uids(answer: Json) -> list[str]:
    return [user["uid"] for user in answer["data"]]


async def befriend(client: Client, *others: str) -> Json:
    body = {"accepted": others}
    return await data_of(client.post(FRIENDS, json=body, headers=REST_KEY))


async def block(client: Client, *others: str) -> Json:
    body = {"blockedUids": others}
    return await data_of(client.post(BLOCKED, json=body, headers=REST_KEY))


async def listed(client: Client, path: str, **headers: str) -> Json:
    return await body_of(client.get(path, headers=headers or REST_KEY))


async def seen_by(client: Client, viewer: str, uid: str) -> Json:
    """A user as another user's client sees it."""
    headers = by_token(await issue_token(client, viewer))
    return await data_of(client.get(f"/users/{uid}", headers=headers))


# --- friends --------------------------------------------------------------------------------
async def test_friends_are_made_one_by_one(client: Client) -> None:
    done = await befriend(client, "superhero2", "nobody")

    assert done == {
        "accepted": {
            "superhero2": {
                "success": True,
                "message": "Created relationship with status accepted.",
            },
            "nobody": {
                "success": False,
                "message": "The uid nobody does not exist, please make sure you have created a uid "
                "with uid nobody.",
            },
        }
    }


async def test_friendship_is_mutual_and_made_once(client: Client) -> None:
    await befriend(client, "superhero2")

    request = client.post(FRIENDS, json={"accepted": ["SUPERHERO2"]}, headers=REST_KEY)
    await assert_error(request, errors.ALREADY_FRIEND, uid="superhero2", fuid="superhero1")
    again = await befriend(client, "SUPERHERO2", "nobody")
    assert again["accepted"]["SUPERHERO2"] == {
        "success": False,
        "message": "The user with uid superhero2 is already friend of user with uid superhero1",
    }
    assert uids(await listed(client, FRIENDS)) == ["SUPERHERO2"]
    assert uids(await listed(client, "/users/superhero2/friends")) == ["SUPERHERO1"]
    token = await issue_token(client, "superhero2")
    assert uids(await listed(client, "/friends", authToken=token)) == ["SUPERHERO1"]


async def test_friends_are_searched_and_ended_by_hand_or_with_the_user(client: Client) -> None:
    await befriend(client, "superhero2", "superhero3", "superhero4")
    assert uids(await listed(client, f"{FRIENDS}?searchKey=spider")) == ["SUPERHERO3"]

    body = {"friends": ["SuperHero2", "nobody"]}
    ack = await data_of(client.delete(FRIENDS, json=body, headers=REST_KEY))
    permanent = {"permanent": True}
    await data_of(client.delete("/users/superhero4", json=permanent, headers=REST_KEY))

    assert ack == {"success": True, "message": "Deleted the friend relations succussfully"}
    assert uids(await listed(client, FRIENDS)) == ["SUPERHERO3"]
    assert uids(await listed(client, "/users/superhero2/friends")) == []


async def test_a_user_has_at_most_a_thousand_friends(serve: Serve, tmp_path: Path) -> None:
    others = [f"u{number}" for number in range(1001)]
    users: Json = [{"uid": "superhero1", "name": "x", "friends": others[:1000]}]
    users += [{"uid": uid, "name": "x"} for uid in others]
    (tmp_path / "many.json").write_text(json.dumps({"users": users}))
    client = await serve(fixture=(str(tmp_path / "many.json"),))

    one_more = client.post(FRIENDS, json={"accepted": ["u1000"]}, headers=REST_KEY)

    await assert_error(one_more, errors.QUOTA_REACHED, feature="Add Friend", quota=1000)


@each_row(
    ("path", "field", "body"),
    [
        (FRIENDS, "accepted", {}),
        (FRIENDS, "accepted", {"accepted": []}),
        (FRIENDS, "accepted", {"accepted": [f"u{number}" for number in range(26)]}),
        (BLOCKED, "blockedUids", {}),
        (BLOCKED, "blockedUids", {"blockedUids": "x"}),
        (BLOCKED, "blockedUids.1", {"blockedUids": ["u", " "]}),
    ],
)
async def test_uids_are_checked_and_nobody_is_related_to_itself(
    client: Client, path: str, field: str, body: dict[str, Any]
) -> None:
    assert list(await details_of(client.post(path, json=body, headers=REST_KEY))) == [field]
    request = client.post(FRIENDS, json={"accepted": ["Superhero1"]}, headers=REST_KEY)
    await assert_error(request, errors.SELF_FRIEND)
    request = client.post(BLOCKED, json={"blockedUids": ["Superhero1"]}, headers=REST_KEY)
    await assert_error(request, errors.SELF_BLOCK, uid="superhero1")


# --- blocked users --------------------------------------------------------------------------
async def test_users_are_blocked_and_unblocked_one_by_one(client: Client, clock: Clock) -> None:
    done = await block(client, "superhero2", "nobody")

    assert done["superhero2"] == {
        "success": True,
        "message": "The user with UID superhero1 has blocked user with UID superhero2 "
        "successfully.",
    }
    assert done["nobody"]["success"] is False
    clock.advance(5)
    assert (await block(client, "superhero2"))["superhero2"]["success"] is False
    answer = await listed(client, BLOCKED)
    user = answer["data"][0]
    assert user["blockedByMe"] is True
    assert user["blockedByMeAt"] == user["blockedAt"] == NOW
    assert user["conversationId"] == "superhero1_user_superhero2"
    assert answer["meta"]["cursor"] == {"updatedAt": NOW, "affix": "prepend"}

    body = {"blockedUids": ["superhero2", "superhero3"]}
    done = await data_of(client.delete(BLOCKED, json=body, headers=REST_KEY))

    assert done["superhero2"] == {
        "success": True,
        "message": "The user with UID superhero1 has unblocked user with UID superhero2 "
        "successfully.",
    }
    assert done["superhero3"]["success"] is False
    assert uids(await listed(client, BLOCKED)) == []


async def test_relation_lists_are_not_counted(client: Client) -> None:
    for number in range(25):
        await create_user(client, f"u{number}")
    await block(client, *(f"u{number}" for number in range(25)))

    pages = [
        (await listed(client, f"{BLOCKED}?perPage=5&page={page}"))["meta"]["pagination"]
        for page in range(1, 6)
    ]

    assert [page["total"] for page in pages] == [0] * 5
    assert [page["total_pages"] for page in pages] == [2, 3, 4, 5, 5]


async def test_blocked_users_are_listed_in_the_order_of_their_blocks(
    client: Client, clock: Clock
) -> None:
    for uid in ("u3", "u1", "u2"):
        await create_user(client, uid)
    await block(client, "u2", "u1")
    clock.advance(1)
    await block(client, "u3")

    assert uids(await listed(client, BLOCKED)) == ["u1", "u2", "u3"]


async def test_both_see_that_one_blocked_the_other(client: Client) -> None:
    await block(client, "superhero2")

    other = await seen_by(client, "superhero1", "superhero2")
    me = await seen_by(client, "superhero2", "superhero1")
    headers = {**REST_KEY, "onBehalfOf": "superhero1"}
    by_back_end = await data_of(client.get("/users/superhero2", headers=headers))

    assert other["blockedByMe"] is me["hasBlockedMe"] is True
    # As recorded, no flag is sent that is false.
    assert "hasBlockedMe" not in other
    assert {"blockedByMe", "blockedByMeAt"}.isdisjoint(me)
    assert other["conversationId"] == me["conversationId"] == "superhero1_user_superhero2"
    assert by_back_end["blockedByMe"] is True
    assert by_back_end["conversationId"] == "superhero1_user_superhero2"
    headers = {**REST_KEY, "onBehalfOf": "nobody"}  # whose eyes see nothing
    for path in ("/users", "/users/superhero2"):
        await assert_error(
            client.get(path, headers=headers), errors.ON_BEHALF_OF_NOT_FOUND, uid="nobody"
        )


# --- by token -------------------------------------------------------------------------------
async def test_a_client_blocks_and_lists_blocks_in_each_direction(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    mine, theirs = {"blockedUids": ["superhero2"]}, {"blockedUids": ["superhero1"]}

    done = await data_of(client.post("/blockedusers", json=mine, headers=by_token(token)))

    assert done["superhero2"]["success"] is True
    assert uids(await listed(client, BLOCKED)) == ["SUPERHERO2"]
    await data_of(client.post("/users/superhero3/blockedusers", json=theirs, headers=REST_KEY))
    for direction, expected in (
        ("", {"SUPERHERO2", "SUPERHERO3"}),
        ("both", {"SUPERHERO2", "SUPERHERO3"}),
        ("blockedByMe", {"SUPERHERO2"}),
        ("hasBlockedMe", {"SUPERHERO3"}),
    ):
        answer = await listed(client, f"/blockedusers?direction={direction}", authToken=token)
        assert set(uids(answer)) == expected, direction


# --- what is private ------------------------------------------------------------------------
async def test_private_metadata_is_shown_to_its_user_and_to_back_ends_alone(client: Client) -> None:
    await create_user(client, "u2", metadata={"@private": {"pin": 1}})
    created = await create_user(client, "u1", metadata=PRIVATE, withAuthToken=True)
    headers = by_token(created["authToken"])
    token = await issue_token(client, "superhero1")

    me = await data_of(client.get("/me", headers=headers))
    myself = await data_of(client.get("/users/u1", headers=headers))
    shown = await seen_by(client, "superhero1", "u1")
    in_list = (await listed(client, "/users?uids=u1", authToken=token))["data"][0]

    assert created["metadata"] == me["metadata"] == myself["metadata"] == PRIVATE
    assert shown["metadata"] == in_list["metadata"] == {"pet": "cat"}
    assert "metadata" not in await seen_by(client, "superhero1", "u2")
