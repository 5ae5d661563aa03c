"""The filters and orders of a user list (reference section 5, SDK request builders)."""

import pytest

from mockchat.core.clock import Clock
from tests.answers import body_of, data_of, details_of
from tests.helpers import create_user
from tests.rows import each_row
from tests.sessions import by_token, connect, issue_token, log_in
from tests.values import NOW, REST_KEY, Client, Json, Serve


@pytest.fixture
async def town(serve: Serve, clock: Clock) -> Client:
    """A client of an app with four users, one of them deactivated, a minute apart."""
    client = await serve(fixture=("empty",))
    for role in ("nurse", "doctor"):
        body = {"role": role, "name": role}
        await data_of(client.post("/roles", json=body, headers=REST_KEY))
    await create_user(client, "ann", name="Ann Lee", role="nurse", tags=["a", "b"])
    clock.advance(60)
    await create_user(client, "bob", name="Bob Ann", role="doctor", tags=["b"])
    clock.advance(60)
    await create_user(client, "anton", name="Cid", tags=["c"])
    clock.advance(60)
    await create_user(client, "zoe", name="zoe")
    await data_of(client.delete("/users/zoe", headers=REST_KEY))
    return client


async def find(client: Client, query: str, **headers: str) -> list[str]:
    answer = await body_of(client.get(f"/users?{query}", headers=headers or REST_KEY))
    return [user["uid"] for user in answer["data"]]


async def test_the_newest_of_one_second_leads_and_friends_are_those_of_a_client(
    client: Client,
) -> None:
    for uid in ("u1", "u2", "u3"):
        await create_user(client, uid, name="Same")
    path, body = "/users/superhero1/friends", {"accepted": ["u1", "u3"]}
    await data_of(client.post(path, json=body, headers=REST_KEY))
    token = by_token(await issue_token(client, "superhero1"))

    assert await find(client, "searchKey=same") == ["u3", "u2", "u1"]
    assert await find(client, "uids=u1,u2&friendsOnly=true", **token) == ["u1"]
    assert await find(client, "friendsOnly=true", **token) == ["u1", "u3"]
    assert await find(client, "friendsOnly=true") == []


@each_row(
    ("query", "expected"),
    [
        ("", "anton bob ann"),
        ("searchKey=ann", "ann"),
        ("searchKey=AN", "anton ann"),
        ("searchKey=bob%20a", "bob"),
        ("searchKey=lee", ""),
        ("searchKey=%25", ""),
        ("searchKey=c", "anton"),
        ("searchKey=c&searchIn=uid", ""),
        ("searchKey=c&searchIn[]=name", "anton"),
        ("searchKey=a&searchIn=uid,name", "anton ann"),
        ("role=nurse", "ann"),
        ("role=Nurse", "ann"),
        ("roles=nurse,default", "anton ann"),
        ("roles[]=nurse&roles[]=doctor", "bob ann"),
        ("role=nobody", ""),
        ("tags=b", "bob ann"),
        ("tags=a,c", "anton ann"),
        ("tags[]=c", "anton"),
        ("uids=bob,ANN,nobody", "bob ann"),
        ("status=offline", "anton bob ann"),
        ("status=available", ""),
        ("status=online", ""),
        ("status=available,offline", "anton bob ann"),
        ("withDeactivated=true", "zoe anton bob ann"),
        ("onlyDeactivated=true", "zoe"),
        ("onlyDeactivated=false", "anton bob ann"),
        (f"createdAt[from]={NOW + 60}", "anton bob"),
        (f"createdAt[to]={NOW + 60}", "bob ann"),
        (f"createdAt[from]={NOW + 1}&createdAt[to]={NOW + 119}", "bob"),
        (f"updatedAt[from]={NOW}", ""),
        (f"updatedAt[to]={NOW}", ""),
        ("sortBy=name", "ann bob anton"),
        ("sortBy=name&sortOrder=desc", "anton bob ann"),
        ("role=nurse&tags=c", ""),
        ("tags=b&perPage=1&page=2", "ann"),
    ],
)
async def test_a_list_is_filtered_and_sorted(town: Client, query: str, expected: str) -> None:
    assert await find(town, query) == expected.split()


async def test_a_filter_without_sense_is_refused(town: Client) -> None:
    fields = {
        "status=busy": "status.0",
        "searchIn=email": "searchIn.0",
        "sortBy=age": "sortBy",
        "sortOrder=up": "sortOrder",
        "createdAt=1": "createdAt",
        "createdAt[from]=x": "createdAt.from",
        "onlyDeactivated=x": "onlyDeactivated",
    }
    for query, field in fields.items():
        details = await details_of(town.get(f"/users?{query}", headers=REST_KEY))
        assert list(details) == [field], query


