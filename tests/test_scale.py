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
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, WSMsgType

from mockchat.wire.hosts import REGIONS, SERVICES, app_in, parse_host
from mockchat.wire.routing import parse_path
from tests.helpers import PATIENCE, REST_KEY, body_of, by_token, data_of
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


@pytest.mark.parametrize("way", WAYS)
async def test_nginx_finds_the_app_of_a_request_where_mockchat_does(
    web: ClientSession, scale: Scale, way: str
) -> None:
    apps = await apps_of_both(web, scale, "found")
    for process, other in (("1", apps["2"]), ("2", apps["1"])):
        one = apps[process]
        names = {"one": one, "other": other, "ONE": one.upper(), "percents": f"%66{one[1:]}"}
        path, host, headers = (filled(part, names) for part in WAYS[way])

        assert app_by_mockchat(path, host, headers) == one
        assert await process_of(web, scale.url + path, Host=host, **headers) == process


def filled(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: value.format_map(names) for name, value in part.items()}
    return part.format_map(names)


def app_by_mockchat(path: str, host: str, headers: dict[str, str]) -> str:
    """The app that mockchat sees in a request, by its own code."""
    address = parse_host(host, secure=False)
    assert address is not None
    by_path = parse_path(path.partition("?")[0]).app_id
    return (by_path or app_in(address.name) or "".join(headers.values())).lower()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("region", REGIONS)
async def test_every_live_host_name_leads_to_its_app(
    web: ClientSession, scale: Scale, service: str, region: str
) -> None:
    for process, app in (await apps_of_both(web, scale, "live")).items():
        url = f"https://{app}.{service}-{region}.cometchat.io:{scale.ports['8443']}/"

        assert await process_of(web, url) == process


async def test_a_request_that_names_no_app_is_for_the_default_app(
    web: ClientSession, scale: Scale
) -> None:
    me = await log_in(web, scale.url)

    by_name = web.get(
        f"{scale.url}/me", headers={**by_token(me["authToken"]), "appId": DEFAULT_APP}
    )
    assert (await data_of(by_name))["uid"] == me["uid"]


@pytest.mark.parametrize("pattern", ["{}", "run-{}", "pr-{}-e2e", "{:032x}", "team-{:x}-nightly"])
async def test_apps_spread_over_the_processes(
    web: ClientSession, scale: Scale, pattern: str
) -> None:
    ids = [pattern.format(number**9 if "032x" in pattern else number) for number in range(1, 201)]

    found = Counter([await process_of(web, f"{scale.url}/apps/{app}/") for app in ids])

    assert min(found["1"], found["2"]) > 60


# --- where a client goes on -----------------------------------------------------------------
async def test_an_sdk_is_sent_on_to_the_process_of_its_app(
    web: ClientSession, scale: Scale
) -> None:
    for process, app in (await apps_of_both(web, scale, "sdk")).items():
        settings = (await log_in(web, scale.https_url, appId=app))["settings"]

        port = scale.ports[f"845{process}"]
        assert settings["CLIENT_API_HOST"] == settings["ADMIN_API_HOST"] == f"localhost:{port}"
        assert (settings["CHAT_HOST"], settings["CHAT_WSS_PORT"]) == ("localhost", str(port))


async def test_a_client_that_came_by_a_path_keeps_it(web: ClientSession, scale: Scale) -> None:
    for process, app in (await apps_of_both(web, scale, "path")).items():
        settings = (await log_in(web, f"{scale.https_url}/apps/{app}"))["settings"]

        port = scale.ports[f"845{process}"]
        assert settings["CLIENT_API_HOST"] == f"localhost:{port}/apps/{app}"


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
API_OF_A_WAY = {
    "header": "https://localhost:{port}",
    "path": "https://127.0.0.1:{port}/apps/{app}",
    "name": "https://{app}.api-us.cometchat.io:{port}",
}


