"""Races: requests at the same moment, each of which would do harm to the other."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from mockchat.core.state import MAX_TOKENS_PER_USER
from mockchat.core.steps import finish
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of
from tests.helpers import create_user, steer
from tests.sessions import auth_frame, by_token, issue_token, log_in
from tests.values import AUTH_KEY, PATIENCE, REST_KEY, Client, Serve

MANY = 500
FORCE = {"force": True}


async def statuses_of(*requests: Any) -> Counter[int]:
    """Send requests at once and count the statuses."""

    async def status_of(request: Any) -> int:
        async with request as answer:
            await answer.read()
            return int(answer.status)

    return Counter(await asyncio.gather(*map(status_of, requests)))


async def check_state(client: Client) -> None:
    """The state must be one that a snapshot may hold: everything belongs together."""
    store = client.app[STORE]
    finish(store.checking(finish(store.taking())))
    app = store.default
    assert sum(len(user.tokens) for user in app.all_users()) == len(app.tokens)


async def test_of_many_creations_of_one_uid_one_succeeds(client: Client) -> None:
    body = {"uid": "ann", "name": "Ann"}

    found = await statuses_of(
        *(client.post("/users", json=body, headers=REST_KEY) for _ in range(MANY))
    )

    assert found == {200: 1, 400: MANY - 1}


async def test_no_user_has_more_tokens_than_the_cap_however_many_are_asked_for(
    client: Client,
) -> None:
    path = "/users/superhero1/auth_tokens"

    found = await statuses_of(
        *(client.post(path, json=FORCE, headers=AUTH_KEY) for _ in range(MANY))
    )

    assert found == {200: MANY}
    assert len(client.app[STORE].default.tokens) == MAX_TOKENS_PER_USER


async def test_a_single_use_token_is_of_one_of_the_devices_that_use_it_at_once(
    serve: Serve,
) -> None:
    client = await serve(tokens="single-use")
    headers = by_token(await issue_token(client, "superhero1"))

    found = await statuses_of(
        *(client.put("/me", json={}, headers={**headers, "resource": f"d{n}"}) for n in range(50))
    )

    assert found == {200: 1, 401: 49}


async def test_of_many_logins_of_a_device_one_is_in_progress(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))
    await steer(client, "POST", "logins", uid="superhero1")
    logins = [
        asyncio.create_task(statuses_of(client.put("/me", json={}, headers=headers)))
        for _ in range(20)
    ]
    await body_of(client.get("/_mock/logins?uid=superhero1&count=1&wait=5s"))
    await steer(client, "DELETE", "logins")

    assert sum(await asyncio.gather(*logins), Counter()) == {200: 1, 409: 19}


async def test_a_logout_and_a_login_with_the_same_token_leave_no_dead_login(client: Client) -> None:
    for _ in range(20):
        headers = by_token(await issue_token(client, "superhero1", **FORCE))
        await steer(client, "POST", "logins", uid="superhero1")
        login = asyncio.create_task(statuses_of(client.put("/me", json={}, headers=headers)))
        await body_of(client.get("/_mock/logins?uid=superhero1&count=1&wait=5s"))

        await data_of(client.delete("/me", headers=headers))
        await steer(client, "DELETE", "logins")

        assert await login == {401: 1}
    await check_state(client)


ACTIONS: list[tuple[str, str, Any]] = [
    ("POST", "/_mock/reset", {}),
    ("POST", "/_mock/snapshots/s1/restore", {}),
    ("DELETE", "/users/u", {"permanent": True}),
    ("DELETE", "/users/u", {"permanent": False}),
    ("DELETE", "/users", {"uidsToDeactivate": ["u", "superhero1"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), ACTIONS)
async def test_what_takes_users_away_may_meet_any_other_request(
    client: Client, method: str, path: str, body: Any
) -> None:
    await create_user(client, "u")
    await steer(client, "POST", "seed", users=600)  # work of several steps
    await steer(client, "PUT", "snapshots/s1")
    me = await log_in(client, "u")
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"]))
    headers, token = REST_KEY, by_token(me["authToken"])

    def others() -> list[Any]:
        return [
            client.post("/users", json={"uid": "u", "name": "U"}, headers=headers),
            client.put("/users/u", json={"name": "V"}, headers=headers),
            client.post("/users/u/friends", json={"accepted": ["superhero1"]}, headers=headers),
            client.post(
                "/users/u/blockedusers", json={"blockedUids": ["superhero2"]}, headers=headers
            ),
            client.post("/users/u/auth_tokens", json=FORCE, headers=AUTH_KEY),
            client.put("/me", json={}, headers=token),
            client.put("/me", json={"name": "W"}, headers=token),
            client.get("/users/u", headers=headers),
            client.get("/users?searchKey=u", headers=headers),
            client.post("/login", json={"uid": "u", "authKey": "AUTH_KEY"}),
            client.get("/_mock/state"),
            client.put("/_mock/snapshots/s2"),
            client.post("/_mock/seed", json={"users": 300}),
        ]

    for _ in range(3):
        requests = others()
        requests.insert(7, client.request(method, path, json=body, headers=headers))
        found = await statuses_of(*requests)
        assert not [status for status in found if status >= 500], found
        await check_state(client)
    await socket.close()
    assert (await client.get("/users/superhero2", headers=headers)).status == 200


async def test_two_restores_at_once_leave_one_of_the_two(client: Client) -> None:
    await steer(client, "POST", "seed", users=600)
    await steer(client, "PUT", "snapshots/many")
    await steer(client, "POST", "reset")
    await steer(client, "PUT", "snapshots/few")

    restores = [
        client.post(f"/_mock/snapshots/{name}/restore", json={}) for name in ("many", "few") * 5
    ]
    async with asyncio.timeout(4 * PATIENCE):
        assert await statuses_of(*restores) == {200: 10}

    assert len(client.app[STORE].default.all_users()) in (10, 610)
    await check_state(client)
