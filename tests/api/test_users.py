"""Users: get and update (reference section 5)."""

from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.helpers import (
    AUTH_KEY,
    NOW,
    REST_KEY,
    Client,
    assert_error,
    create_user,
    data_of,
    details_of,
    each_row,
    error_of,
    get_as_encoded,
    get_user,
)

AVATAR = "https://img.example/a.png"


# --- get ------------------------------------------------------------------------------------
async def test_an_unknown_user_is_not_found(client: Client) -> None:
    error = await error_of(client.get("/users/NoBody", headers=REST_KEY), 404)

    assert error == {
        "message": "The UID nobody does not exist, please make sure you have created a user with "
        "UID nobody.",
        "devMessage": "The UID nobody does not exist, so please make sure you have created a user "
        "with UID nobody.",
        "source": "chat-api",
        "code": "ERR_UID_NOT_FOUND",
    }


@each_row("path", ["%20", "a%20b", "a%2Fb", "%FF", "%C3%A9"])
async def test_the_live_dialect_names_a_uid_as_the_path_encoded_it(
    client: Client, path: str
) -> None:
    headers = {**REST_KEY, "X-Mock-Errors": "live"}

    error = await error_of(get_as_encoded(client, f"/users/{path}", headers), 404)

    assert error["message"].startswith(f"The UID {path.lower()} does not exist")


@each_row(
    ("uid", "row"),
    [
        ("%20", errors.PATH_UID_INVALID),
        ("a%20b", errors.PATH_UID_WITH_SPACE),
        ("a%2Fb", errors.PATH_UID_INVALID),
        ("u" * 101, errors.PATH_UID_INVALID),
    ],
)
async def test_the_documented_dialect_tells_what_is_wrong_with_a_uid(
    client: Client, uid: str, row: errors.ErrorDef
) -> None:
    await assert_error(client.post(f"/users/{uid}/auth_tokens", headers=AUTH_KEY), row)


async def test_a_client_may_look_at_others(client: Client) -> None:
    token = (await create_user(client, "u1", withAuthToken=True))["authToken"]

    user = await data_of(client.get("/users/cometchat-uid-2", headers={"authToken": token}))

    assert user["name"] == "George Alan"


# --- update ---------------------------------------------------------------------------------
async def test_an_update_changes_what_it_names_and_notes_the_time(
    client: Client, clock: Clock
) -> None:
    await create_user(client, "u1", avatar=AVATAR)
    clock.advance(60)

    user = await data_of(client.put("/users/u1", json={"name": "New"}, headers=REST_KEY))

    assert user == {
        "uid": "u1",
        "name": "New",
        "avatar": AVATAR,
        "status": "offline",
        "role": "default",
        "createdAt": NOW,
        "updatedAt": NOW + 60,
    }


async def test_an_update_lasts(client: Client) -> None:
    updated = await data_of(
        client.put("/users/superhero1", json={"statusMessage": "off"}, headers=REST_KEY)
    )

    assert await get_user(client, "superhero1") == updated


@each_row("field", ["avatar", "link", "metadata"])
async def test_unset_removes_a_field(client: Client, field: str) -> None:
    await create_user(client, "u1", avatar=AVATAR, link=AVATAR, metadata={"a": 1})

    user = await data_of(client.put("/users/u1", json={"unset": [field]}, headers=REST_KEY))

    assert {"avatar", "link", "metadata"} - user.keys() == {field}


@each_row(
    ("field", "empty"),
    [
        ("avatar", ""),
        ("avatar", None),
        ("link", ""),
        ("statusMessage", ""),
        ("metadata", {}),
        ("metadata", []),
        ("metadata", ""),
        ("tags", []),
    ],
)
async def test_an_emptied_field_is_absent_afterwards(
    client: Client, field: str, empty: object
) -> None:
    full = {"avatar": AVATAR, "link": AVATAR, "statusMessage": "m", "tags": ["t"]}
    await create_user(client, "u1", **full, metadata={"a": 1})

    user = await data_of(client.put("/users/u1", json={field: empty}, headers=REST_KEY))

    assert {*full, "metadata"} - user.keys() == {field}


async def test_a_name_cannot_be_emptied(client: Client) -> None:
    details = await details_of(client.put("/users/superhero1", json={"name": ""}, headers=REST_KEY))

    assert details == {"name": ["The name field must have a value."]}


@each_row(
    ("body", "field", "text"),
    [
        ({"avatar": "nope"}, "avatar", "The avatar must be a valid URL."),
        ({"tags": [" "]}, "tags.0", "The tags.0 field is required."),
    ],
)
async def test_a_refused_update_says_which_field(
    client: Client, body: dict[str, Any], field: str, text: str
) -> None:
    update = client.put("/users/superhero1", json=body, headers=REST_KEY)

    assert await details_of(update) == {field: [text]}


async def test_a_refused_update_changes_nothing(client: Client) -> None:
    before = await get_user(client, "superhero1")

    await details_of(
        client.put("/users/superhero1", json={"name": "x", "role": "nobody"}, headers=REST_KEY)
    )

    assert await get_user(client, "superhero1") == before


async def test_a_uid_in_the_body_of_an_update_is_ignored(client: Client) -> None:
    user = await data_of(client.put("/users/superhero1", json={"uid": "other"}, headers=REST_KEY))

    assert user["uid"] == "SUPERHERO1"


async def test_an_unknown_user_cannot_be_updated(client: Client) -> None:
    update = client.put("/users/nobody", json={"name": "x"}, headers=REST_KEY)

    await assert_error(update, errors.UID_NOT_FOUND, uid="nobody")
