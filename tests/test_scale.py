"""Several processes behind one nginx (`examples/scale`): each app has one, and keeps it."""

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, WSMsgType

from mockchat.wire.hosts import REGIONS, SERVICES, parse_host
from mockchat.wire.routing import parse_path
from tests.answers import body_of, data_of
from tests.scale import (
    CONF,
    EXAMPLE,
    ROOT,
    START_LIMIT,
    Scale,
    apps_of_both,
    connect,
    log_in,
    process_of,
    scaled,
    session_for,
    socket_url,
    status_of,
)
from tests.sessions import assert_lives, by_token
from tests.values import PATIENCE, REST_KEY

DEFAULT_APP = "APP_ID"
# The ways in which a request names an app `one`, and maybe, in a weaker place, some `other`.
WAYS: dict[str, tuple[str, str, dict[str, str]]] = {
    "path": ("/apps/{one}/v3/users", "localhost", {}),
    "path, not name": ("/apps/{one}/users", "{other}.api-us.cometchat.io", {}),
    "path, not header": ("/apps/{one}/users", "localhost", {"appId": "{other}"}),
    "path with doubled slashes": ("//apps//{one}//v3.0//users", "localhost", {}),
    "path with a query": ("/apps/{one}?at=/apps/{other}/", "localhost", {}),
    "path in capitals": ("/apps/{ONE}/v3/users", "localhost", {}),
    "path in percents": ("/apps/{percents}/v3/users", "localhost", {}),
    "name": ("/v3/users", "{one}.api-us.cometchat.io", {}),
    "name, not header": ("/v3/users", "{one}.api-us.cometchat.io", {"appId": "{other}"}),
    "name in capitals": ("/v3/users", "{ONE}.API-US.cometchat.io:443", {}),
    "name with a dot behind": ("/v3/users", "{one}.api-us.cometchat.io.", {}),
    "header": ("/v3/users", "localhost", {"appId": "{one}"}),
    "header in lower case": ("/v3/users", "127.0.0.1", {"appid": "{one}"}),
    "header in capitals": ("/v3/users", "[::1]:8443", {"APPID": "{ONE}"}),
    "header, not a path that only ends so": ("/v3/apps/{other}", "a.test", {"appId": "{one}"}),
    "header, not a name of others": ("/v3/users", "{other}.example.com", {"appId": "{one}"}),
    "header, not a live name alone": ("/v3/users", "api-us.cometchat.io", {"appId": "{one}"}),
}


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    with scaled(tmp_path_factory.mktemp("scale")) as scale:
        yield scale


@pytest.fixture
async def web(scale: Scale) -> AsyncIterator[ClientSession]:
    async with session_for(scale) as session:
        yield session


# --- which process has an app ---------------------------------------------------------------
async def test_two_apps_live_on_two_processes(web: ClientSession, scale: Scale) -> None:
    apps = await apps_of_both(web, scale, "alive")
    for app in apps.values():
        created = web.post(
            f"{scale.https_url}/users",
            json={"uid": "only-here", "name": "Only"},
            headers={**REST_KEY, "appId": app},
        )
        await data_of(created)

    found = {}
    for process in apps:
        for app in apps.values():
            url = f"{scale.behind_nginx(process)}/apps/{app}/users/only-here"
            found[process, app] = await status_of(web.get(url, headers=REST_KEY))

    assert found == {
        (process, app): 200 if app == apps[process] else 404
        for process in apps
        for app in apps.values()
    }


async def test_nginx_finds_the_app_of_a_request_where_mockchat_does(
    web: ClientSession, scale: Scale
) -> None:
    apps = await apps_of_both(web, scale, "found")
    for way, parts in WAYS.items():
        for process, other in (("1", apps["2"]), ("2", apps["1"])):
            one = apps[process]
            names = {"one": one, "other": other, "ONE": one.upper(), "percents": f"%66{one[1:]}"}
            path, host, headers = (filled(part, names) for part in parts)

            assert app_by_mockchat(path, host, headers) == one, way
            assert await process_of(web, scale.url + path, Host=host, **headers) == process, way


def filled(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: value.format_map(names) for name, value in part.items()}
    return part.format_map(names)


def app_by_mockchat(path: str, host: str, headers: dict[str, str]) -> str:
    """The app that mockchat sees in a request, by its own code."""
    address = parse_host(host, secure=False)
    assert address is not None
    by_path = parse_path(path.partition("?")[0]).app_id
    return (by_path or address.app_id or "".join(headers.values())).lower()


