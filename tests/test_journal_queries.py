"""The journal: how it is searched, waited for without polling, and followed by its cursor."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.answers import body_of, details_of
from tests.helpers import journal_of, until_watched
from tests.values import AUTH_KEY, LONG, REST_KEY, Client, Json, Serve


# --- filters --------------------------------------------------------------------------------
async def traffic(client: Client) -> None:
    """Four exchanges, each unlike the others."""
    await client.get("/users/superhero1", headers=REST_KEY)
    await client.get("/users/nobody", headers=REST_KEY)
    await client.post("/users", json={"uid": "u1", "name": "x"}, headers=AUTH_KEY)
    await client.delete("/roles/default")


FILTERS: list[tuple[dict[str, str], list[int]]] = [
    ({"operation": "get_user"}, [0, 1]),
    ({"method": "post"}, [2]),
    ({"path": "/users/*"}, [0, 1]),
    ({"path": "/users/{uid}"}, [0, 1]),
    ({"path": "/**"}, [0, 1, 2, 3]),
    ({"uid": "SuperHero1"}, [0]),
    ({"status": "404"}, [1]),
    ({"status": "0"}, []),
    ({"code": "ERROR_API_KEY_NOT_FOUND"}, [3]),
    ({"method": "GET", "status": "200"}, [0]),
    ({"operation": "", "code": "", "status": ""}, [0, 1, 2, 3]),
    ({"operation": "ping_analytics"}, []),
    ({"code": "MOCK_FAULT_503"}, []),
]


async def test_a_filter_finds_what_it_describes(client: Client) -> None:
    await traffic(client)
    every = [one["id"] for one in await journal_of(client)]

    for query, places in FILTERS:
        found = await journal_of(client, **query)
        assert [one["id"] for one in found] == [every[place] for place in places], query
    found = await journal_of(client, since=every[1])
    assert [one["id"] for one in found] == every[2:]
    for refused in (
        *("limit=0", "limit=10001", "status=600", "since=-1"),
        *("wait=61", "wait=", "count=x", "nope=1"),
    ):
        details = await details_of(client.get(f"/_mock/journal?{refused}"))
        assert list(details) == [refused.partition("=")[0]]


# --- waiting --------------------------------------------------------------------------------
Waiting = Callable[..., Awaitable[Json]]


@pytest.fixture
def waiting(client: Client) -> Waiting:
    """Asks the journal to wait for a minute and returns once it does."""

    async def ask(**query: Any) -> asyncio.Task[Json]:
        request = client.get("/_mock/journal", params={"wait": "1m", **query}, timeout=LONG)
        task = asyncio.create_task(body_of(request))
        await until_watched(client)
        return task

    return ask


async def test_a_wait_ends_with_its_exchange(client: Client, waiting: Waiting) -> None:
    task: Any = await waiting(path="/users/superhero2")
    await client.get("/users/superhero1", headers=REST_KEY)
    await client.get("/users/superhero2", headers=REST_KEY)

    found = await task

    assert [one["path"] for one in found["exchanges"]] == ["/users/superhero2"]
    task = await waiting(count=4)  # two of which are there already
    for app in ("APP_ID", "new"):
        await client.get(f"/apps/{app}/v3/users", headers=REST_KEY)
    found = await task
    assert found["count"] == 4
    assert found["exchanges"][-1]["app"] == "new"


async def test_a_wait_for_what_is_there_ends_at_once(client: Client) -> None:
    await client.get("/users", headers=REST_KEY)

    assert await journal_of(client, wait="1m")
    assert (await body_of(client.get("/_mock/journal?wait=1ms&count=2")))["count"] == 1


async def test_a_server_that_stops_keeps_nobody_waiting(client: Client, waiting: Waiting) -> None:
    task: Any = await waiting()

    await client.app.shutdown()

    assert (await task)["count"] == 0


# --- the cursor: whoever follows it is told each exchange once ---------------------------------
async def journal(client: Client, **query: Any) -> Json:
    found: Json = await body_of(client.get("/_mock/journal", params=query))
    return found


def paths(found: Json) -> list[str]:
    return [exchange["path"] for exchange in found["exchanges"]]


async def get(client: Client, path: str) -> None:
    await body_of(client.get(path, headers=REST_KEY))


async def test_what_was_there_is_not_told_again_even_after_a_reset(client: Client) -> None:
    await get(client, "/users/superhero1")
    cursor = (await journal(client))["cursor"]
    await get(client, "/users/superhero2")
    assert paths(await journal(client, cursor=cursor)) == ["/users/superhero2"]

    await body_of(client.post("/_mock/reset"))
    await get(client, "/users/superhero3")
    assert paths(await journal(client, cursor=cursor, wait="5s")) == ["/users/superhero3"]


async def test_an_exchange_that_began_earlier_and_ended_later_is_told(client: Client) -> None:
    held = {"uid": "superhero1", "app": "APP_ID"}
    await body_of(client.post("/_mock/logins", json=held))
    login = client.post("/login", json={"uid": "superhero1", "authKey": "AUTH_KEY"})
    slow = asyncio.create_task(body_of(login))
    await body_of(client.get("/_mock/logins", params={**held, "wait": "5s"}))
    await get(client, "/users/superhero2")

    seen = await journal(client)
    await body_of(client.delete("/_mock/logins", json=held))
    await slow
    more = await journal(client, cursor=seen["cursor"], wait="5s")

    assert (paths(seen), paths(more)) == (["/users/superhero2"], ["/login"])
    assert more["exchanges"][0]["id"] < seen["exchanges"][0]["id"]


async def test_a_cursor_of_the_server_that_was_here_before_hides_nothing(serve: Serve) -> None:
    before = await serve()
    await get(before, "/users/superhero1")
    cursor = (await journal(before))["cursor"]
    await before.close()

    after = await serve()
    await get(after, "/users/superhero2")

    assert paths(await journal(after, cursor=cursor)) == ["/users/superhero2"]
