"""Settings: their types, and the hosts that mirror the request (sdk-wire 1.5, product 1)."""

import re
import ssl
from pathlib import Path

from aiohttp import ClientSession
from yarl import URL

from mockchat import Config, MockChat
from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, data_of
from tests.rows import each_row, telling
from tests.sessions import by_token, issue_token
from tests.values import NOW, Client, Json, Serve

FLAGS = ["CHAT_USE_SSL", "XMPP_USE_SSL", "WEBRTC_USE_SSL", "ANALYTICS_USE_SSL"]
PORTS = [
    f"{service}_{port}_PORT"
    for service in ("CHAT", "WEBRTC")
    for port in ("WS", "WSS", "HTTP_BIND", "HTTPS_BIND")
]
TEXTS = [
    *("REGION", "MODE", "CHAT_API_VERSION", "WS_API_VERSION", "MAIN_DOMAIN", "EXTENSION_DOMAIN"),
    *("ADMIN_API_HOST", "CLIENT_API_HOST", "CHAT_HOST", "CHAT_HOST_OVERRIDE"),
    *("CHAT_HOST_APP_SPECIFIC", "GROUP_SERVICE", "CALL_SERVICE", "WEBRTC_HOST"),
    *("WEBRTC_API_SUBDOMAIN", "ANALYTICS_HOST", "ANALYTICS_VERSION", "settingsHash"),
    "SECURED_MEDIA_HOST",
]


async def settings_of(client: Client, prefix: str = "", **headers: str) -> Json:
    token = await issue_token(client, "superhero1")
    path = f"{prefix}/settings"
    return await data_of(client.get(path, headers={**by_token(token), **headers}))


async def by_host(client: Client, host: str) -> Json:
    return await settings_of(client, Host=host, appId="APP_ID")


def api_hosts(settings: Json) -> set[str]:
    return {settings["ADMIN_API_HOST"], settings["CLIENT_API_HOST"]}


# --- types ----------------------------------------------------------------------------------
async def test_settings_have_their_types_and_hold_no_more_than_is_known(client: Client) -> None:
    settings = await settings_of(client)

    assert [name for name in TEXTS + PORTS if not isinstance(settings[name], str)] == []
    assert [name for name in TEXTS + PORTS if not settings[name]] == []
    assert [name for name in PORTS if not settings[name].isdigit()] == []
    assert [settings[name] for name in FLAGS] == [False] * 4
    fixed = {
        "APP_VERSION": 3,
        "settingsHashReceivedAt": NOW,
        "extensions": [],
        "parameters": {},
        "ANALYTICS_PING_DISABLED": True,
    }
    assert settings.items() >= fixed.items()
    assert settings.keys() == {*TEXTS, *PORTS, *FLAGS, *fixed}


async def test_the_fixed_values_are_those_of_the_service(client: Client, serve: Serve) -> None:
    settings = await settings_of(client)

    assert settings["REGION"] == "us"
    assert settings["MODE"] == "DEFAULT"
    assert settings["CHAT_API_VERSION"] == settings["WS_API_VERSION"] == "v3.0"
    assert settings["ANALYTICS_VERSION"] == "v1"
    assert (await settings_of(await serve(region="eu")))["REGION"] == "eu"


async def test_a_login_holds_the_same_settings_and_the_same_hash(client: Client) -> None:
    settings = await settings_of(client)
    token = await issue_token(client, "superhero1")

    me = await data_of(client.put("/me", headers=by_token(token)))

    assert me["settings"] == settings == await settings_of(client)
    assert re.fullmatch(r"\S+", settings["settingsHash"])
    await assert_error(client.get("/settings"), errors.AUTH_TOKEN_MISSING)


# --- hosts ----------------------------------------------------------------------------------


@each_row(
    ("host", "netloc", "name", "port"),
    [
        ("10.0.2.2:8443", "10.0.2.2:8443", "10.0.2.2", "8443"),
        ("mockchat:8080", "mockchat:8080", "mockchat", "8080"),
        ("Host.Docker.Internal:81", "host.docker.internal:81", "host.docker.internal", "81"),
        ("localhost", "localhost", "localhost", "80"),
        ("localhost:80", "localhost", "localhost", "80"),
        ("[::1]:8443", "[::1]:8443", "[::1]", "8443"),
        ("[FE80::A]", "[fe80::a]", "[fe80::a]", "80"),
        ("mock_chat.test.:90", "mock_chat.test:90", "mock_chat.test", "90"),
    ],
)
async def test_hosts_mirror_the_host_header(
    client: Client, host: str, netloc: str, name: str, port: str
) -> None:
    settings = await by_host(client, host)

    assert api_hosts(settings) == {netloc}
    assert settings["ANALYTICS_HOST"] == netloc
    assert settings["CHAT_HOST"] == settings["CHAT_HOST_OVERRIDE"] == name
    assert settings["CHAT_HOST_APP_SPECIFIC"] == name
    assert settings["CHAT_WSS_PORT"] == settings["CHAT_WS_PORT"] == port