async def test_a_filtered_list_counts_what_it_found(town: Client) -> None:
    answer = await body_of(town.get("/users?tags=b&perPage=1", headers=REST_KEY))
    gone = await data_of(town.get("/users?onlyDeactivated=1", headers=REST_KEY))

    assert answer["meta"]["pagination"] == {
        "total": 2,
        "count": 1,
        "per_page": 1,
        "current_page": 1,
        "total_pages": 2,
    }
    assert gone[0]["deactivatedAt"] == NOW + 180
    assert await data_of(town.get("/users?count=true", headers=REST_KEY)) == {"count": 3}
    assert await data_of(town.get("/users?count=1&tags=b", headers=REST_KEY)) == {"count": 2}


# --- what changes, changes the list ---------------------------------------------------------
async def test_whoever_connects_is_found_as_available(town: Client) -> None:
    assert await find(town, "status=available") == []
    me = await log_in(town, "ann")

    await connect(town, me)

    assert await find(town, "status=available") == ["ann"]
    assert await find(town, "status=online") == ["ann"]
    assert await find(town, "status=offline") == ["anton", "bob"]


_CHANGES: list[tuple[str, str, Json, str, str]] = [
    ("PUT", "/users/bob", {"name": "Xi"}, "searchKey=xi", "bob"),
    ("PUT", "/users/bob", {"tags": ["x", "b"]}, "tags=x", "bob"),
    ("PUT", "/users/bob", {"role": "nurse"}, "role=nurse", "bob ann"),
    ("PUT", "/users", {"uidsToActivate": ["zoe"]}, "searchKey=z", "zoe"),
    ("DELETE", "/users/zoe", None, "onlyDeactivated=1", "zoe"),
    ("DELETE", "/users/bob", {"permanent": True}, "tags=b", "ann"),
    ("DELETE", "/roles/nurse", None, "role=default", "anton ann"),
]


async def test_a_list_asked_before_shows_the_change(town: Client) -> None:
    for method, path, body, query, expected in _CHANGES:
        assert await find(town, query) != expected.split()

        await data_of(town.request(method, path, json=body, headers=REST_KEY))

        assert await find(town, query) == expected.split(), (method, path, body)
    assert await find(town, "searchKey=u1", **REST_KEY, appId="b") == []
    await create_user(town, "u1")
    assert await find(town, "searchKey=u1") == ["u1"]
    assert await find(town, "searchKey=u1", **REST_KEY, appId="b") == []


# --- through a user's eyes ------------------------------------------------------------------
async def test_a_client_lists_the_others_or_its_friends_only(client: Client) -> None:
    body = {"accepted": ["superhero2"]}
    await data_of(client.post("/users/superhero1/friends", json=body, headers=REST_KEY))
    headers = by_token(await issue_token(client, "superhero1"))

    assert await find(client, "friendsOnly=true", **headers) == ["SUPERHERO2"]
    assert len(await find(client, "friendsOnly=false", **headers)) == 9
    others = [f"SUPERHERO{number}" for number in (2, 5, 3, 4)]  # by name
    assert await find(client, "searchKey=superhero", **headers) == others
    behalf = {**REST_KEY, "onBehalfOf": "superhero1"}
    listed = await data_of(client.get("/users?searchKey=superhero2", headers=behalf))
    assert listed[0]["conversationId"] == "superhero1_user_superhero2"
    assert "blockedByMe" not in listed[0]


async def test_a_client_lists_by_status_then_name_then_uid(town: Client) -> None:
    await create_user(town, "me")
    await create_user(town, "abe", name="bob ann")
    await connect(town, await log_in(town, "anton"))
    headers = by_token(await issue_token(town, "me"))

    assert await find(town, "", **headers) == ["anton", "ann", "abe", "bob"]
    assert await find(town, "tags=b", **headers) == ["ann", "bob"]
    backwards = await find(town, "sortBy=name&sortOrder=desc", **headers)
    assert backwards == ["anton", "abe", "bob", "ann"]


async def test_a_client_hides_blocked_users_in_both_directions(client: Client) -> None:
    for one, other in (("superhero1", "superhero2"), ("superhero3", "superhero1")):
        body = {"blockedUids": [other]}
        path = f"/users/{one}/blockedusers"
        await data_of(client.post(path, json=body, headers=REST_KEY))
    headers = by_token(await issue_token(client, "superhero1"))

    shown = await find(client, "hideBlockedUsers=1&searchKey=superhero", **headers)

    assert shown == ["SUPERHERO5", "SUPERHERO4"]
    assert len(await find(client, "searchKey=superhero", **headers)) == 4
