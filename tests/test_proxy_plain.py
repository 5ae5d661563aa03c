"""Plain HTTP through the proxy: one request a connection, passed on as it came."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.processes import serving
from tests.tunnels import End, answer_to, asking, bare_proxy, get, other_host, status_of
from tests.values import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def proxy() -> AsyncIterator[int]:
    async with bare_proxy() as port:
        yield port


async def heard(proxy: int, request: str, body: bytes = b"") -> bytes:
    """What another host hears of a request; `HOST` stands for that host."""
    all_heard = b""

    async def note(end: End) -> None:
        nonlocal all_heard
        all_heard = await end.head() + await end.take(len(body))
        await end.send(OK)
        await end.close()

    async with other_host(note) as port:
        named = request.replace("HOST", f"127.0.0.1:{port}").encode() + body
        assert (await answer_to(proxy, named)).endswith(b"\r\n\r\nok")
        return all_heard.replace(b"127.0.0.1:%d" % port, b"HOST")


SECRET_TARGETS = (
    "GET /v3/users?authToken=TOPSECRET&authKey=TOPSECRET",
    "GET ftp://u:TOPSECRET@x/?apikey=TOPSECRET",
    "GET http://[::1/x?authToken=TOPSECRET",
    "CONNECT u:TOPSECRET@x",
)


async def test_a_refusal_shows_no_token_to_the_log_or_the_client(
    proxy: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for target in SECRET_TARGETS:
        answer = (await answer_to(proxy, f"{target} HTTP/1.1\r\n\r\n".encode())).decode()
        assert "400 Bad Request" in answer
        assert "TOPS" not in answer.replace("TOPSE*****", ""), answer
    assert caplog.text.count("refused a client with 400") == len(SECRET_TARGETS)
    assert "SECRET" not in caplog.text


async def answered(proxy: int, answer: bytes) -> bytes:
    """What a client is answered when another host answers so."""

    async def say(end: End) -> None:
        await end.head()
        await end.send(answer)
        await end.close()

    async with other_host(say) as port:
        return await answer_to(proxy, get(f"http://127.0.0.1:{port}/"))


# --- requests -------------------------------------------------------------------------------
async def test_a_request_is_passed_on_as_its_host_would_get_it(proxy: int) -> None:
    request = "GET http://HOST/a?b=%20c HTTP/1.1\r\nHost: HOST\r\nX-Odd:  \xe4 ;,\r\n\r\n"
    own = "Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5"
    to_proxy = f"GET http://HOST/ HTTP/1.0\r\nConnection: keep-alive\r\n{own}\r\nA: b\r\n\r\n"
    elsewhere = "GET http://HOST/ HTTP/1.1\r\nHost: elsewhere.example\r\nA: b\r\nA: b\r\n\r\n"

    assert (
        await heard(proxy, request)
        == (
            "GET /a?b=%20c HTTP/1.1\r\nHost: HOST\r\nX-Odd:  \xe4 ;,\r\nConnection: close\r\n\r\n"
        ).encode()
    )
    assert await heard(proxy, to_proxy) == (
        b"GET / HTTP/1.0\r\nHost: HOST\r\nA: b\r\nConnection: close\r\n\r\n"
    )
    asked = await heard(proxy, elsewhere)
    assert b"elsewhere" not in asked
    assert asked.count(b"A: b\r\n") == 2


async def test_what_is_left_of_a_url_is_its_path(proxy: int) -> None:
    paths = {"http://HOST": "/", "HTTP://HOST/": "/", "http://HOST?q": "/?q", "http://HOST//": "//"}
    for target, path in paths.items():
        asked = await heard(proxy, f"GET {target} HTTP/1.1\r\n\r\n")
        assert asked.split(b" ")[1].decode() == path, target


async def test_a_body_is_passed_on_as_it_is(proxy: int) -> None:
    for field, body in (
        ("Content-Length: 5", b"12345"),
        ("Transfer-Encoding: chunked", b"5\r\n12345\r\n0\r\n\r\n"),
    ):
        request = f"POST http://HOST/ HTTP/1.1\r\n{field}\r\n\r\n"
        assert (await heard(proxy, request, body)).endswith(body), field


# --- answers --------------------------------------------------------------------------------
async def test_an_answer_is_passed_on_and_is_the_last_of_its_connection(proxy: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: y\r\nContent-Length: 2\r\n\r\nok"
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    assert await answered(proxy, interim + answer) == interim + (
        b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    )
    # What is no HTTP is passed on as it is.
    for other in (b"", b"no HTTP", b"HTTP/1.0 200 OK\n\nby lines", b"x" * 200_000):
        assert await answered(proxy, other) == other


async def test_a_host_that_keeps_its_connection_gets_no_further_request(proxy: int) -> None:
    """What a client asks next may be meant for another host."""

    async def keep(end: End) -> None:
        await end.head()
        await end.send(OK)
        await end.rest()

    async with other_host(keep) as port, asking(proxy, get(f"http://127.0.0.1:{port}/")) as client:
        assert b"\r\nConnection: close\r\n" in await client.head()


async def test_a_web_socket_without_tls_goes_through(proxy: int) -> None:
    async def repeat(request: web.Request) -> web.WebSocketResponse:
        there = web.WebSocketResponse()
        await there.prepare(request)
        await there.send_str(await there.receive_str(timeout=PATIENCE))
        await there.close()
        return there

    app = web.Application()
    app.router.add_get("/", repeat)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        address = f"http://127.0.0.1:{proxy}"
        async with session.ws_connect(server.make_url("/"), proxy=address) as here:
            await here.send_str("hello")

            assert await here.receive_str(timeout=PATIENCE) == "hello"


async def test_another_host_is_reached_by_a_server_from_the_command_line(tmp_path: Path) -> None:
    """Such a server has a faster event loop, which lacks some options of Python's own."""

    async def answer(end: End) -> None:
        await end.head()
        await end.send(OK)
        await end.close()

    async with other_host(answer) as port:
        with serving("--proxy-port", "0", "--https-port", "0", "--ca-dir", str(tmp_path)) as server:
            proxy = int(server.facts["Proxy"].split()[0].rpartition(":")[2])

            said = await answer_to(proxy, get(f"http://127.0.0.1:{port}/"))

    assert status_of(said) == 200


# --- what is none ---------------------------------------------------------------------------
NO_HOSTS = [
    *("/", "/v3/users", "*", "host:443", "example.com", "http://", "https://"),
    *(
        "ftp://example.com/",
        "wss://example.com/",
        "http:///path",
        "http://a:b@example.com/",
        "http://a b/",
    ),
    *("http://example.com:0/", "http://example.com:65536/", "http://example.com/#part"),
    f"http://{'a' * 254}/",
]


async def test_a_request_that_names_no_host_is_told_how_to_name_one(proxy: int) -> None:
    """A page that calls the proxy directly may read nothing of it."""
    for target in NO_HOSTS:
        request = f"GET {target} HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n\r\n".encode()
        answer = await answer_to(proxy, request)
        assert status_of(answer) == 400, target
        assert b"http://host/ and https://host/" in answer or b"no HTTP request" in answer, target
        assert b"access-control" not in answer.lower(), target
