"""Lists of users: order, paging, meta and cursor (reference sections 2.1 and 5)."""

from itertools import chain
from operator import itemgetter

from mockchat.core.clock import Clock
from tests.answers import body_of, data_of, details_of
from tests.helpers import create_user
from tests.sessions import by_token, issue_token
from tests.values import NOW, REST_KEY, SEED_UIDS, Client, Json, Serve


def uids(answer: Json) -> list[str]:
    return [user["uid"] for user in answer["data"]]


async def list_users(client: Client, **query: str | int) -> Json:
    return await body_of(client.get("/users", params=query, headers=REST_KEY))


async def create_many(client: Client, number: int) -> None:
    for place in range(number):
        await create_user(client, f"u{place}")


async def test_the_newest_user_comes_first_and_the_seeds_last(client: Client, clock: Clock) -> None:
    answer = await list_users(client)
    assert list(answer) == ["data", "meta"]
    assert uids(answer) == SEED_UIDS

    await create_many(client, 3)
    clock.advance(1)
    await create_user(client, "last")

    assert uids(await list_users(client)) == ["last", "u2", "u1", "u0", *SEED_UIDS]


async def test_a_page_tells_where_it_stands_and_holds_a_hundred_by_default(serve: Serve) -> None:
    client = await serve(fixture=("empty",))
    empty = await list_users(client)
    assert (empty["data"], empty["meta"]["pagination"]["total"]) == ([], 0)
    await create_many(client, 23)

    answer = await list_users(client, perPage=5, page=5)

    assert uids(answer) == ["u2", "u1", "u0"]
    assert answer["meta"] == {
        "pagination": {"total": 23, "count": 3, "per_page": 5, "current_page": 5, "total_pages": 5},
        "cursor": {"updatedAt": NOW, "affix": "prepend"},
    }
    assert list(answer["meta"]["pagination"]) == [
        *("total", "count", "per_page", "current_page", "total_pages")
    ]
    for number in range(23, 101):
        await create_user(client, f"u{number}")
    answer = await list_users(client)
    assert len(answer["data"]) == answer["meta"]["pagination"]["per_page"] == 100
    assert answer["meta"]["pagination"]["total_pages"] == 2


async def test_pages_together_hold_every_user_once_and_none_beyond(client: Client) -> None:
    answers = [await list_users(client, per_page=3, page=page) for page in (1, 2, 3, 4, 5)]
    pages = [uids(answer) for answer in answers]

    assert [len(page) for page in pages] == [3, 3, 3, 1, 0]
    assert list(chain(*pages)) == SEED_UIDS
    assert answers[-1]["meta"]["pagination"]["count"] == 0
    assert answers[-1]["meta"]["pagination"]["total"] == 10
    for name in ("perPage", "per_page"):
        answer = await list_users(client, **{name: 2})
        assert len(answer["data"]) == answer["meta"]["pagination"]["per_page"] == 2, name


async def test_a_query_is_generous_or_refused(client: Client) -> None:
    for query in ("perPage=&page=", "perPage=1000", "page=1&unknown=1"):
        answer = await body_of(client.get(f"/users?{query}", headers=REST_KEY))
        assert uids(answer) == SEED_UIDS, query
    for query in (
        *("perPage=1001", "perPage=1.5", "per_page=x"),
        "uids=" + ",".join(f"u{number}" for number in range(26)),
        *("page=99999999999999999999999", "page[]=1", "withTags=perhaps"),
    ):
        details = await details_of(client.get(f"/users?{query}", headers=REST_KEY))
        assert list(details) == [query.partition("=")[0].removesuffix("[]")], query


async def test_every_page_s_cursor_is_the_newest_user_s_time(client: Client, clock: Clock) -> None:
    clock.advance(50)
    await create_user(client, "newest")

    cursors = [
        (await list_users(client, perPage=4, page=page))["meta"]["cursor"] for page in (1, 2, 3)
    ]

    assert cursors == [{"updatedAt": NOW + 50, "affix": "prepend"}] * 3


async def test_a_listed_user_is_the_user_but_for_its_tags(client: Client) -> None:
    await create_user(client, "u1", tags=["t"])

    plain = (await list_users(client))["data"][0]
    tagged = (await list_users(client, withTags="true"))["data"][0]
    created = await create_user(client, "u2", avatar="https://a.example", statusMessage="m")

    assert "tags" not in plain
    assert tagged["tags"] == ["t"]
    assert (await list_users(client))["data"][0] == created


async def test_a_deactivated_user_is_listed_once_it_is_back(client: Client) -> None:
    for path, body in (("cometchat-uid-3", None), ("superhero5", {"permanent": True})):
        await data_of(client.delete(f"/users/{path}", json=body, headers=REST_KEY))

    answer = await list_users(client)

    assert uids(answer) == [*SEED_UIDS[:2], *SEED_UIDS[3:-1]]
    assert answer["meta"]["pagination"]["total"] == 8
    back = {"uidsToActivate": ["cometchat-uid-3"]}
    await data_of(client.put("/users", json=back, headers=REST_KEY))
    assert uids(await list_users(client)) == SEED_UIDS[:-1]


async def test_a_client_s_list_is_of_all_the_others(client: Client) -> None:
    headers = by_token(await issue_token(client, "cometchat-uid-2"))
    everybody = await data_of(client.get("/users", headers=REST_KEY))
    others = [one["uid"] for one in sorted(everybody, key=itemgetter("name"))]
    others.remove("cometchat-uid-2")

    answer = await body_of(client.get("/users?per_page=30&page=1", headers=headers))
    pages = [
        uids(await body_of(client.get(f"/users?per_page=4&page={page}", headers=headers)))
        for page in (1, 2, 3, 4)
    ]

    assert uids(answer) == others
    assert answer["meta"]["pagination"]["total"] == 9
    assert [len(page) for page in pages] == [4, 4, 1, 0]
    assert list(chain(*pages)) == others
