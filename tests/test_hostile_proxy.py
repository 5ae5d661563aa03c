"""Hostile ends of the proxy: whoever misbehaves loses its own connection and nobody else's."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat import Config, MockChat
from mockchat.wire.hosts import is_inside
from mockchat.wire.proxy import Proxy
from tests.strategies import hostile
from tests.tunnels import (
    ESTABLISHED,
    End,
    answer_to,
    asking,
    bare_proxy,
    connect,
    echo,
    get,
    other_host,
    proxy_of,
    status_of,
    tunnel,
)
from tests.values import PATIENCE


@pytest.fixture(autouse=True)
def no_crash(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client or a host does is an error of the proxy's."""
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


@pytest.fixture
async def proxy() -> AsyncIterator[int]:
    async with bare_proxy() as port:
        yield port


async def never(*_arguments: Any, **_options: Any) -> Any:
    await asyncio.Event().wait()


async def silence(end: End) -> None:
    """A host that takes all and says nothing, not even that it is done."""
    await end.reader.read()
    await never()


async def still_works(proxy: int) -> bool:
    async with other_host(echo) as port, tunnel(proxy, f"127.0.0.1:{port}") as client:
        await client.send(b"ping")
        return await client.take(4) == b"ping"


# --- heads ----------------------------------------------------------------------------------
NO_HTTP = {
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "an empty line": b"\r\n\r\n",
    "one word": b"CONNECT\r\n\r\n",
    "no version": b"CONNECT a:443\r\n\r\n",
    "another version": b"CONNECT a:443 HTTP/2.0\r\n\r\n",
    "no method": b" a:443 HTTP/1.1\r\n\r\n",
    "two blanks": b"CONNECT  a:443 HTTP/1.1\r\n\r\n",
    "a method that is no word": b"CON(NECT a:443 HTTP/1.1\r\n\r\n",
    "a target beyond ASCII": b"CONNECT \xe4:443 HTTP/1.1\r\n\r\n",
    "a NUL": b"CONNECT a\x00:443 HTTP/1.1\r\n\r\n",
    "a field without a colon": b"GET http://a/ HTTP/1.1\r\nField\r\n\r\n",
    "a field with a blank": b"GET http://a/ HTTP/1.1\r\nField : x\r\n\r\n",
    "a folded field": b"GET http://a/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
    "a field in a field": b"GET http://a/ HTTP/1.1\r\nA: b\nContent-Length: 5\r\n\r\n",
    "a lone CR": b"GET http://a/ HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
}
NO_TARGETS = [
    *("a", "a:", ":443", "a:0", "a:65536", "a:x", "a:-1", "a:443/", "a:443:443", "a:4 43"),
    *("[::1", "[::1]", "::1:443", "[::1]443", "u@a:443", "https://a:443", "a" * 254 + ":443"),
]


async def test_what_is_no_request_or_no_target_is_told_so(proxy: int) -> None:
    targets = {target: connect(target) for target in NO_TARGETS}
    for case, request in {**NO_HTTP, **targets}.items():
        assert status_of(await answer_to(proxy, request)) == 400, case

    assert await still_works(proxy)


async def test_a_head_that_is_too_long_or_too_slow_is_refused(proxy: int) -> None:
    for size in (64 * 1024, 4_000_000):  # of a client that still sends it
        answer = await answer_to(proxy, b"GET http://a/ HTTP/1.1\r\nA: " + b"b" * size)
        assert status_of(answer) == 431, size
    async with bare_proxy(patience=0.2) as impatient:
        assert status_of(await answer_to(impatient, b"CONNECT a:443 HTTP/1.1\r\n")) == 408
    async with bare_proxy(patience=0.01) as impatient:
        assert await answer_to(impatient, b"") == b""  # a silent client is told nothing


@given(data=st.binary(max_size=200))
@hostile
async def test_whatever_comes_is_answered_by_http_or_not_at_all(data: bytes) -> None:
    async with bare_proxy(patience=0.001, allow=()) as proxy:
        answer = await answer_to(proxy, data)

        assert answer == b"" or 400 <= status_of(answer) < 500


NOBODY = "192.0.2.1"  # an address of documents


# --- hosts that cannot be reached -----------------------------------------------------------
async def test_a_name_or_port_that_leads_nowhere_is_told(proxy: int) -> None:
    names = ("no-such-host.invalid", "a..b", f"{'a' * 64}.example", "1.2.3.4.5", "%00", "a'b")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    for name, at in (*((name, 443) for name in names), ("127.0.0.1", port)):
        for request in (connect(f"{name}:{at}"), get(f"http://{name}:{at}/")):
            answer = await answer_to(proxy, request)
            told = f"HTTP/1.1 502 Bad Gateway: {name}, port {at} cannot be reached".encode()
            assert answer.startswith(told), request


