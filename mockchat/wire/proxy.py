"""The proxy: the live host names end at mockchat's listeners, other hosts are passed through.

It reads the head of a client's first request and, of plain HTTP, the head of the answer. All else
travels as it is: TLS is spoken between the client and the host that it asked for.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import NamedTuple

from mockchat.wire import proxy_heads as heads
from mockchat.wire.hosts import Address, is_inside, is_live
from mockchat.wire.proxy_heads import Refusal

log = logging.getLogger("mockchat.proxy")

_HEAD_LIMIT = _CHUNK = 64 * 1024
_PATIENCE = 10.0  # seconds that a client has to ask and a host to take the connection
_LINGER = 30.0  # seconds that a tunnel may rest once one of its directions has ended
_FAREWELL = 1.0  # seconds that a refused client has to finish what it says
_STAGGER = 0.25  # seconds until a host's next address is tried, too
_BACKLOG = 1024
_HTTP, _HTTPS = 80, 443
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class _Stream(NamedTuple):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Proxy:
    """An HTTP proxy in which the live host names are mockchat itself.

    `listeners` are mockchat's own; `only_live` refuses every other host.
    """

    def __init__(
        self,
        *listeners: Address,
        only_live: bool = False,
        patience: float = _PATIENCE,
        linger: float = _LINGER,
    ) -> None:
        # Where a port of the live names leads: `settings` may name a listener's own, too.
        self._ends = {one.port: one for one in listeners}
        self._ends |= {_HTTPS if one.secure else _HTTP: one for one in listeners}
        self._only_live = only_live
        self._patience = patience
        self._linger = linger
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, bound: socket.socket) -> None:
        """Serve whoever connects to a bound socket."""
        if not self._only_live and not is_inside(bound.getsockname()[0]):
            log.warning("the proxy takes whoever reaches it to any host; see --proxy-only-live")
        # Without files left asyncio logs as many failures at a time as its own backlog says.
        self._server = await asyncio.start_server(
            self._accept, sock=bound, limit=_HEAD_LIMIT, backlog=1
        )
        bound.listen(_BACKLOG)

    async def stop(self) -> None:
        """Take no more clients and end the tunnels, whatever goes through them."""
        if self._server:
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it came while the listener was being closed
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(_Stream(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # should it never have begun

    async def _serve(self, client: _Stream) -> None:
        try:
            async with _closing(client.writer):
                try:
                    await self._answer(client)
                except Refusal as refusal:
                    log.info("the proxy refused a client with %d: %s", refusal.status, refusal)
                    await _refuse(client, refusal)
        except OSError as error:
            log.debug("the proxy lost a connection: %s", error)

    async def _answer(self, client: _Stream) -> None:
        head = heads.parse_head(await _read_head(client.reader, self._patience))
        address, path = heads.destination(head)
        other = await self._reach(address, client)
        async with _closing(other.writer):
            tunnel = _Tunnel()
            if path is None:
                client.writer.write(_ESTABLISHED)
                back = tunnel.pass_on(other.reader, client.writer)
            else:
                other.writer.write(heads.request_to(address, path, head))
                back = tunnel.pass_on_answer(other.reader, client.writer)
            await tunnel.run(tunnel.pass_on(client.reader, other.writer), back, self._linger)

    async def _reach(self, address: Address, client: _Stream) -> _Stream:
        """Connect to what an address means here; a live name never leads out of this machine."""
        name, port = address.name, address.port
        if is_live(name):
            if port not in self._ends:
                known = ", ".join(map(str, sorted(self._ends)))
                why = f"{name} is mockchat here, which has no port {port}, only {known}"
                raise Refusal(HTTPStatus.FORBIDDEN, why)
            return await _connect(self._ends[port], self._patience)
        if self._only_live:
            why = f"{name} is no live host name, and --proxy-only-live refuses all others"
            raise Refusal(HTTPStatus.FORBIDDEN, why)
        other = await _connect(address, self._patience)
        if why := _objection(client.writer, other.writer):
            other.writer.transport.abort()
            raise Refusal(HTTPStatus.FORBIDDEN, f"{name}, port {port}: {why}")
        return other


class _Tunnel:
    """Two directions of bytes, of which one may end before the other."""

    def __init__(self) -> None:
        self._passed = 0

    async def run(
        self, there: Coroutine[None, None, None], back: Coroutine[None, None, None], linger: float
    ) -> None:
        """Run until both ways ended, one broke, or one ended and the other rests for too long."""
        tasks = [asyncio.create_task(there), asyncio.create_task(back)]
        try:
            done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            while rest and not any(task.exception() for task in done):
                before = self._passed
                done, rest = await asyncio.wait(rest, timeout=linger)
                if rest and self._passed == before:
                    raise ConnectionAbortedError("one direction ended, the other one rests")
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, no faster than it is taken, and then that nothing more does."""
        while data := await reader.read(_CHUNK):
            self._passed += len(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def pass_on_answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on an answer, and with it that it is the connection's last.

        The client's next request may be for another host, so it needs a connection of its own.
        """
        try:
            while heads.is_interim(head := await reader.readuntil(b"\r\n\r\n")):
                writer.write(head)
            writer.write(head if heads.is_upgrade(head) else heads.as_last(head))
        except asyncio.IncompleteReadError as error:  # no HTTP, nor is what follows: as it is
            writer.write(error.partial)
        except asyncio.LimitOverrunError:
            pass
        await self.pass_on(reader, writer)


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection at the end of the block; abort it where the block fails."""
    try:
        yield
        writer.close()
        async with asyncio.timeout(_PATIENCE):
            await writer.wait_closed()
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _read_head(reader: asyncio.StreamReader, patience: float) -> bytes:
    """Return the bytes of a request's head; raise Refusal where it is too slow or too long."""
    first = b""
    try:
        async with asyncio.timeout(patience):
            first = await reader.readexactly(1)
            if not first.isalpha():
                raise Refusal(HTTPStatus.BAD_REQUEST, "it speaks HTTP, and no TLS, to its clients")
            return first + await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError):
        if not first:  # a probe, or a connection made in advance
            raise ConnectionAbortedError("a client said nothing") from None
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the head of the request has no end") from None
    except asyncio.LimitOverrunError:
        why = f"the head of the request is longer than {_HEAD_LIMIT} bytes"
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why) from None


async def _connect(address: Address, patience: float) -> _Stream:
    where = f"{address.name}, port {address.port}"
    try:
        async with asyncio.timeout(patience):
            target = address.name, address.port
            return _Stream(*await asyncio.open_connection(*target, happy_eyeballs_delay=_STAGGER))
    except TimeoutError:
        raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, f"{where} does not answer") from None
    except (OSError, UnicodeError) as error:
        why = f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}"
        raise Refusal(HTTPStatus.BAD_GATEWAY, why) from None


def _objection(client: asyncio.StreamWriter, other: asyncio.StreamWriter) -> str:
    """Return what speaks against the connection that was made for a client, if anything."""
    asking, target = client.get_extra_info("peername"), other.get_extra_info("peername")
    if not target:
        return "it hung up"
    if target == client.get_extra_info("sockname"):
        return "this is the proxy itself"
    if is_inside(target[0]) and not is_inside(asking[0]):
        return "this is the proxy's own machine; exclude yours from the proxy (NO_PROXY)"
    return ""


async def _refuse(client: _Stream, refusal: Refusal) -> None:
    client.writer.write(refusal.answer())
    client.writer.write_eof()
    # Closing on one who still talks would reset the connection before the answer is read.
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            while await client.reader.read(_CHUNK):
                pass
