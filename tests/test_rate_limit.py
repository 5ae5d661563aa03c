"""Rate limits: the headers that always come, and the 429 where a limit is set."""

from collections.abc import Mapping

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, data_of
from tests.helpers import create_user
from tests.values import NOW, REST_KEY, Client, Serve

LEFT = 60 - NOW % 60  # seconds that the frozen clock's minute still has


def limits(headers: Mapping[str, str]) -> list[str]:
    names = ("Limit", "Remaining", "Limit-For-App", "Remaining-For-App")
    return [headers[f"X-RateLimit-{name}"] for name in names]


async def test_each_class_counts_down_by_itself_and_the_app_s_for_all_every_minute_anew(
    client: Client, clock: Clock
) -> None:
    refused = await client.get("/users")
    assert refused.status == 401
    assert limits(refused.headers) == ["20000", "19999", "100000", "99999"]
    await create_user(client, "u1")

    first = await client.get("/users/u1", headers=REST_KEY)
    second = await client.put("/users/u1", headers=REST_KEY)

    assert limits(first.headers) == ["20000", "19998", "100000", "99997"]
    assert limits(second.headers) == ["20000", "19997", "100000", "99996"]
    clock.advance(LEFT)
    for left in range(1, 31):  # and without a limit of ours, nobody is refused
        response = await client.get("/users/u1", headers=REST_KEY)
        assert response.status == 200
        expected = ["20000", str(20_000 - left), "100000", str(100_000 - left)]
        assert limits(response.headers) == expected
    imported = await client.post("/data_import/users", json={"users": {}}, headers=REST_KEY)
    assert limits(imported.headers)[:2] == ["60", "59"]


async def test_a_request_over_the_limit_is_refused_until_the_time_that_it_is_told(
    serve: Serve, clock: Clock
) -> None:
    client = await serve(rate_limit=2)
    for path in ("/nope", "/", "/nope"):  # what is no operation costs nothing
        await client.get(path)
    for left in ("1", "0"):
        served = await client.get("/users/superhero1", headers=REST_KEY)
        assert (served.status, limits(served.headers)) == (200, ["2", left, "2", left])

    refused = await client.get("/users", headers=REST_KEY)

    assert limits(refused.headers) == ["2", "0", "2", "0"]
    assert refused.headers["Retry-After"] == str(LEFT)
    assert refused.headers["X-Rate-Limit-Reset"] == str(NOW + LEFT)
    assert f"{LEFT} seconds" in await refused.text()
    await assert_error(client.get("/users", headers=REST_KEY), errors.TOO_MANY_REQUESTS)
    clock.advance(int(refused.headers["Retry-After"]))
    await data_of(client.get("/users", headers=REST_KEY))