async def test_a_host_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bare_proxy(patience=0.2) as proxy, asking(proxy, b"") as client:
        monkeypatch.setattr("mockchat.wire.proxy.start_connection", never)
        await client.send(connect(f"{NOBODY}:443"))

        assert status_of(await client.rest()) == 504


async def test_the_proxy_is_no_host_behind_itself(proxy: int) -> None:
    for name in ("127.0.0.1", "localhost", "0.0.0.0"):
        for request in (connect(f"{name}:{proxy}"), get(f"http://{name}:{proxy}/")):
            answer = await answer_to(proxy, request)

            assert status_of(answer) == 403, request
            assert b"this is the proxy itself" in answer, request


async def test_a_host_that_hangs_up_is_told(proxy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()  # which has no address either
    ours.setblocking(False)

    async def call(*_arguments: Any, **_options: Any) -> socket.socket:
        return ours

    async with asking(proxy, b"") as client:
        monkeypatch.setattr("mockchat.wire.proxy.start_connection", call)
        await client.send(connect(f"{NOBODY}:443"))

        assert f"{NOBODY}, port 443: it hung up".encode() in await client.rest()
    theirs.close()


# --- clients from elsewhere -----------------------------------------------------------------
def own_address() -> str:
    """An address by which other machines could call this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has loopback alone")
        return str(probe.getsockname()[0])


def beyond_loopback(tmp_path: Path, *allowed: str) -> MockChat:
    ports: dict[str, Any] = {"port": 0, "https_port": 0, "proxy_port": 0}
    config = Config(host="0.0.0.0", **ports, proxy_allow=allowed, ca_dir=str(tmp_path))
    return MockChat(config)


async def asked_from_elsewhere(mock: MockChat, target: str) -> bytes:
    """The head of the answer to a client that is not on loopback."""
    client = await End.to(proxy_of(mock), own_address())
    await client.send(connect(target))
    answer = await client.head()
    await client.close()
    return answer


async def test_a_client_from_elsewhere_learns_nothing_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, called = own_address(), asyncio.Event()
    with socket.create_server((address, 0)) as probe:
        closed = probe.getsockname()[1]

    async def note(_end: End) -> None:
        called.set()

    async with (
        beyond_loopback(tmp_path, "*") as mock,
        other_host(note) as inside,
        other_host(note, address) as outside,
    ):
        places = [f"localhost:{inside}", f"127.0.0.1:{closed}", f"0.0.0.0:{inside}"]
        places += [f"{address}:{outside}", f"{address}:{closed}", "169.254.169.254:80"]
        for place in (*places, "[64:ff9b::a9fe:a9fe]:80", "[fd00:ec2::254]:80"):
            answer = await asked_from_elsewhere(mock, place)
            assert status_of(answer) == 403, place
            assert b"this is the proxy's own machine; exclude yours" in answer, place
        assert not called.is_set()

        monkeypatch.setattr("mockchat.wire.proxy.is_own", lambda _: False)  # another machine's
        assert await asked_from_elsewhere(mock, f"{address}:{outside}") == ESTABLISHED


async def test_beyond_loopback_other_hosts_are_refused_unless_they_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.wire.proxy.is_own", lambda _: False)
    address = own_address()
    async with other_host(echo, address) as port:
        for allowed, status in (((), 403), (("*.example.com", address), 200), (("*.a",), 403)):
            async with beyond_loopback(tmp_path, *allowed) as mock:
                answer = await asked_from_elsewhere(mock, f"{address}:{port}")
                assert status_of(answer) == status, allowed
                live = await asked_from_elsewhere(mock, "app1.api-us.cometchat.io:443")
                assert live == ESTABLISHED, allowed


def test_what_a_machine_s_inside_is() -> None:
    inside = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"]
    inside += ["169.254.169.254", "fe80::1%lo", "::ffff:169.254.169.254", "2002:7f00:1::"]
    inside += ["64:ff9b::7f00:1", "64:ff9b:1::a9fe:a9fe", "64:ff9b::6464:64c8"]
    inside += ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"]
    outside = ["10.0.0.1", "172.17.0.1", "192.0.2.1", "fd00::2", "64:ff9b::c000:201"]

    assert [address for address in inside if not is_inside(address)] == []
    assert [address for address in outside if is_inside(address)] == []


# --- tunnels --------------------------------------------------------------------------------
async def test_a_hundred_tunnels_are_open_at_once(proxy: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        target = f"127.0.0.1:{await stack.enter_async_context(other_host(echo))}"
        opened = [stack.enter_async_context(tunnel(proxy, target)) for _ in range(100)]
        clients = [await one for one in opened]

        for number, client in enumerate(clients):
            await client.send(b"%3d" % number)

        assert [int(await client.take(3)) for client in clients] == [*range(100)]


async def test_an_end_that_is_gone_takes_the_other_end_s_connection_with_it(proxy: int) -> None:
    ended = asyncio.Event()

    async def wait_for_the_end(end: End) -> None:
        with contextlib.suppress(OSError):
            await end.reader.read()
        ended.set()

    async def hang_up(end: End) -> None:
        await end.take(1)
        end.writer.transport.abort()

    async with other_host(wait_for_the_end) as port:
        async with tunnel(proxy, f"127.0.0.1:{port}") as client:
            client.writer.transport.abort()
        await asyncio.wait_for(ended.wait(), PATIENCE)
    async with other_host(hang_up) as port, tunnel(proxy, f"127.0.0.1:{port}") as client:
        await client.send(b"x")

        assert await client.rest() == b""


async def test_a_tunnel_that_is_half_open_and_rests_is_ended() -> None:
    async with (
        bare_proxy(linger=0.01) as proxy,
        other_host(silence) as port,
        tunnel(proxy, f"127.0.0.1:{port}") as client,
    ):
        client.writer.write_eof()

        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""


async def test_a_client_that_does_not_read_stops_the_host_that_sends(proxy: int) -> None:
    sent = asyncio.get_running_loop().create_future()

    async def flood(end: End) -> None:
        end.writer.write(bytes(64_000_000))
        sent.set_result(end.writer)
        await never()

    async with other_host(flood) as port, tunnel(proxy, f"127.0.0.1:{port}"):
        writer = await asyncio.wait_for(sent, PATIENCE)
        left = [writer.transport.get_write_buffer_size()]
        while len(left) < 100 or left[-1] != left[-100]:  # until nothing moves any more
            await asyncio.sleep(0)
            left.append(writer.transport.get_write_buffer_size())

        assert left[-1] > 32_000_000


# --- stops ----------------------------------------------------------------------------------
@contextlib.asynccontextmanager
async def started(tmp_path: Path) -> AsyncIterator[MockChat]:
    config = Config(port=0, https_port=0, proxy_port=0, ca_dir=str(tmp_path))
    async with MockChat(config) as mock:
        yield mock


async def test_a_stop_ends_whatever_is_open_within_a_second(tmp_path: Path) -> None:
    async def flood(end: End) -> None:
        await end.send(bytes(64_000_000))

    async with started(tmp_path) as mock, contextlib.AsyncExitStack() as stack:
        proxy = proxy_of(mock)
        silent, flooding = [
            await stack.enter_async_context(other_host(serve)) for serve in (silence, flood)
        ]
        targets = [f"127.0.0.1:{silent}", f"127.0.0.1:{flooding}", "api-us.cometchat.io:443"]
        ends = [await stack.enter_async_context(tunnel(proxy, target)) for target in targets]
        ends.append(await stack.enter_async_context(asking(proxy, b"CONNECT a")))
        plain = get(f"http://127.0.0.1:{silent}/")
        ends.append(await stack.enter_async_context(asking(proxy, plain)))

        await asyncio.wait_for(mock.stop(), 1)

        for end in ends:
            with contextlib.suppress(ConnectionResetError):
                await end.rest()
        with pytest.raises(ConnectionRefusedError):
            await End.to(proxy)


async def test_a_stop_does_not_wait_for_a_host_that_is_being_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calling = asyncio.Event()

    async def call(*_arguments: Any, **_options: Any) -> Any:
        calling.set()
        await never()

    async with started(tmp_path) as mock, asking(proxy_of(mock), b"") as client:
        monkeypatch.setattr("mockchat.wire.proxy.start_connection", call)
        await client.send(connect(f"{NOBODY}:443"))
        await asyncio.wait_for(calling.wait(), PATIENCE)

        await asyncio.wait_for(mock.stop(), 1)

        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""


async def test_a_stop_turns_away_who_is_about_to_come_in() -> None:
    for turns in (0, 1, 3, 4):  # after two asyncio itself forgets a connection
        proxy, bound = Proxy(), socket.create_server(("127.0.0.1", 0))
        await proxy.start(bound)
        with socket.create_connection(bound.getsockname()) as knocking:
            knocking.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)

            await proxy.stop()

            told = asyncio.get_running_loop().sock_recv(knocking, 1)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(told, PATIENCE) == b"", turns


async def test_a_stop_lets_the_answers_in_flight_through(tmp_path: Path) -> None:
    config = Config(port=0, https_port=0, proxy_port=0, ca_dir=str(tmp_path), login_latency=0.2)
    body = b'{"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}'
    head = b"POST http://api-us.cometchat.io/login HTTP/1.1\r\nConnection: close\r\n"
    head += b"Content-Length: %d\r\n\r\n"
    mock = MockChat(config)
    await mock.start()
    request = head % len(body) + body
    async with asking(proxy_of(mock), request) as one, asking(proxy_of(mock), request) as two:
        answers = [asyncio.create_task(end.rest()) for end in (one, two)]
        done, in_flight = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert [status_of(task.result()) for task in done] == [409]  # so the other one has arrived

        await mock.stop()

        assert [status_of(await task) for task in in_flight] == [200]