@pytest.mark.parametrize("way", API_OF_A_WAY)
async def test_the_socket_that_settings_name_is_that_of_the_app_s_process(
    web: ClientSession, scale: Scale, way: str
) -> None:
    for app in (await apps_of_both(web, scale, f"ws-{way}")).values():
        api = API_OF_A_WAY[way].format(port=scale.ports["8443"], app=app)
        me = await log_in(web, api, appId=app)

        socket = await connect(web, socket_url(me), me, app)

        await socket.send_json({"action": "ping", "ack": True})
        assert await socket.receive_json(timeout=PATIENCE) == {"action": "pong"}
        await socket.close()


async def test_a_client_of_one_s_own_opens_its_socket_by_path(
    web: ClientSession, scale: Scale
) -> None:
    for app in (await apps_of_both(web, scale, "own")).values():
        api = f"{scale.url}/apps/{app}"

        socket = await connect(web, api, await log_in(web, api), app)

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


@pytest.mark.parametrize(
    "url", ["/apps/{app}/_mock/reset", "/_mock/reset?app={app}", "/_mock/reset"]
)
async def test_a_control_action_on_one_app_reaches_its_process(
    web: ClientSession, scale: Scale, url: str
) -> None:
    for app in (await apps_of_both(web, scale, "steered")).values():
        users, mine = f"{scale.url}/users", {**REST_KEY, "appId": app}
        await data_of(web.post(users, json={"uid": "guest", "name": "Guest"}, headers=mine))
        headers = {} if app in url.format(app=app) else {"appId": app}

        await body_of(web.post(scale.url + url.format(app=app), headers=headers))

        assert await status_of(web.get(f"{users}/guest", headers=mine)) == 404


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


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_an_error_of_mockchat_s_own_comes_as_it_is(
    web: ClientSession, scale: Scale, status: int
) -> None:
    fault = {"X-Mock-Fault": f"error={status}", **REST_KEY}

    answer = await web.get(f"{scale.url}/users", headers=fault)

    assert answer.status == status
    assert (await answer.json())["error"]["source"] == "chat-api"


async def test_a_connection_that_mockchat_resets_is_a_502(web: ClientSession, scale: Scale) -> None:
    answer = await web.get(f"{scale.url}/users", headers={"X-Mock-Fault": "reset", **REST_KEY})

    assert answer.status == 502
    assert (await answer.json())["error"]["source"] == "nginx"


# --- the end of a process -------------------------------------------------------------------
@pytest.fixture
def doomed(tmp_path: Any) -> Iterator[Scale]:
    with scaled(tmp_path) as scale:
        yield scale


async def test_a_killed_process_takes_only_its_own_apps_with_it(doomed: Scale) -> None:
    async with session_for(doomed) as web:
        apps = await apps_of_both(web, doomed, "kill")
        sockets = {}
        for process, app in apps.items():
            me = await log_in(web, doomed.https_url, appId=app)
            sockets[process] = await connect(web, socket_url(me), me, app)

        os.kill(doomed.pids["1"], signal.SIGKILL)

        assert (await sockets["1"].receive(timeout=PATIENCE)).type is WSMsgType.CLOSED
        await sockets["2"].send_json({"action": "ping", "ack": True})
        assert await sockets["2"].receive_json(timeout=PATIENCE) == {"action": "pong"}
        await assert_only_process_1_is_gone(web, doomed, apps)


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


async def test_a_process_that_is_started_again_has_its_apps_again(doomed: Scale) -> None:
    async with session_for(doomed) as web:
        app = (await apps_of_both(web, doomed, "again"))["1"]
        os.kill(doomed.pids["1"], signal.SIGKILL)
        url = f"{doomed.https_url}/apps/{app}"
        assert await status_of(web.get(f"{url}/users", headers=REST_KEY)) == 502

        flags = ["--port", str(doomed.ports["9001"]), "--https-port", "off", "--trust-proxy"]
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mockchat", "serve", *flags),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert started.stdout is not None
            assert b"is up" in await asyncio.wait_for(started.stdout.readline(), START_LIMIT)
            assert (await log_in(web, url))["uid"] == "SUPERHERO1"
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
    assert nginx["ports"] == [f"{port}:{port}" for port in re.findall(r"listen (\d+)", CONF)]
