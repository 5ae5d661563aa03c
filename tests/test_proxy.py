"""The proxy: live host names end at mockchat, other hosts are passed through or refused."""

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mockchat import Config, MockChat
from mockchat.config import ConfigError
from mockchat.serve import banner
from mockchat.server import StartError
from mockchat.wire.hosts import is_live
from mockchat.wire.proxy import Proxy
from tests.sessions import auth_frame
from tests.tunnels import (
    End,
    answer_to,
    asking,
    connect,
    echo,
    get,
    other_host,
    port_of,
    proxy_of,
    status_of,
    tunnel,
)
from tests.values import PATIENCE, REST_KEY, Json

Start = Callable[..., Awaitable[MockChat]]

LIVE = [
    *(f"my-app.{service}-us" for service in ("api", "apiclient", "call", "websocket", "metrics")),
    *("my-app.api-eu", "my-app.api-in", "api-us", "apiclient-eu", "websocket-in", "MY-APP.API-US"),
]


@pytest.fixture(scope="module")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
async def start(ca_dir: Path) -> AsyncIterator[Start]:
    """Starts servers with a proxy; every setting can be given."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> MockChat:
            given = {"port": 0, "https_port": 0, "proxy_port": 0, "ca_dir": str(ca_dir)}
            return await stack.enter_async_context(MockChat(Config(**{**given, **settings})))

        yield start


@pytest.fixture
async def mock(start: Start) -> MockChat:
    return await start()


@pytest.fixture
async def session(mock: MockChat) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that knows the proxy and trusts the CA, and nothing else."""
    trust = ssl.create_default_context(cafile=mock.ca_path)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, proxy=mock.proxy_url) as session:
        yield session


