"""The import of users: many in one request, each with an outcome of its own."""

from tests.answers import data_of, details_of, error_of
from tests.helpers import get_user
from tests.values import AUTH_KEY, NOW, REST_KEY, Client, Json, Serve

PATH = "/v3/data_import/users"


async def imported(client: Client, **users: Json) -> Json:
    return await data_of(client.post(PATH, json={"users": users}, headers=REST_KEY))


async def test_users_are_imported_with_their_times(client: Client) -> None:
    ann = {"uid": "Ann", "name": "Ann", "createdAt": "1673421419", "lastActiveAt": 1673421425}
    ann |= {"avatar": "https://example.com/a.png", "metadata": {"key": "value"}}

    done = await imported(client, Ann=ann, bob={"name": "Bob", "tags": ["new"]})

    assert done["ann"] == {
        "success": True,
        "data": {
            "uid": "ann",
            "name": "Ann",
            "avatar": "https://example.com/a.png",
            "metadata": {"key": "value"},
            "status": "offline",
            "role": "default",
            "lastActiveAt": 1673421425,
            "createdAt": 1673421419,
        },
    }
    assert done["bob"]["data"]["createdAt"] == NOW
    assert (await get_user(client, "ann"))["lastActiveAt"] == 1673421425


async def test_a_picture_of_an_imported_user_has_the_address_that_every_read_shows(
    client: Client,
) -> None:
    live = "https://data-us.cometchat.io/assets/images/avatars/ironman.png"

    done = await imported(client, ann={"name": "Ann", "avatar": live})

    assert done["ann"]["data"]["avatar"] == (await get_user(client, "ann"))["avatar"]
    assert done["ann"]["data"]["avatar"] != live


async def test_a_user_that_cannot_be_imported_stops_no_other(serve: Serve) -> None:
    client = await serve(max_users=12)
    done = await imported(
        client,
        superhero1={"name": "x"},
        nameless={},
        another={"uid": "someone", "name": "x"},
        number=5,
        odd={"name": "x", "role": "nope", "createdAt": "soon"},
        good={"name": "Good"},
        **{"a b": {"name": "x"}, "also-good": {"name": "Good"}, "beyond": {"name": "x"}},
    )

    assert {uid for uid, one in done.items() if one["success"]} == {"good", "also-good"}
    told = {uid: one["error"]["code"] for uid, one in done.items() if not one["success"]}
    assert told.pop("superhero1") == "ERR_UID_ALREADY_EXISTS"
    assert told.pop("beyond") == "ERR_PLAN_QUOTA_RESTRICTION"
    assert set(told.values()) == {"ERR_BAD_REQUEST"}
    assert list(done["odd"]["error"]["details"]) == ["createdAt"]
    assert done["another"]["error"]["details"] == {
        "uid": ["The uid must be the key that holds the user."]
    }


async def test_an_import_takes_fifty_users_of_ten_kilobytes_each(client: Client) -> None:
    large = {"name": "x", "metadata": {"text": "x" * 4000}}
    done = await imported(client, **{f"u{number}": large for number in range(50)})
    assert all(one["success"] for one in done.values())

    for users, said in (
        ({f"v{number}": {"name": "x"} for number in range(51)}, "not have more than 50 items"),
        ({}, "required"),
        ([], "JSON object"),
        ("text", "JSON object"),
    ):
        request = client.post(PATH, json={"users": users}, headers=REST_KEY)
        assert said in (await details_of(request))["users"][0]
    assert list(await details_of(client.post(PATH, headers=REST_KEY))) == ["users"]


async def test_the_rest_of_the_import_is_refused_by_name_and_needs_a_full_key(
    client: Client,
) -> None:
    for what in ("groups", "members", "messages"):
        request = client.post(f"/data_import/{what}", json={what: {}}, headers=REST_KEY)
        error = await error_of(request, 501)
        assert f"POST /data_import/{what} " in error["message"]
    request = client.post(PATH, json={"users": {"u": {"name": "x"}}}, headers=AUTH_KEY)
    assert (await error_of(request, 403))["code"] == "AUTH_ERR_NO_ACCESS"
