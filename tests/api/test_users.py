"""Users: get and update (reference section 5)."""

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, data_of, details_of, error_of
from tests.helpers import create_user, get_user
from tests.rows import each_row
from tests.values import NOW, REST_KEY, Client, Json

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


async def test_a_client_may_look_at_others(client: Client) -> None:
    token = (await create_user(client, "u1", withAuthToken=True))["authToken"]

    user = await data_of(client.get("/users/cometchat-uid-2", headers={"authToken": token}))

    assert user["name"] == "George Alan"


# --- update ---------------------------------------------------------------------------------
async def test_an_update_changes_what_it_names_at_its_time(client: Client, clock: Clock) -> None:
    await create_user(client, "u1", avatar=AVATAR)
    clock.advance(60)
    body = {"name": "New", "uid": "other"}  # a uid is not changed

    user = await data_of(client.put("/users/u1", json=body, headers=REST_KEY))

    assert user == await get_user(client, "u1")
    assert user == {
        "uid": "u1",
        "name": "New",
        "avatar": AVATAR,
        "status": "offline",
        "role": "default",
        "createdAt": NOW,
        "updatedAt": NOW + 60,
    }


_EMPTIED: list[tuple[str, Json]] = [
    *((field, {"unset": [field]}) for field in ("avatar", "link", "metadata")),
    ("avatar", {"avatar": ""}),
    ("avatar", {"avatar": None}),
    ("link", {"link": ""}),
    ("statusMessage", {"statusMessage": ""}),
    ("metadata", {"metadata": {}}),
    ("metadata", {"metadata": []}),
    ("metadata", {"metadata": ""}),
    ("tags", {"tags": []}),
]


@each_row(("field", "body"), _EMPTIED)
async def test_an_emptied_field_is_absent_then(client: Client, field: str, body: Json) -> None:
    full = {"avatar": AVATAR, "link": AVATAR, "statusMessage": "m", "tags": ["t"]}
    await create_user(client, "u1", **full, metadata={"a": 1})

    user = await data_of(client.put("/users/u1", json=body, headers=REST_KEY))

    assert {*full, "metadata"} - user.keys() == {field}


_REFUSED: list[tuple[Json, Json]] = [
    ({"name": ""}, {"name": ["The name field must have a value."]}),
    ({"avatar": "nope"}, {"avatar": ["The avatar must be a valid URL."]}),
    ({"tags": [" "]}, {"tags.0": ["The tags.0 field is required."]}),
    ({"name": "x", "role": "nobody"}, None),
]


async def test_a_refused_update_says_which_field_and_changes_nothing(client: Client) -> None:
    before = await get_user(client, "superhero1")

    for body, expected in _REFUSED:
        update = client.put("/users/superhero1", json=body, headers=REST_KEY)
        details = await details_of(update)
        assert details == expected or expected is None, body
        assert await get_user(client, "superhero1") == before, body
    unknown = client.put("/users/nobody", json={"name": "x"}, headers=REST_KEY)
    await assert_error(unknown, errors.UID_NOT_FOUND, uid="nobody")