async def test_every_live_host_name_leads_to_its_app_and_no_name_to_the_default_app(
    web: ClientSession, scale: Scale
) -> None:
    for process, app in (await apps_of_both(web, scale, "live")).items():
        for service, region in product(SERVICES, REGIONS):
            name = f"{app}.{service}-{region}.cometchat.io"
            assert await process_of(web, f"https://{name}:{scale.ports['8443']}/") == process, name

    me = await log_in(web, scale.url)
    headers = {**by_token(me["authToken"]), "appId": DEFAULT_APP}
    assert (await data_of(web.get(f"{scale.url}/me", headers=headers)))["uid"] == me["uid"]


async def test_apps_spread_over_the_processes(web: ClientSession, scale: Scale) -> None:
    for pattern in ("{}", "run-{}", "pr-{}-e2e", "{:032x}", "team-{:x}-nightly"):
        ids = [pattern.format(each**9 if "032x" in pattern else each) for each in range(1, 201)]

        asked = (process_of(web, f"{scale.url}/apps/{app}/") for app in ids)
        found = Counter(await asyncio.gather(*asked))

        assert min(found["1"], found["2"]) > 60, pattern


# --- where a client goes on -----------------------------------------------------------------
async def test_a_client_is_sent_on_to_the_process_of_its_app_and_keeps_its_path(
    web: ClientSession, scale: Scale
) -> None:
    for process, app in (await apps_of_both(web, scale, "sdk")).items():
        port = scale.ports[f"845{process}"]

        settings = (await log_in(web, scale.https_url, appId=app))["settings"]
        by_path = (await log_in(web, f"{scale.https_url}/apps/{app}"))["settings"]

        assert settings["CLIENT_API_HOST"] == settings["ADMIN_API_HOST"] == f"localhost:{port}"
        assert (settings["CHAT_HOST"], settings["CHAT_WSS_PORT"]) == ("localhost", str(port))
        assert by_path["CLIENT_API_HOST"] == f"localhost:{port}/apps/{app}"


async def test_a_client_that_came_by_a_live_name_goes_on_by_live_names(
    web: ClientSession, scale: Scale
) -> None:
    port = scale.ports["8443"]

    me = await log_in(web, f"https://named.api-us.cometchat.io:{port}")

    assert me["settings"]["CLIENT_API_HOST"] == f"named.apiclient-us.cometchat.io:{port}"
    assert socket_url(me) == f"wss://named.websocket-us.cometchat.io:{port}/"


async def test_a_process_s_own_port_leads_there_whatever_the_app(
    web: ClientSession, scale: Scale
) -> None:
    for process, app in (await apps_of_both(web, scale, "port")).items():
        for port in ("1", "2"):
            assert await process_of(web, f"{scale.of_process(port)}/v3/users", appId=app) == port
        assert await process_of(web, f"{scale.https_url}/v3/users", appId=app) == process


# --- WebSockets -----------------------------------------------------------------------------
APIS = (
    "https://localhost:{port}",
    "https://127.0.0.1:{port}/apps/{app}",
    "https://{app}.api-us.cometchat.io:{port}",
)


async def test_the_socket_is_that_of_the_app_s_process_by_settings_and_by_path(
    web: ClientSession, scale: Scale
) -> None:
    for app in (await apps_of_both(web, scale, "ws")).values():
        own = f"{scale.url}/apps/{app}"  # a client of one's own opens its socket by path
        sockets = [await connect(web, own, await log_in(web, own), app)]
        for api in APIS:
            url = api.format(port=scale.ports["8443"], app=app)
            me = await log_in(web, url, appId=app)
            sockets.append(await connect(web, socket_url(me), me, app))

        for socket in sockets:
            await assert_lives(socket)
            await socket.close()


# --- the control API ------------------------------------------------------------------------
async def test_the_control_api_of_each_process_is_at_its_own_port(
    web: ClientSession, scale: Scale
) -> None:
    for process in ("1", "2"):
        url = f"{scale.of_process(process)}/_mock/health"

        assert (await body_of(web.get(url)))["status"] == "ok"
        assert await process_of(web, url) == process


async def test_a_page_that_nginx_served_may_call_the_control_api(
    web: ClientSession, scale: Scale
) -> None:
    found = {}
    for origin in (scale.https_url, "https://evil.example"):
        url = f"{scale.https_url}/_mock/errors"
        found[origin] = await status_of(web.get(url, headers={"Origin": origin}))

    assert found == {scale.https_url: 200, "https://evil.example": 403}


async def test_the_ca_that_signed_nginx_s_certificate_can_be_had_there(
    web: ClientSession, scale: Scale
) -> None:
    answer = await web.get(f"{scale.url}/_mock/ca.pem")

    assert await answer.read() == scale.ca_path.read_bytes()