async def test_an_empty_host_means_this_machine(client: Client) -> None:
    for settings in (await by_host(client, ""), await settings_of(client)):
        assert api_hosts(settings) == {f"127.0.0.1:{client.port}"}
    assert settings["CHAT_HOST"] == "127.0.0.1"
    assert settings["CHAT_WS_PORT"] == settings["CHAT_WSS_PORT"] == str(client.port)


async def test_a_client_of_live_names_is_told_live_names(client: Client) -> None:
    token = await token_in(client, "app1")
    for host, region, tail in (
        ("app1.apiclient-us.cometchat.io", "us", ""),
        ("app1.api-us.cometchat.io:8443", "us", ":8443"),
        ("APP1.ApiClient-US.CometChat.IO:8080", "us", ":8080"),
        ("app1.apiclient-in.cometchat.io", "in", ""),
    ):
        settings = await settings_of(client, Host=host, authToken=token)

        with telling(host=host):
            told = f"-{region}.cometchat.io"
            assert settings["ADMIN_API_HOST"] == f"app1.api{told}{tail}"
            assert settings["CLIENT_API_HOST"] == f"app1.apiclient{told}{tail}"
            assert settings["ANALYTICS_HOST"] == f"app1.metrics{told}{tail}"
            assert settings["CHAT_HOST"] == f"app1.websocket{told}"
            assert settings["CHAT_WSS_PORT"] == (tail.strip(":") or "80")
            assert settings["REGION"] == region
    # The names of old SDKs lead to names with the app.
    settings = await settings_of(client, Host="apiclient-eu.cometchat.io", appId="APP_ID")
    assert settings["CLIENT_API_HOST"] == "app_id.apiclient-eu.cometchat.io"


async def test_hosts_keep_a_path_prefix_and_work_with_the_version(client: Client) -> None:
    token = await token_in(client, "app1")
    for prefix in ("/apps/app1/v3.0", "/apps/app1"):
        settings = await settings_of(client, prefix, authToken=token)
        assert api_hosts(settings) == {f"127.0.0.1:{client.port}/apps/app1"}, prefix

    host, version = settings["CLIENT_API_HOST"], settings["CHAT_API_VERSION"]
    response = await client.session.get(f"http://{host}/{version}/me", headers=by_token(token))

    assert response.status == 200


async def token_in(client: Client, app_id: str) -> str:
    headers = {"apikey": "AUTH_KEY", "appId": app_id}
    data = await data_of(client.post("/users/superhero1/auth_tokens", headers=headers))
    return str(data["authToken"])


# --- settings of the server that decide -----------------------------------------------------
async def test_the_public_url_fixes_the_hosts(serve: Serve) -> None:
    client = await serve(public_url="https://mock.example:9443")
    plain = await serve(public_url="https://mock.example")

    settings = await by_host(client, "localhost:1")

    assert api_hosts(settings) == {"mock.example:9443"}
    assert settings["CHAT_HOST"] == "mock.example"
    assert settings["CHAT_WSS_PORT"] == "9443"
    assert [settings[name] for name in FLAGS] == [True] * 4
    without_port = await settings_of(plain)
    assert api_hosts(without_port) == {"mock.example"}
    assert without_port["CHAT_WSS_PORT"] == "443"


async def test_a_trusted_proxy_tells_where_the_client_came_by(serve: Serve) -> None:
    trusting, client = await serve(trust_proxy=True), await serve()
    forwarded = {"X-Forwarded-Host": "mock.example, inner", "X-Forwarded-Proto": "https, http"}

    settings = await settings_of(trusting, **forwarded)
    unbelieved = await settings_of(client, **forwarded)

    assert api_hosts(settings) == {"mock.example"}
    assert (settings["CHAT_WSS_PORT"], settings["CHAT_USE_SSL"]) == ("443", True)
    assert api_hosts(unbelieved) == {f"127.0.0.1:{client.port}"}
    assert unbelieved["CHAT_USE_SSL"] is False


async def test_a_server_with_https_sends_websockets_there(tmp_path: Path, clock: Clock) -> None:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path))
    body = {"uid": "superhero1", "authKey": "AUTH_KEY"}
    found = []

    async with MockChat(config, clock=clock) as mock, ClientSession() as session:
        urls = [str(mock.url), str(mock.https_url)]
        trust = ssl.create_default_context(cafile=str(mock.ca_path))
        for url in urls:
            async with session.post(f"{url}/login", json=body, ssl=trust) as response:
                found.append((await response.json())["data"]["settings"])

    plain, secure = found
    ports = [str(URL(url).port) for url in urls]
    assert [plain["CHAT_WS_PORT"], plain["CHAT_WSS_PORT"]] == ports
    assert api_hosts(secure) == {f"127.0.0.1:{ports[1]}"}
    assert secure["CHAT_WSS_PORT"] == ports[1]
    assert [secure[name] for name in FLAGS] == [True] * 4
