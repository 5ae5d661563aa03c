"""The journal's cursor: whoever follows it is told each exchange once, however long it took."""

import asyncio
from typing import Any

from tests.helpers import REST_KEY, Client, Serve, body_of

Json = dict[str, Any]


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


async def test_the_contents_given_for_an_app_s_snapshot_must_hold_that_app(client: Client) -> None:
    apps = (await body_of(client.get("/_mock/state?app=one")))["apps"]

    async with client.put("/_mock/snapshots/s1?app=two", json={"apps": apps}) as refused:
        details = (await refused.json())["error"]["details"]

    assert refused.status == 400
    assert details == {"apps": ["The apps is no snapshot: the app two is not in it."]}


async def test_a_cursor_of_the_server_that_was_here_before_hides_nothing(serve: Serve) -> None:
    before = await serve()
    await get(before, "/users/superhero1")
    cursor = (await journal(before))["cursor"]
    await before.close()

    after = await serve()
    await get(after, "/users/superhero2")

    assert paths(await journal(after, cursor=cursor)) == ["/users/superhero2"]
