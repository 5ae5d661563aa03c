"""The control API and its guard (product section 5)."""

import asyncio

from mockchat import __version__
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core import errors
from mockchat.core.errors import CATALOGUE
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of
from tests.helpers import journal_of, steer, until_watched
from tests.raw import send_raw
from tests.values import AUTH_KEY, NOW, PATIENCE, REST_KEY, Client, Json, Serve

OPEN = ["/_mock/health", "/_mock/ca.pem", "/_mock/jwks.json"]
ALL = [*OPEN, "/_mock/errors"]


# --- actions --------------------------------------------------------------------------------
async def test_health_tells_that_the_server_is_up(client: Client) -> None:
    health = await body_of(client.get("/_mock/health"))

    assert health["status"] == "ok"
    assert health["version"] == __version__


async def test_the_catalogue_is_listed_in_both_dialects(client: Client) -> None:
    listed = await body_of(client.get("/_mock/errors"))

    assert [row["name"] for row in listed] == list(CATALOGUE)
    row = next(row for row in listed if row["name"] == "key_unknown")
    assert row["documented"]["code"] == "ERROR_API_KEY_NOT_FOUND"
    assert row["live"]["code"] == "AUTH_ERR_APIKEY_NOT_FOUND"
    assert row["live"]["status"] == 401
    assert row["live"]["evidence"] == "live"


async def test_a_server_without_a_ca_says_so(client: Client) -> None:
    await assert_error(client.get("/_mock/ca.pem"), errors.NO_CA)


async def test_an_unknown_action_is_no_api(client: Client) -> None:
    unknown = ("GET /_mock", "GET /_mock/nope", "POST /_mock/health", "OPTIONS /_mock/health")
    for method, path in map(str.split, unknown):
        await assert_error(client.request(method, path), errors.API_NOT_FOUND)


async def test_control_calls_cost_no_quota(serve: Serve) -> None:
    client = await serve(rate_limit=1)

    for _ in range(3):
        response = await client.get("/_mock/health")
        assert response.status == 200
        assert "X-RateLimit-Limit" not in response.headers


# --- pages of other origins -----------------------------------------------------------------
async def test_pages_of_other_origins_are_refused_wherever_the_server_is_bound(
    client: Client, serve: Serve
) -> None:
    wide = await serve(host="0.0.0.0")
    wider = {"Host": "mockchat:8080", "Origin": "https://evil.example"}
    await assert_error(wide.get("/_mock/errors", headers=wider), errors.CONTROL_ORIGIN)
    origins = (
        *("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"),
        *("http://[::1", "http://a:99999", f"https://127.0.0.1:{client.port}"),
    )
    others = [{"Origin": origin} for origin in origins]
    others += [{"Sec-Fetch-Site": site} for site in ("cross-site", "same-site")]
    for headers in others:
        for path in ALL:
            await assert_error(client.get(path, headers=headers), errors.CONTROL_ORIGIN)


async def test_the_server_s_own_pages_are_served(client: Client) -> None:
    own = f"http://127.0.0.1:{client.port}"
    for headers in (
        {"Origin": own, "Sec-Fetch-Site": "same-origin"},
        {"Origin": own, "Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost", "Host": "localhost"},  # at the scheme's own port
    ):
        assert await body_of(client.get("/_mock/errors", headers=headers)), headers


# --- names ----------------------------------------------------------------------------------
async def test_on_loopback_its_own_names_are_served_and_foreign_ones_refused(
    client: Client, serve: Serve
) -> None:
    foreign = ("evil.example", "evil.example:8080", "10.0.0.7", "app1.api-us.cometchat.io", "[::2]")
    for host in foreign:
        for path in ALL:
            await assert_error(client.get(path, headers={"Host": host}), errors.CONTROL_HOST)
    for host in (
        *("localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.2:1", "[::1]:8443"),
        *("10.0.2.2:8080", "host.docker.internal", "app.localhost:8080"),
    ):
        assert await body_of(client.get("/_mock/health", headers={"Host": host})), host


async def test_beyond_loopback_no_name_of_public_dns_is_served_unless_it_is_allowed(
    serve: Serve,
) -> None:
    wide = await serve(host="0.0.0.0")
    named = await serve(host="0.0.0.0", allow_host=("Mock.Example.com",))
    ours = ["mockchat:8080", "10.0.0.7:8080", "[fd00::7]", "mock.local", "localhost:8080"]
    ours += ["host.docker.internal", "mockchat.ci.svc", "mockchat.ci.svc.cluster.local."]
    foreign = ("evil.example:8080", "mockchat.ci", "svc.evil.example", "local.evil.example")
    for host in ours:
        assert await body_of(wide.get("/_mock/errors", headers={"Host": host})), host
        assert (await wide.get("/", headers={"Host": host})).status == 200, host
    for host in (*foreign, "mock.example.com"):
        for path in (*ALL, "/"):
            await assert_error(wide.get(path, headers={"Host": host}), errors.CONTROL_HOST)

    assert await body_of(named.get("/_mock/errors", headers={"Host": "mock.example.com:8080"}))
    assert (await wide.get("/users", headers={**REST_KEY, "Host": "evil.example"})).status == 200


