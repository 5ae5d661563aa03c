"""Rude clients: what is no HTTP, half-closed connections, clients that neither send nor read."""

import asyncio
import contextlib
import gzip
import json
import os
import re
import select
import signal
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from mockchat import Config, MockChat
from mockchat.core.journal import Exchange
from tests.processes import ROOT, serving
from tests.tunnels import End, port_of
from tests.values import PATIENCE, Json

_REQUEST = b"GET /users/superhero1 HTTP/1.1\r\nHost: localhost\r\napikey: REST_API_KEY\r\n\r\n"


@contextlib.asynccontextmanager
async def served(**settings: Any) -> AsyncIterator[MockChat]:
    async with MockChat(Config(port=0, https_port=None, **settings)) as mock:
        yield mock


async def answer_to(mock: MockChat, request: bytes, *, half_closed: bool = False) -> bytes:
    """All that the server says until it closes the connection."""
    end = await End.to(port_of(mock.url))
    try:
        await end.send(request)
        if half_closed:
            end.writer.write_eof()
        return await end.rest()
    finally:
        await end.close()


def parts_of(answer: bytes) -> tuple[str, Json]:
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, json.loads(body)


# --- what is no HTTP ------------------------------------------------------------------------
_CODED = b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Encoding: %s\r\nContent-Length: 4\r\n\r\nabcd"
NO_HTTP = {
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
    "one word": b"HELLO\r\n\r\n",
    "no version": b"GET /users\r\n\r\n",
    "HTTP/2.0": b"GET /users HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /users HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/9.9": b"GET /users HTTP/9.9\r\nHost: a\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a field without a colon": b"GET /users HTTP/1.1\r\nField\r\n\r\n",
    "two hosts": b"GET /users HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a negative length": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a long line": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a long field": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    "a host that is none": b"GET http://xn--a/users HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel to a host that is none": b"CONNECT xn--a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "brotli": _CODED % b"br",
    "zstd": _CODED % b"zstd",
    "no gzip": _CODED % b"gzip",
    "a bad chunk": b"POST /users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


async def test_what_is_no_http_is_refused_in_the_envelope_with_cors_and_in_the_journal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served() as mock:
        for case, request in NO_HTTP.items():
            mock.journal.clear()

            head, body = parts_of(await answer_to(mock, request, half_closed=True))

            assert re.match(r"HTTP/1\.[01] 40[01] ", head), (case, head)
            assert "Access-Control-Allow-Origin: *" in head, case
            assert {"message", "devMessage", "source", "code"} <= body["error"].keys(), case
            assert [one.code for one in mock.journal] == [body["error"]["code"]], case
            assert not re.search(r"bytearray|\^|\.\.", str(body["error"])), case
    assert caplog.text == ""


async def test_no_more_of_a_packed_body_is_unpacked_than_is_allowed() -> None:
    bomb = gzip.compress(bytes(2**26), 1)
    started = time.process_time()
    zlib.decompress(bomb, 31)
    whole = time.process_time() - started
    head = _CODED.partition(b"%s")[0] + b"gzip\r\napikey: REST_API_KEY\r\nConnection: close\r\n"
    async with served() as mock:
        started = time.process_time()
        request = head + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb
        _, body = parts_of(await answer_to(mock, request))
        spent = time.process_time() - started

    assert body["error"]["details"] == {"body": ["The body may not be greater than 10240 bytes."]}
    assert spent < whole / 3


# --- half-closed clients ----------------------------------------------------------------------
async def test_a_client_that_has_closed_its_half_is_answered() -> None:
    body = b'{"uid": "superhero1", "authKey": "AUTH_KEY"}'
    login = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with served() as mock:
        for request, count in ((_REQUEST, 1), (_REQUEST * 3, 3), (login, 1), (b"", 0)):
            async with asyncio.timeout(PATIENCE):
                answer = await answer_to(mock, request, half_closed=True)
            assert answer.count(b"HTTP/1.1 200 OK") == count, request

        partly = await answer_to(mock, login[:-5], half_closed=True)
        assert parts_of(partly)[1]["error"]["details"] == {
            "body": ["The body cannot be read: the client left."]
        }
        kinds = login.replace(b"Host: a", b"Host: a\r\nContent-Type: a/b\r\nContent-Type: c/d")[:-5]
        assert b"the client left" in await answer_to(mock, kinds, half_closed=True)
        assert await answer_to(mock, _REQUEST[:-5], half_closed=True) == b""


async def test_a_client_that_resets_the_connection_amid_its_requests_is_no_error_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    codes: asyncio.Queue[str | None] = asyncio.Queue()
    async with served() as mock:
        client = socket.create_connection(("127.0.0.1", port_of(mock.url)))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def leave(exchange: Exchange) -> None:
            client.close()  # before the first answer is sent
            codes.put_nowait(exchange.code)

        mock.observe(leave)
        client.sendall(_REQUEST + b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        async with asyncio.timeout(PATIENCE):
            assert [await codes.get(), await codes.get()] == [None, "ERR_BAD_REQUEST"]

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_one_connection_answers_requests_that_come_whole_or_in_parts_alike() -> None:
    body = b'{"uid": "%s", "name": "A Name"}'
    head = b"POST /users HTTP/1.1\r\nHost: a\r\napikey: REST_API_KEY\r\nContent-Length: 34\r\n"
    async with served() as mock:
        end = await End.to(port_of(mock.url))

        async def answer(*, of_head: bool = False) -> tuple[list[str], bytes]:
            """The names of the answer's headers, and its body."""
            line, *headers = (await end.head()).decode().strip().split("\r\n")
            assert line == "HTTP/1.1 200 OK"
            fields = dict(header.split(": ", 1) for header in headers)
            return list(fields), await end.take(0 if of_head else int(fields["Content-Length"]))

        await end.send(_REQUEST)
        names, shown = await answer()
        assert b"SUPERHERO1" in shown
        await end.send(_REQUEST.replace(b"GET", b"HEAD"))
        assert await answer(of_head=True) == (names, b"")
        picture = b"/assets/images/avatars/ironman.png"
        await end.send(_REQUEST.replace(b"/users/superhero1", picture))
        assert (await answer())[1].startswith(b"\x89PNG")
        await end.send(head + b"\r\n" + body % b"whole" + _REQUEST)  # two in one segment
        assert b"whole" in (await answer())[1]
        assert await answer() == (names, shown)
        await end.send(head + b"Expect: 100-continue\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 100 ")
        await end.send(body % b"parts")
        same_names, created = await answer()
        assert same_names == names
        assert b"parts" in created
        await end.send(_REQUEST.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n"))
        assert await answer() == ([*names, "Connection"], shown)
        assert await end.rest() == b""  # the connection ends
        await end.close()


async def test_requests_that_come_together_with_the_rest_of_a_body_are_all_answered() -> None:
    last = _REQUEST.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n")
    head = b"POST /login HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    async with served() as mock:
        end = await End.to(port_of(mock.url))
        await end.send(head)
        assert (await end.head()).startswith(b"HTTP/1.1 100 ")

        await end.send(b"{}" + 100 * _REQUEST + last)

        assert (await end.rest()).count(b"HTTP/1.1 200 OK") == 101
        await end.close()


# --- slow clients ---------------------------------------------------------------------------
async def test_a_head_or_body_that_does_not_come_in_time_is_refused() -> None:
    body = b"POST /users HTTP/1.1\r\nHost: a\r\napikey: REST_API_KEY\r\nContent-Length: 9\r\n\r\n{"
    async with served(client_timeout=0.1) as mock:
        for request, field in ((_REQUEST[:-2], "request"), (body, "body")):
            _, answer = parts_of(await answer_to(mock, request))
            assert f"The {field} " in str(answer["error"]["details"]), answer
            assert "did not come within 0.1 seconds." in str(answer["error"]["details"]), answer

        body = body.replace(b"9", b"99999999999")  # it would never come
        _, answer = parts_of(await answer_to(mock, body))
        assert "may not be greater than" in str(answer["error"]["details"]), answer

        again = await answer_to(mock, _REQUEST + _REQUEST[:-2])
        assert (again.count(b"200 OK"), again.count(b"400 Bad Request")) == (1, 1)
        assert await answer_to(mock, b"") == b""


async def test_a_handshake_of_tls_that_does_not_come_in_time_ends() -> None:
    async with MockChat(Config(port=None, https_port=0, client_timeout=0.1)) as mock:
        for hello in (b"", NO_HTTP["a TLS hello"][:50]):
            end = await End.to(port_of(mock.https_url))
            await end.send(hello)
            async with asyncio.timeout(PATIENCE):
                assert await end.rest() == b""
            await end.close()


async def test_an_idle_connection_and_one_that_waits_for_its_answer_are_kept() -> None:
    async with served(client_timeout=0.05, login_latency=0.3) as mock:
        end = await End.to(port_of(mock.url))
        body = b'{"uid": "superhero1", "authKey": "AUTH_KEY"}'
        login = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        for _ in range(2):  # the second comes six patiences after the first
            await end.send(login)
            assert b"200 OK" in await end.head()
            await end.reader.readuntil(b"}}")
        await end.close()


async def test_a_client_that_does_not_take_its_answer_loses_the_connection() -> None:
    async with served(client_timeout=0.1) as mock:
        mock.seed(users=3000)
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect(("127.0.0.1", port_of(mock.url)))
            raw.sendall(b"GET /_mock/state HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
            end = select.poll()
            end.register(raw, 0)  # tells of resets alone

            assert await asyncio.to_thread(end.poll, PATIENCE * 1000)


async def test_others_are_served_while_hundreds_of_clients_are_slow_and_these_all_end() -> None:
    body = b"POST /users HTTP/1.1\r\nHost: a\r\napikey: REST_API_KEY\r\nContent-Length: 9\r\n\r\n{"
    async with served(client_timeout=1) as mock:
        slow = [
            asyncio.create_task(answer_to(mock, request))
            for request in (_REQUEST[:-2], body, b"") * 100
        ]
        for _ in range(100):
            assert b"200 OK" in await answer_to(mock, _REQUEST, half_closed=True)

        async with asyncio.timeout(4 * PATIENCE):
            answers = await asyncio.gather(*slow)

    assert [b"400 Bad Request" in one for one in answers] == [True, True, False] * 100


# --- too many clients -----------------------------------------------------------------------
def test_without_files_left_clients_wait_and_the_log_says_it_once(tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError")  # which is silent of itself
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    shell = 'ulimit -n 40 && exec "$@"'
    with (
        serving("--https-port", "off", shell=shell, env=environment) as server,
        contextlib.ExitStack() as clients,
    ):
        for _ in range(60):
            client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            clients.enter_context(client)
        assert server.popen.stderr
        told = server.popen.stderr.readline()
        clients.close()
        with urlopen(f"{server.url}/_mock/health", timeout=PATIENCE) as health:
            assert health.status == 200
        status, log = server.end(signal.SIGTERM)

    assert "WARNING new connections wait: Too many open files" in told
    assert status == 0
    assert [line for line in log.splitlines() if " GET /_mock/health 200 " not in line] == []