async def test_a_control_action_on_one_app_reaches_its_process(
    web: ClientSession, scale: Scale
) -> None:
    for app in (await apps_of_both(web, scale, "steered")).values():
        users, mine = f"{scale.url}/users", {**REST_KEY, "appId": app}
        for url in (f"/apps/{app}/_mock/reset", f"/_mock/reset?app={app}", "/_mock/reset"):
            headers = {} if app in url else {"appId": app}
            await data_of(web.post(users, json={"uid": "guest", "name": "Guest"}, headers=mine))

            await body_of(web.post(scale.url + url, headers=headers))

            assert await status_of(web.get(f"{users}/guest", headers=mine)) == 404, url


# --- limits are mockchat's ------------------------------------------------------------------
async def test_a_body_of_megabytes_is_refused_by_mockchat_not_by_nginx(
    web: ClientSession, scale: Scale
) -> None:
    answer = await web.post(
        f"{scale.url}/users", data=io.BytesIO(b"x" * 3_000_000), headers=REST_KEY
    )

    assert answer.status == 400
    assert "body" in (await answer.json())["error"]["details"]
    assert answer.headers["Server"] == "mockchat"


async def test_an_error_of_mockchat_s_own_comes_as_it_is_and_a_reset_is_a_502(
    web: ClientSession, scale: Scale
) -> None:
    found = {}
    for fault in ("error=500", "error=502", "error=504", "reset"):
        headers = {"X-Mock-Fault": fault, **REST_KEY}
        answer = await web.get(f"{scale.url}/users", headers=headers)
        found[fault] = (answer.status, (await answer.json())["error"]["source"])

    own = {f"error={status}": (status, "chat-api") for status in (500, 502, 504)}
    assert found == {**own, "reset": (502, "nginx")}


# --- the end of a process -------------------------------------------------------------------
async def test_a_killed_process_takes_only_its_own_apps_with_it_until_it_is_started_again(
    web: ClientSession, scale: Scale
) -> None:
    """It is the last test of these processes."""
    apps = await apps_of_both(web, scale, "kill")
    sockets = {}
    for process, app in apps.items():
        me = await log_in(web, scale.https_url, appId=app)
        sockets[process] = await connect(web, socket_url(me), me, app)

    os.kill(scale.pids["1"], signal.SIGKILL)

    assert (await sockets["1"].receive(timeout=PATIENCE)).type is WSMsgType.CLOSED
    await assert_lives(sockets["2"])
    await assert_only_process_1_is_gone(web, scale, apps)

    async with process_1(scale):
        me = await log_in(web, f"{scale.https_url}/apps/{apps['1']}")
        assert me["uid"] == "SUPERHERO1"
    for socket in sockets.values():
        await socket.close()


async def assert_only_process_1_is_gone(
    web: ClientSession, scale: Scale, apps: dict[str, str]
) -> None:
    for _ in range(3):  # a failure is no reason to ask another process the next time
        for api in (scale.https_url, scale.of_process("1")):
            refused = await web.get(f"{api}/users", headers={**REST_KEY, "appId": apps["1"]})
            assert refused.status == 502
            assert (await refused.json())["error"]["code"] == "MOCK_PROCESS_DOWN"
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert await data_of(
            web.get(f"{scale.https_url}/users", headers={**REST_KEY, "appId": apps["2"]})
        )
        # A browser asks before it says which app it means.
        asked = web.options(f"{scale.https_url}/users", headers={"Origin": "https://a.test"})
        assert await status_of(asked) == 200


@asynccontextmanager
async def process_1(scale: Scale) -> AsyncIterator[None]:
    """Starts the first process again by hand."""
    flags = ["--port", str(scale.ports["9001"]), "--https-port", "off", "--trust-proxy"]
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mockchat", "serve", *flags),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert started.stdout is not None
        assert b"is up" in await asyncio.wait_for(started.stdout.readline(), START_LIMIT)
        yield
    finally:
        started.terminate()
        await started.communicate()


# --- the files ------------------------------------------------------------------------------
def test_compose_has_every_process_and_port_of_the_nginx_configuration() -> None:
    services = yaml.safe_load((EXAMPLE / "compose.yaml").read_text(encoding="utf-8"))["services"]
    nginx = services.pop("nginx")

    ports = {name: service["environment"]["MOCKCHAT_PORT"] for name, service in services.items()}
    assert ports == dict(re.findall(r"server (mockchat\d+):(\d+);", CONF))
    assert list(nginx["depends_on"]) == list(services)
    assert nginx["ports"] == [
        f"127.0.0.1:{port}:{port}" for port in re.findall(r"listen (\d+)", CONF)
    ]