async def test_no_other_way_to_name_a_host_deceives_the_guard(client: Client, serve: Serve) -> None:
    trusting = await serve(trust_proxy=True)
    rebound = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
    await assert_error(trusting.get("/_mock/errors", headers=rebound), errors.CONTROL_HOST)
    forwarded = {"X-Forwarded-Host": "evil.example"}
    await assert_error(trusting.get("/_mock/errors", headers=forwarded), errors.CONTROL_HOST)
    for target, host, wanted in (
        ("http://evil.example/_mock/errors", "localhost", 403),
        ("http://localhost/_mock/errors", "evil.example", 403),
        ("http://localhost/_mock/errors", "localhost", 200),
    ):
        status, _ = await send_raw(client, head_of(target, host))
        assert status == wanted, (target, host)


async def test_a_host_that_cannot_be_read_is_refused(client: Client) -> None:
    unreadable = ("evil example", "a@localhost", "[::1", "localhost:x", "a:b:c", ":8080", "a/b")
    for host in (*unreadable, "localhost:0", "localhost:65536"):
        for path in ("/_mock/errors", "/users", "/"):
            status, body = await send_raw(client, head_of(path, host))
            assert status == 400, (host, path)
            assert b'"details":{"Host":["The selected host is invalid."]}' in body, (host, path)
    assert (await send_raw(client, b"GET /_mock/health HTTP/1.0\r\n\r\n"))[0] == 200


def head_of(target: str, host: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\napikey: REST_API_KEY\r\n\r\n".encode()


# --- the control token ----------------------------------------------------------------------
async def test_the_control_token_opens_the_control_api_and_probes_need_none(serve: Serve) -> None:
    client = await serve(control_token="secret")
    values = ("", "Bearer", "Bearer wrong", "Basic c2VjcmV0", "Bearer ünïcode")
    for headers in ({}, AUTH_KEY, *({"Authorization": value} for value in values)):
        await assert_error(client.get("/_mock/errors", headers=headers), errors.CONTROL_TOKEN)

    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} secret"}
        assert await body_of(client.get("/_mock/errors", headers=headers))
    assert await body_of(client.get("/_mock/health"))
    await assert_error(client.get("/_mock/ca.pem"), errors.NO_CA)


# --- apps -----------------------------------------------------------------------------------
async def test_reading_and_deleting_make_no_app_and_make_none_go(serve: Serve) -> None:
    client = await serve(max_apps=1)
    store = client.app[STORE]
    await client.get("/apps/one/v3/users", headers=REST_KEY)
    await steer(client, "PUT", "snapshots/all")
    apps, clocks = tuple(store.apps()), len(store.clock.followers)

    for operation in CONTROL_OPERATIONS:
        if operation.method in ("GET", "DELETE"):
            path = operation.path.format(name="x", exchange="1", fault="1", file="x")
            for target in (f"{path}?app=typo", f"/apps/typo{path}"):
                answer = await client.request(operation.method, target)
                assert answer.status in (200, 404), target

    assert (tuple(store.apps()), len(store.clock.followers)) == (apps, clocks)


async def test_an_app_that_nobody_used_reads_as_it_will_start(client: Client) -> None:
    async def read(path: str) -> Json:
        return await body_of(client.get(f"/_mock/{path}?app=new"))

    assert (await read("journal"))["exchanges"] == await read("faults") == []
    assert await read("logins") == {"held": {"new": []}, "waiting": {"new": []}}
    assert (await read("clock"))["now"] == NOW
    before = (await read("state"))["apps"]["new"]
    await client.get("/apps/new/v3/users", headers=REST_KEY)
    assert before["users"] == (await read("state"))["apps"]["new"]["users"]


async def test_what_is_waited_for_may_come_with_its_app(client: Client) -> None:
    journal = asyncio.create_task(journal_of(client, app="new", wait="60s"))
    query = {"app": "new", "wait": "60s"}
    login = asyncio.create_task(body_of(client.get("/_mock/logins", params=query)))
    await until_watched(client)
    async with asyncio.timeout(PATIENCE):
        await client.get("/apps/NEW/v3/users", headers=REST_KEY)
        assert [one["app"] for one in await journal] == ["NEW"]

        await steer(client, "POST", "logins", app="new")
        body = {"uid": "superhero1", "authKey": "AUTH_KEY"}
        held = asyncio.create_task(body_of(client.post("/apps/new/v3/login", json=body)))
        assert (await login)["waiting"] == {"NEW": ["superhero1"]}
        await steer(client, "DELETE", "logins", app="new")
        assert await held
