"""Rate limits: the headers that always come, and the 429 where a limit is set."""

from collections.abc import Mapping

import pytest

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.helpers import NOW, REST_KEY, Client, Serve, assert_error, create_user, data_of

LEFT = 60 - NOW % 60  # seconds that the frozen clock's minute still has


def limits(headers: Mapping[str, str]) -> list[str]:
    names = ("Limit", "Remaining", "Limit-For-App", "Remaining-For-App")
    return [headers[f"X-RateLimit-{name}"] for name in names]


async def test_each_class_counts_down_by_itself_and_the_app_s_for_all(client: Client) -> None:
    await create_user(client, "u1")
    await create_user(client, "u2")

    first = await client.get("/users/u1", headers=REST_KEY)
    second = await client.put("/users/u1", headers=REST_KEY)

    assert limits(first.headers) == ["20000", "19999", "100000", "99997"]
    assert limits(second.headers) == ["20000", "19998", "100000", "99996"]


async def test_every_minute_starts_anew(client: Client, clock: Clock) -> None:
    await create_user(client, "u1")
    clock.advance(LEFT)

    response = await client.get("/users/u1", headers=REST_KEY)

    assert limits(response.headers) == ["20000", "19999", "100000", "99999"]


async def test_refused_requests_carry_the_headers_too(client: Client) -> None:
    response = await client.get("/users")

    assert response.status == 401
    assert limits(response.headers) == ["20000", "19999", "100000", "99999"]


async def test_without_a_limit_nobody_is_refused(client: Client) -> None:
    for _ in range(30):
        await data_of(client.get("/users/superhero1", headers=REST_KEY))


async def test_requests_over_the_limit_are_refused(serve: Serve) -> None:
    client = await serve(rate_limit=2)
    for _ in range(2):
        await data_of(client.get("/users/superhero1", headers=REST_KEY))

    await assert_error(client.get("/users", headers=REST_KEY), errors.TOO_MANY_REQUESTS)


async def test_a_refusal_tells_when_to_come_again(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await client.get("/users", headers=REST_KEY)

    response = await client.get("/users", headers=REST_KEY)

    assert response.headers["Retry-After"] == str(LEFT)
    assert response.headers["X-Rate-Limit-Reset"] == str(NOW + LEFT)
    assert f"{LEFT} seconds" in await response.text()


async def test_the_headers_of_a_refusal_say_that_nothing_is_left(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    served = await client.get("/users", headers=REST_KEY)

    refused = await client.get("/users", headers=REST_KEY)

    assert limits(served.headers) == ["1", "0", "1", "0"]
    assert limits(refused.headers) == ["1", "0", "1", "0"]


async def test_whoever_comes_again_when_told_is_served(serve: Serve, clock: Clock) -> None:
    client = await serve(rate_limit=1)
    await client.get("/users", headers=REST_KEY)
    refused = await client.get("/users", headers=REST_KEY)

    clock.advance(int(refused.headers["Retry-After"]))

    await data_of(client.get("/users", headers=REST_KEY))


@pytest.mark.parametrize("path", ["/nope", "/"])
async def test_what_is_no_operation_costs_nothing(serve: Serve, path: str) -> None:
    client = await serve(rate_limit=1)
    for _ in range(3):
        await client.get(path)

    await data_of(client.get("/users", headers=REST_KEY))
