"""MockChat: the library object, in the running loop and in a thread of its own."""

import asyncio
import contextlib
import errno
import gc
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest

from mockchat import Config, MockChat
from mockchat.core.clock import Clock
from mockchat.server import StartError
from mockchat.wire.connection import Site
from tests.clients import create, log_in, send
from tests.tunnels import port_of
from tests.values import NOW

HTTP_ONLY = Config(port=0, https_port=None, login_latency=0)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


@contextlib.contextmanager
def taken_port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with taken_port() as port:
        return int(port)


# --- addresses ------------------------------------------------------------------------------
def test_port_zero_is_any_free_port_told_in_the_urls(tmp_path: Path) -> None:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path))

    with MockChat(config).in_thread() as mock:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", str(mock.url))
        assert re.fullmatch(r"https://127\.0\.0\.1:[1-9]\d+", str(mock.https_url))
        assert mock.ws_url == str(mock.https_url).replace("https", "wss")
        assert mock.ca_path == tmp_path / "ca.pem"
        with urlopen(f"{mock.url}/_mock/ca.pem") as answer:
            assert answer.read() == mock.ca_path.read_bytes()


def test_without_a_listener_there_is_no_url_of_it(tmp_path: Path) -> None:
    with MockChat(HTTP_ONLY).in_thread() as mock:
        assert (mock.https_url, mock.ca_path) == (None, None)
        assert mock.ws_url == str(mock.url).replace("http", "ws")

    with MockChat(Config(port=None, https_port=0, ca_dir=str(tmp_path))).in_thread() as mock:
        assert mock.url is None
        assert mock.ws_url == str(mock.https_url).replace("https", "wss")


def test_the_url_names_the_given_host_and_port_so_that_it_can_be_called() -> None:
    port = free_port()
    cases = [
        ("127.0.0.1", port, f"http://127.0.0.1:{port}"),
        ("0.0.0.0", 0, "http://127.0.0.1:"),
        ("localhost", 0, "http://"),
    ]
    with contextlib.suppress(OSError):  # a machine may have no IPv6 loopback
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        cases.append(("::1", 0, "http://[::1]:"))

    for host, given, start in cases:
        with MockChat(Config(host=host, port=given, https_port=None)).in_thread() as mock:
            assert str(mock.url).startswith(start), host
            assert send("GET", f"{mock.url}/_mock/health").body["status"] == "ok", host


# --- both worlds ----------------------------------------------------------------------------
def test_in_a_thread_it_serves_as_long_as_the_block_runs() -> None:
    threads = threading.active_count()
    with MockChat(HTTP_ONLY).in_thread() as mock:
        port = port_of(mock.url)
        assert send("GET", f"{mock.url}/_mock/health").body["status"] == "ok"
    assert not listens(port)
    assert threading.active_count() == threads

    with pytest.raises(ZeroDivisionError), mock.in_thread():
        1 / 0  # noqa: B018
    assert not listens(port_of(mock.url))


async def test_in_the_running_loop_it_serves_as_long_as_the_block_runs(
    session: aiohttp.ClientSession,
) -> None:
    async with MockChat(HTTP_ONLY) as mock:
        port = port_of(mock.url)
        async with session.get(f"{mock.url}/_mock/health") as answer:
            assert answer.status == 200
        with pytest.raises((RuntimeError, StartError), match="started"):
            await mock.start()
        assert listens(port)  # the first start goes on

    assert not listens(port)


async def test_it_can_be_started_and_stopped_by_hand_and_again() -> None:
    mock = MockChat(HTTP_ONLY)

    for _ in range(2):
        await mock.start()
        assert listens(port_of(mock.url))
        for _ in "twice is once":
            await mock.stop()
        assert not listens(port_of(mock.url))


# --- what it is given -----------------------------------------------------------------------
def test_its_clock_is_the_server_s_and_only_the_same_random_seed_gives_the_same_tokens(
    clock: Clock,
) -> None:
    def logins(seed: int | None) -> list[Any]:
        config = Config(port=0, https_port=None, login_latency=0, random_seed=seed)
        with MockChat(config, clock=clock).in_thread() as mock:
            assert create(str(mock.url), "u1").data["createdAt"] == NOW
            users = [log_in(str(mock.url), uid).data for uid in ("SUPERHERO1", "SUPERHERO2")]
        for user in users:
            del user["settings"], user["avatar"]  # they name the port
        return users

    assert logins(7) == logins(7)
    assert logins(None)[0]["authToken"] != logins(None)[0]["authToken"]


