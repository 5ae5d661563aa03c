"""The ends of a proxy's connections: clients that speak to it, and other hosts behind it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from urllib.parse import urlsplit

from mockchat import MockChat
from mockchat.wire.proxy import Proxy
from tests.values import PATIENCE

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class End:
    """One end of a connection, which waits for what it expects, but not for ever."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, host: str = "127.0.0.1") -> Self:
        return cls(*await asyncio.open_connection(host, port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def take(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """All that comes until the other side ends."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def asking(port: int, request: bytes) -> AsyncIterator[End]:
    """A client that has sent a request to the proxy at this port."""
    client = await End.to(port)
    try:
        await client.send(request)
        yield client
    finally:
        await client.close()


async def answer_to(port: int, request: bytes) -> bytes:
    """All that the proxy answers to a request."""
    async with asking(port, request) as client:
        return await client.rest()


@asynccontextmanager
async def tunnel(port: int, target: str) -> AsyncIterator[End]:
    """A client with a tunnel to a target."""
    async with asking(port, connect(target)) as client:
        assert await client.head() == ESTABLISHED
        yield client


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def get(url: str, *fields: str) -> bytes:
    host = urlsplit(url).netloc
    return "\r\n".join((f"GET {url} HTTP/1.1", f"Host: {host}", *fields, "", "")).encode()


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", answer)
    assert found, answer
    return int(found[1])


@asynccontextmanager
async def other_host(
    serve: Callable[[End], Awaitable[None]], host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """The port of another host, which serves each connection by a function."""
    open_ends: set[asyncio.Task[Any]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_served(serve, End(reader, writer)))
        open_ends.add(task)
        task.add_done_callback(open_ends.discard)

    server = await asyncio.start_server(accept, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_ends:
            task.cancel()
        await asyncio.gather(*open_ends, return_exceptions=True)


async def _served(serve: Callable[[End], Awaitable[None]], end: End) -> None:
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(end)
    finally:
        end.writer.transport.abort()
        await end.close()


async def echo(end: End) -> None:
    """Say again whatever comes, and end when the other side does."""
    while data := await end.reader.read(65536):
        await end.send(data)
    await end.close()


@asynccontextmanager
async def bare_proxy(**settings: Any) -> AsyncIterator[int]:
    """The port of a proxy without a mockchat behind it."""
    bound = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(**settings)
    await proxy.start(bound)
    try:
        yield bound.getsockname()[1]
    finally:
        await proxy.stop()


def port_of(url: str | None) -> int:
    return urlsplit(str(url)).port or 0


def proxy_of(mock: MockChat) -> int:
    return port_of(mock.proxy_url)