async def data_of(session: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Json:
    async with session.request(method, url, **options) as response:
        assert response.status == 200, await response.text()
        return (await response.json())["data"]


# --- the live host names --------------------------------------------------------------------
async def test_a_live_host_name_is_mockchat_by_any_scheme(session: aiohttp.ClientSession) -> None:
    for url in (*(f"https://{name}" for name in LIVE), "http://my-app.api-us"):
        users = f"{url}.cometchat.io/v3/users/superhero1"
        assert (await data_of(session, "GET", users, headers=REST_KEY))["uid"] == "superhero1", url

    one, two = (f"https://{app}.api-us.cometchat.io/v3/users" for app in ("one", "two"))
    user = {"uid": "only-here", "name": "Only Here"}
    await data_of(session, "POST", one, json=user, headers=REST_KEY)
    async with session.get(f"{two}/only-here", headers=REST_KEY) as response:
        assert response.status == 404  # for the sub-domain names the app


async def test_an_https_url_in_clear_is_served_as_by_a_tunnel(
    mock: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """axios of 2021 to 2023 sends such requests to HTTPS_PROXY."""
    path = "/v3/users/superhero1"
    fields = ("apikey: REST_API_KEY", "Proxy-Connection: close")
    for name in ("my-app.api-us.cometchat.io", "MY-APP.api-eu.cc-edge-2.io:443"):
        answer = await answer_to(proxy_of(mock), get(f"https://{name}{path}", *fields))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
        assert b'"uid":"superhero1"' in answer
    assert mock.journal.last(path=path).secure
    # Another host must prove itself; here it is this server by a name that is not live.
    other = get(f"https://localhost:{port_of(mock.https_url)}{path}", *fields)
    assert status_of(await answer_to(proxy_of(mock), other)) == 502
    monkeypatch.setenv("SSL_CERT_FILE", str(mock.ca_path))
    assert b'"uid":"SUPERHERO1"' in await answer_to(proxy_of(mock), other)


async def test_many_requests_for_live_names_use_one_connection(mock: MockChat) -> None:
    key = b"apikey: REST_API_KEY\r\nProxy-Connection: keep-alive\r\n"
    one, two = "http://one.api-us.cometchat.io", "https://two.api-us.cometchat.io"
    created = b'{"uid":"new","name":"New"}'
    chunks = (
        b"5;x=y\r\n" + created[:5] + b"\r\n%x\r\n" % 21 + created[5:] + b"\r\n0\r\nX: y\r\n\r\n"
    )
    asked = [
        (f"GET {one}/v3/users/superhero1", b"", b'"uid":"superhero1"'),
        (f"POST {one}/v3/users", b"Content-Length: 26\r\n\r\n" + created, b'"uid":"new"'),
        (f"DELETE {one}/v3/users/new", b"", b'"deactivatedUids":["new"]'),
        (f"GET {two}/v3/users/superhero2", b"", b'"uid":"superhero2"'),
        (f"GET {one}/v3/users/nobody", b"", b"ERR_UID_NOT_FOUND"),
        # The last one: the proxy passes chunks on unread.
        (f"POST {two}/v3/users", b"Transfer-Encoding: chunked\r\n\r\n" + chunks, b'"uid":"new"'),
    ]
    async with asking(proxy_of(mock), b"") as client:
        for line, rest, expected in asked:
            ends = b"" if b"\r\n\r\n" in rest else b"\r\n"
            await client.send(f"{line} HTTP/1.1\r\n".encode() + key + rest + ends)

            head = await client.head()
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert expected in await client.take(length), line
        assert await client.rest() == b""


async def test_what_a_proxy_cannot_pass_on_ends_the_connection(mock: MockChat) -> None:
    url, key = "http://one.api-us.cometchat.io/v3/users", "apikey: REST_API_KEY"
    for body in (
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: x\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        head = f"POST {url} HTTP/1.1\r\n{key}\r\n".encode()
        assert b" 400 Bad Request" in await answer_to(proxy_of(mock), head + body)
    async with asking(proxy_of(mock), get(url, key)) as client:
        await client.head()
        await client.send(b"no request\r\n\r\n")
        assert b"that is no HTTP request" in await client.rest()
    async with asking(proxy_of(mock), get(url, key)) as client:
        client.writer.write_eof()  # it says no more, and waits for its answer
        assert b'"total":10' in await client.rest()


async def test_a_login_and_its_socket_know_live_names_only(session: aiohttp.ClientSession) -> None:
    tokens = "https://my-app.api-us.cometchat.io/v3.0/users/superhero1/auth_tokens"
    token = (await data_of(session, "POST", tokens, headers=REST_KEY))["authToken"]
    own = "https://my-app.apiclient-us.cometchat.io/v3.0/me"

    me = await data_of(session, "PUT", own, json={}, headers={"authToken": token})

    told = me["settings"]
    assert told["CLIENT_API_HOST"] == "my-app.apiclient-us.cometchat.io"
    url = f"wss://{told['CHAT_HOST']}:{told['CHAT_WSS_PORT']}/"
    async with session.ws_connect(url) as live:
        await live.send_json(auth_frame(me["jwt"], "my-app"))
        assert (await live.receive_json(timeout=PATIENCE))["body"]["status"] == "OK"


async def test_live_names_have_port_80_and_the_listeners_own_ports(mock: MockChat) -> None:
    request = get("/_mock/health").replace(b"Host: ", b"Host: localhost")
    for port in (80, port_of(mock.url)):  # a client that came by another way was told the latter
        async with tunnel(proxy_of(mock), f"api-us.cometchat.io:{port}") as client:
            await client.send(request)
            assert status_of(await client.head()) == 200, port

    answer = await answer_to(proxy_of(mock), connect("my-app.api-us.cometchat.io:5222"))
    assert status_of(answer) == 403
    assert b"has no port 5222, only 80, 443" in answer


async def test_without_an_http_listener_live_names_have_no_port_80(start: Start) -> None:
    mock = await start(port=None)

    answer = await answer_to(proxy_of(mock), get("http://api-us.cometchat.io/v3/users"))

    assert status_of(answer) == 403
    assert b"api-us.cometchat.io is mockchat here, which has no port 80, only 443" in answer


def test_what_a_live_host_name_is() -> None:
    live = ["my-app.api-us.cometchat.io", "metrics-in.cometchat.io"]
    live += ["api.cometchat.com"]  # of the 1.x SDKs
    live += ["data-us.cometchat.io", "assets.cometchat.io"]  # of pictures
    other = ["api-us.cometchat.io.example.com", "a.b.api-us.cometchat.io", "apixus.cometchat.io"]
    other += ["cdn.cometchat.io", "api-us.cometchat.ioo", "evil-api-us.cometchat.io", "localhost"]
    other += ["my-app.api-us.cometchat.io."]  # parse_host has taken the dot away

    assert [name for name in live if not is_live(name)] == []
    assert [name for name in other if is_live(name)] == []


# --- other hosts ----------------------------------------------------------------------------
EVERY_BYTE = bytes(range(256)) * 1000


async def test_bytes_to_another_host_pass_untouched_in_both_directions(mock: MockChat) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "localhost."):
        async with other_host(echo) as port, tunnel(proxy_of(mock), f"{name}:{port}") as client:
            sending = asyncio.create_task(client.send(EVERY_BYTE))

            assert await client.take(len(EVERY_BYTE)) == EVERY_BYTE, name
            await sending


async def test_an_ipv6_address_is_another_host_like_any(mock: MockChat) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    async with other_host(echo, "::1") as port, tunnel(proxy_of(mock), f"[::1]:{port}") as client:
        await client.send(b"six")

        assert await client.take(3) == b"six"


async def test_a_host_may_speak_first_and_a_client_with_its_request(mock: MockChat) -> None:
    async def greet(end: End) -> None:
        await end.send(b"220 hello")
        await echo(end)

    async with other_host(greet) as port:
        early = connect(f"127.0.0.1:{port}") + b"early"
        async with asking(proxy_of(mock), early) as client:
            await client.head()

            assert await client.take(14) == b"220 helloearly"


async def test_one_direction_may_end_before_the_other(mock: MockChat) -> None:
    async def answer_at_the_end(end: End) -> None:
        asked = await end.rest()
        await end.send(b"you said " + asked)
        await end.close()

    async with (
        other_host(answer_at_the_end) as port,
        tunnel(proxy_of(mock), f"127.0.0.1:{port}") as client,
    ):
        await client.send(b"this")
        client.writer.write_eof()

        assert await client.rest() == b"you said this"


async def test_with_only_live_another_host_is_refused_and_never_called(start: Start) -> None:
    called = asyncio.Event()

    async def note(_end: End) -> None:
        called.set()

    mock = await start(proxy_only_live=True)
    async with other_host(note) as port:
        for request in (connect(f"127.0.0.1:{port}"), get(f"http://127.0.0.1:{port}/")):
            answer = await answer_to(proxy_of(mock), request)
            assert status_of(answer) == 403
            assert b"127.0.0.1 is no live host name, and this proxy takes no others" in answer
    assert not called.is_set()
    live = get("http://api-us.cometchat.io/v3/users", "Connection: close")
    live = await answer_to(proxy_of(mock), live)
    assert status_of(live) == 401


# --- settings -------------------------------------------------------------------------------
async def test_the_banner_names_the_proxy_if_there_is_one(start: Start) -> None:
    mock = await start()
    strict = await start(proxy_only_live=True, proxy_allow=("a.test", "*.b.test"))
    without = await start(proxy_port=None)

    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]+", str(mock.proxy_url))
    told = (
        f"  Proxy     {mock.proxy_url} (sends the live host names here, passes all others through"
    )
    assert told in banner(mock)
    assert "passes a.test, *.b.test through" in banner(strict)
    assert without.proxy_url is None
    assert "Proxy" not in banner(without)


async def test_the_proxy_binds_where_host_says_and_warns_where_it_takes_everybody_anywhere(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    mock = await start(host="127.0.0.2")

    assert str(mock.proxy_url).startswith("http://127.0.0.2:")
    with pytest.raises(ConnectionRefusedError):
        await End.to(proxy_of(mock), "127.0.0.1")
    for allowed in ("a.test", "*"):
        caplog.clear()
        mock = await start(host="0.0.0.0", proxy_allow=(allowed,))
        assert str(mock.proxy_url).startswith("http://127.0.0.1:")
        assert ("--proxy-allow" in caplog.text) is (allowed == "*")


def test_a_proxy_needs_the_https_listener_and_a_port_of_its_own() -> None:
    with pytest.raises(ConfigError, match="--proxy-port needs the HTTPS listener"):
        Config(https_port=None, proxy_port=0)

    for other in ("port", "https_port"):
        with pytest.raises(ConfigError, match="--proxy-port are both 9000: they must differ"):
            Config(**{other: 9000}, proxy_port=9000)  # type: ignore[arg-type]


class Exhausted(socket.socket):
    """A listening socket of a process that has too many open files, for a turn of the loop."""

    exhausted = True

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.exhausted:
            return super().accept()
        asyncio.get_running_loop().call_soon(setattr, self, "exhausted", False)
        raise OSError(errno.EMFILE, "Too many open files")


async def test_too_many_open_files_are_waited_for_and_do_not_flood_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.01)
    bound, proxy = Exhausted(), Proxy()
    bound.bind(("127.0.0.1", 0))
    await proxy.start(bound)

    answer = await answer_to(bound.getsockname()[1], connect("nothing"))

    assert status_of(answer) == 400
    assert caplog.text.count("out of system resource") == 1
    await proxy.stop()


async def test_a_proxy_port_in_use_is_told_and_nothing_listens(start: Start) -> None:
    async with other_host(echo) as port:
        mock = MockChat(Config(port=0, https_port=0, proxy_port=port))

        with pytest.raises(StartError, match=f"port {port} is in use; choose another with --proxy"):
            await mock.start()

    with pytest.raises(ConnectionRefusedError):
        await End.to(port_of(mock.url))
