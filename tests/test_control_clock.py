"""The clock over HTTP: frozen, advanced and resumed, and everything that follows it."""

import time
from typing import Any

from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, create_app
from mockchat.control.fields import LATEST_WISH
from mockchat.core import errors
from mockchat.core.clock import LATEST, Clock
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user, journal_of, steer
from tests.sessions import assert_lives, by_token, connect, end_of, issue_token, log_in
from tests.values import NOW, REST_KEY, Client, Json, Request, Serve

LOGIN = {"uid": "superhero1", "authKey": "AUTH_KEY"}
FROZEN = {"now": float(NOW), "time": "2023-11-14T22:13:20.000Z", "frozen": True}


async def move(client: Client, **wish: Any) -> Json:
    return await steer(client, "PATCH", "clock", **wish)


# --- what time it is ------------------------------------------------------------------------
async def test_the_clock_tells_the_time_and_whether_it_stands_still(
    client: Client, aiohttp_client: AiohttpClient
) -> None:
    assert await body_of(client.get("/_mock/clock")) == FROZEN

    ticking = await aiohttp_client(create_app(Config()))  # with the machine's
    before, told, after = time.time(), await body_of(ticking.get("/_mock/clock")), time.time()
    assert before <= told["now"] <= after
    assert not told["frozen"]


# --- freeze, advance, resume ----------------------------------------------------------------
MOVES: list[tuple[Json, float]] = [
    ({}, 0),
    ({"freeze": True}, 0),
    ({"freeze": False, "resume": False}, 0),
    ({"advance": 90}, 90),
    ({"advance": "90"}, 90),
    ({"advance": "1.5s"}, 1.5),
    ({"advance": "2h"}, 7200),
    ({"advance": " 1d "}, 86_400),
    ({"advance": 0}, 0),
    ({"at": NOW + 5}, 5),
    ({"at": f"{NOW + 5}"}, 5),
    ({"at": "2023-11-14T22:13:25Z"}, 5),
    ({"at": "2023-11-14 22:13:25.5"}, 5.5),
    ({"at": "2023-11-14T23:13:20+01:00"}, 0),
    ({"at": "2023-11-15"}, 6400),
    ({"at": NOW - 10**9}, -(10**9)),
    ({"at": NOW, "advance": "1m"}, 60),
    ({"resume": True, "freeze": True, "at": NOW + 1, "advance": 1}, 2),
    ({"at": 0, "advance": NOW - 7 * 10**8}, -7 * 10**8),
]


async def test_a_frozen_clock_is_moved_and_stays_frozen(client: Client, clock: Clock) -> None:
    for wish, seconds in MOVES:
        clock.freeze(NOW)

        told = await move(client, **wish)

        assert told == {**told, "now": NOW + seconds, "frozen": True}, wish
        assert clock.now() == NOW + seconds, wish


async def test_a_resumed_clock_ticks_at_the_machine_s_time_and_on_where_it_is_advanced(
    client: Client, clock: Clock
) -> None:
    await body_of(client.patch("/_mock/clock?advance=1m"))  # a wish may come as a query
    assert clock.now() == NOW + 60

    for wish, seconds in (({"resume": True}, 0), ({"resume": True, "advance": "1h"}, 3600)):
        before, told = time.time(), await move(client, **wish)
        assert not told["frozen"]
        assert told["now"] >= before + seconds, wish


# --- bounds ---------------------------------------------------------------------------------
NUMBERS: list[Any] = [-1, "-1s", "nan", "inf", "1e9", True, [], {}, 1e300]
WRONG: dict[str, list[Any]] = {
    "advance": [*NUMBERS, "1y", "soon", 10**9 + 1],
    "at": [*NUMBERS, LATEST_WISH + 1, "yesterday", "2023-02-29", "2023-11-14T24:00Z", "2990-01-01"],
    "freeze": ["maybe", 2, []],
    "resume": ["no"],
    "stop": [True],
}


async def test_a_wish_that_makes_no_sense_is_refused_and_changes_nothing(
    client: Client, clock: Clock
) -> None:
    for field, value in [(field, value) for field, values in WRONG.items() for value in values]:
        body = {"resume": True, "freeze": True, field: value}

        details = await details_of(client.patch("/_mock/clock", json=body))

        assert list(details) == [field], value
        assert clock.now() == NOW, (field, value)


