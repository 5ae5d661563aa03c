"""Lists of users: order, paging, meta and cursor (reference sections 2.1 and 5)."""

from itertools import chain

from mockchat.core.clock import Clock
from tests.helpers import (
    NOW,
    REST_KEY,
    SEED_UIDS,
    Client,
    Json,
    Serve,
    body_of,
    by_token,
    create_user,
    data_of,
    details_of,
    each_row,
    issue_token,
)


def uids(answer: Json) -> list[str]:
    return [user["uid"] for user in answer["data"]]


async def list_users(client: Client, **query: str | int) -> Json:
    return await body_of(client.get("/users", params=query, headers=REST_KEY))


async def create_many(client: Client, number: int) -> None:
    for place in range(number):
        await create_user(client, f"u{place}")


async def test_the_seeds_are_listed_in_the_order_of_their_file(client: Client) -> None:
    answer = await list_users(client)

    assert list(answer) == ["data", "meta"]
    assert uids(answer) == SEED_UIDS


async def test_the_newest_user_comes_first(client: Client, clock: Clock) -> None:
    await create_user(client, "first")
    clock.advance(1)
    await create_user(client, "second")

    assert uids(await list_users(client))[:3] == ["second", "first", "cometchat-uid-1"]


async def test_users_of_one_second_are_listed_newest_first(client: Client) -> None:
    await create_many(client, 3)

    assert uids(await list_users(client))[:3] == ["u2", "u1", "u0"]


async def test_a_page_tells_where_it_stands(serve: Serve) -> None:
    client = await serve(fixture=("empty",))
    await create_many(client, 23)

    answer = await list_users(client, perPage=5, page=5)

    assert uids(answer) == ["u2", "u1", "u0"]
    assert answer["meta"] == {
        "pagination": {
            "total": 23,
            "count": 3,
            "per_page": 5,
            "current_page": 5,
            "total_pages": 5,
        },
        "cursor": {"updatedAt": NOW, "affix": "prepend"},
    }
    assert list(answer["meta"]["pagination"]) == [
        *("total", "count", "per_page", "current_page", "total_pages")
    ]


async def test_pages_together_hold_every_user_once(client: Client) -> None:
    pages = [uids(await list_users(client, per_page=3, page=page)) for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert list(chain(*pages)) == SEED_UIDS


async def test_a_page_beyond_the_last_is_empty(client: Client) -> None:
    answer = await list_users(client, perPage=10, page=2)

    assert answer["data"] == []
    assert answer["meta"]["pagination"]["count"] == 0
    assert answer["meta"]["pagination"]["total"] == 10


async def test_a_list_without_users_is_an_empty_page(serve: Serve) -> None:
    client = await serve(fixture=("empty",))

    answer = await list_users(client)

    assert answer["data"] == []
    assert answer["meta"]["pagination"]["total"] == 0


async def test_a_page_holds_a_hundred_users_by_default(serve: Serve) -> None:
    client = await serve(fixture=("empty",))
    await create_many(client, 101)

    answer = await list_users(client)

    assert len(answer["data"]) == 100
    assert answer["meta"]["pagination"]["per_page"] == 100
    assert answer["meta"]["pagination"]["total_pages"] == 2


@each_row("name", ["perPage", "per_page"])
async def test_sdks_and_back_ends_name_the_page_size_differently(client: Client, name: str) -> None:
    answer = await list_users(client, **{name: 2})

    assert len(answer["data"]) == 2
    assert answer["meta"]["pagination"]["per_page"] == 2


@each_row("query", ["perPage=&page=", "perPage=1000", "page=1&unknown=1"])
async def test_generous_queries_list_everyone(client: Client, query: str) -> None:
    answer = await body_of(client.get(f"/users?{query}", headers=REST_KEY))

    assert uids(answer) == SEED_UIDS


@each_row(
    ("query", "field"),
    [
        ("perPage=1001", "perPage"),
        ("perPage=1.5", "perPage"),
        ("per_page=x", "per_page"),
        ("page=99999999999999999999999", "page"),
        ("page[]=1", "page"),
        ("withTags=perhaps", "withTags"),
    ],
)
async def test_a_query_against_the_rules_is_refused(client: Client, query: str, field: str) -> None:
    details = await details_of(client.get(f"/users?{query}", headers=REST_KEY))

    assert list(details) == [field]


async def test_the_cursor_is_the_newest_user_s_time_on_every_page(
    client: Client, clock: Clock
) -> None:
    clock.advance(50)
    await create_user(client, "newest")

    cursors = [
        (await list_users(client, perPage=4, page=page))["meta"]["cursor"] for page in (1, 2, 3)
    ]

    assert cursors == [{"updatedAt": NOW + 50, "affix": "prepend"}] * 3


async def test_tags_are_listed_only_when_asked_for(client: Client) -> None:
    await create_user(client, "u1", tags=["t"])

    plain = (await list_users(client))["data"][0]
    tagged = (await list_users(client, withTags="true"))["data"][0]

    assert "tags" not in plain
    assert tagged["tags"] == ["t"]


async def test_a_listed_user_is_the_user(client: Client) -> None:
    created = await create_user(client, "u1", avatar="https://a.example", statusMessage="m")

    assert (await list_users(client))["data"][0] == created


async def test_deactivated_and_deleted_users_are_not_listed(client: Client) -> None:
    await data_of(client.delete("/users/cometchat-uid-1", headers=REST_KEY))
    deletion = client.delete("/users/superhero5", json={"permanent": True}, headers=REST_KEY)
    await data_of(deletion)

    answer = await list_users(client)

    assert uids(answer) == SEED_UIDS[1:-1]
    assert answer["meta"]["pagination"]["total"] == 8


async def test_a_reactivated_user_is_back_in_its_place(client: Client) -> None:
    await data_of(client.delete("/users/cometchat-uid-3", headers=REST_KEY))
    body = {"uidsToActivate": ["cometchat-uid-3"]}
    await data_of(client.put("/users", json=body, headers=REST_KEY))

    assert uids(await list_users(client)) == SEED_UIDS


async def test_a_client_s_list_is_of_the_others(client: Client) -> None:
    token = await issue_token(client, "cometchat-uid-2")

    answer = await body_of(client.get("/users?per_page=30&page=1", headers=by_token(token)))

    assert uids(answer) == [uid for uid in SEED_UIDS if uid != "cometchat-uid-2"]
    assert answer["meta"]["pagination"]["total"] == 9


async def test_a_client_s_pages_leave_nobody_out(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))

    pages = [
        uids(await body_of(client.get(f"/users?per_page=4&page={page}", headers=headers)))
        for page in (1, 2, 3, 4)
    ]

    assert [len(page) for page in pages] == [4, 4, 1, 0]
    assert list(chain(*pages)) == [uid for uid in SEED_UIDS if uid != "SUPERHERO1"]