# --- starts that fail -----------------------------------------------------------------------
def start_in_thread(config: Config) -> None:
    with MockChat(config).in_thread():
        pass


def start_in_loop(config: Config) -> None:
    async def start() -> None:
        async with MockChat(config):
            pass

    asyncio.run(start())


WORLDS = (start_in_thread, start_in_loop)
FAILING: list[tuple[dict[str, Any], str]] = [
    ({"fixture": ("nowhere.json",)}, "nowhere.json: no such fixture file"),
    ({"host": "no-such-host.invalid"}, "--host no-such-host.invalid"),
    ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
    ({"host": ""}, "--host"),
    ({"host": "a..b"}, "--host a..b"),
    ({"https_port": 0, "tls_cert": "c.pem", "tls_key": "k.pem"}, "c.pem: no such"),
]


@pytest.mark.parametrize("start", WORLDS)
def test_what_prevents_a_start_is_told_to_the_caller(
    start: Callable[[Config], None], tmp_path: Path
) -> None:
    threads, port = threading.active_count(), free_port()
    with taken_port() as taken:
        in_use = f"port {taken} is in use; choose another with"
        here: list[tuple[dict[str, Any], str]] = [
            ({"port": taken}, f"{in_use} --port (0 = any free port)"),
            ({"port": port, "https_port": taken, "ca_dir": str(tmp_path)}, "--https-port"),
        ]
        for settings, words in (*FAILING, *here):
            with pytest.raises(StartError) as refused:
                start(Config(**{"port": 0, "https_port": None, **settings}))

            assert words in str(refused.value), settings
            assert threading.active_count() == threads, settings

    assert not listens(port)  # where HTTPS cannot listen, HTTP does not either


@pytest.mark.parametrize("start", WORLDS)
def test_a_port_that_only_root_may_take_is_told_to_the_caller(
    start: Callable[[Config], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", deny)  # these tests may be root's

    with pytest.raises(StartError, match="port 443 needs privileges; choose one from 1024 on"):
        start(Config(port=443, https_port=None))


async def test_after_a_failed_start_it_can_be_started() -> None:
    with taken_port() as port:
        mock = MockChat(Config(port=port, https_port=None))
        with pytest.raises(StartError):
            await mock.start()

    async with mock:
        assert mock.url == f"http://127.0.0.1:{port}"


# --- stops ----------------------------------------------------------------------------------
async def test_a_stop_says_goodbye_to_web_sockets_and_waits_for_no_silent_one(
    session: aiohttp.ClientSession,
) -> None:
    async with MockChat(HTTP_ONLY) as mock, session.ws_connect(str(mock.ws_url)) as socket_:
        silent = await session.ws_connect(str(mock.ws_url), autoclose=False)
        stop = asyncio.ensure_future(mock.stop())

        message = await socket_.receive(timeout=10)
        await asyncio.wait_for(stop, timeout=4)

        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert not listens(port_of(mock.url))
        await silent.close()


def test_a_stop_leaves_nothing_open(tmp_path: Path) -> None:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path), login_latency=0)
    with (
        MockChat(config).in_thread() as mock,
        socket.create_connection(("127.0.0.1", port_of(mock.url))),
    ):
        log_in(str(mock.url))

    gc.collect(1)  # what is still open is young; it warns now, and a warning is an error


def is_bound(url: str) -> bool:
    try:
        socket.create_server(("127.0.0.1", port_of(url))).close()
    except OSError:
        return True
    return False


async def test_every_port_is_bound_and_known_before_the_first_is_answered_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mock = MockChat(Config(port=0, https_port=0, proxy_port=0))
    known = []
    start = Site.start

    async def watched(site: Site) -> None:
        urls = (str(mock.url), str(mock.https_url), str(mock.proxy_url))
        known.append((*map(is_bound, urls), mock.ca_path is not None))
        await start(site)

    monkeypatch.setattr(Site, "start", watched)

    async with mock:
        assert known[0] == (True, True, True, True)