async def test_time_goes_no_further_than_auth_tokens_can_tell(client: Client, clock: Clock) -> None:
    await move(client, at=LATEST_WISH)
    for _ in range(2):
        await move(client, advance=10**9)
    at = clock.now()

    details = await details_of(client.patch("/_mock/clock", json={"advance": 10**9}))

    assert details == {"advance": [f"The advance leads beyond {LATEST} unix seconds."]}
    assert clock.now() == at
    assert str(int(at)) in await issue_token(client, "superhero1")


async def test_a_refused_resume_leaves_a_frozen_clock_frozen(client: Client, clock: Clock) -> None:
    body = {"resume": True, "at": LATEST_WISH, "advance": "x"}

    await details_of(client.patch("/_mock/clock", json=body))

    assert clock.frozen


# --- what follows it ------------------------------------------------------------------------
async def test_timestamps_follow(client: Client) -> None:
    await move(client, at="2030-01-01T00:00:00Z")

    user = await create_user(client, "u1")

    assert user["createdAt"] == 1_893_456_000
    assert f"u1_{user['createdAt']}" in await issue_token(client, "u1")
    assert (await journal_of(client))[-1]["at"] == user["createdAt"]


async def test_tokens_and_their_websockets_end_with_it_and_not_where_time_goes_back(
    serve: Serve,
) -> None:
    client = await serve(token_ttl=3600.0)
    me = await log_in(client, "superhero1")
    shown = by_token(me["authToken"])
    socket = await connect(client, me)

    await move(client, at=NOW - 10**6)
    await assert_lives(socket)

    await move(client, at=NOW + 59 * 60)
    assert await data_of(client.get("/me", headers=shown))
    await move(client, advance="1m")
    await assert_error(client.get("/me", headers=shown), errors.AUTH_TOKEN_UNKNOWN)
    assert await end_of(socket) == 1008


async def test_the_rate_limit_s_minute_passes_with_it(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await client.get("/users", headers=REST_KEY)
    refused = await client.get("/users", headers=REST_KEY)
    assert refused.status == 429

    await move(client, advance=int(refused.headers["Retry-After"]))

    assert await data_of(client.get("/users", headers=REST_KEY))


async def test_a_moved_app_leaves_the_others_at_their_time(serve: Serve, clock: Clock) -> None:
    client = await serve(token_ttl=3600.0)
    store = client.app[STORE]
    me = await data_of(client.post("/apps/one/v3/login", json=LOGIN))
    socket = await connect(client, me, app_id="one")
    neighbour = await connect(client, await log_in(client, "superhero1"))

    told = await move(client, advance="1h", app="ONE")

    assert told["now"] == NOW + 3600
    assert await end_of(socket) == 1008
    await assert_lives(neighbour)
    times = {app: (await data_of(made(client, app)))["createdAt"] for app in ("one", "two")}
    assert times == {"one": NOW + 3600, "two": NOW}
    journal = await journal_of(client, app="one", operation="create_user")
    assert [one["at"] for one in journal] == [NOW + 3600]
    presence = {app.id: app.user("superhero1").last_active_at for app in store.apps()}
    assert presence == {"APP_ID": NOW, "one": NOW + 3600, "two": None}
    assert [await time_of(client, app=app) for app in ("one", "two", "new")] == [3600, 0, 0]
    assert (await time_of(client), clock.now()) == (0, NOW)


async def test_moving_the_server_s_clock_moves_every_app_s(client: Client) -> None:
    await move(client, advance=60, app="one")
    await move(client, advance=0, app="two")

    await move(client, advance=5)
    assert [await time_of(client, app=app) for app in ("one", "two", "new")] == [65, 5, 5]
    await move(client, at=NOW + 1)
    assert [await time_of(client, app=app) for app in ("one", "two", "new")] == [1, 1, 1]


async def test_an_app_that_is_reset_or_made_anew_is_at_the_server_s_time(client: Client) -> None:
    await move(client, at=0, app="one")
    await move(client, advance=7)
    await steer(client, "POST", "reset", app="one")
    store = client.app[STORE]
    assert await time_of(client, app="one") == 7
    assert store.app("one").user("superhero1").created_at == NOW + 7

    await move(client, at=0, app="one")
    old = store.app("one").clock
    store.open("one")
    store.clock.advance(1)
    assert (old.now(), store.app("one").clock.now()) == (0, NOW + 8)


def made(client: Client, app: str) -> Request:
    body = {"uid": "u1", "name": "x"}
    return client.post(f"/apps/{app}/users", json=body, headers=REST_KEY)


async def time_of(client: Client, **query: str) -> float:
    """Return how many seconds later than the tests' time it is."""
    now: float = (await body_of(client.get("/_mock/clock", params=query)))["now"]
    return now - NOW
