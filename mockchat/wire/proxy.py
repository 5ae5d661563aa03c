"""The proxy: the live host names end at mockchat's listeners, other hosts are passed through.

A request for a live name may be followed by others on its connection. Of a request for another
host the proxy reads the head, and the head of the answer. In a tunnel all bytes pass unchanged:
client and host speak TLS with each other.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from aiohappyeyeballs import start_connection

from mockchat.wire.hosts import Address, is_inside, is_live, is_loopback, is_own
from mockchat.wire.proxy_requests import (
    CHUNK,
    END,
    HEAD_LIMIT,
    OWN_FIELDS,
    Refusal,
    Request,
    Stream,
    name_of,
    read_request,
)

log = logging.getLogger("mockchat.proxy")

_PATIENCE = 10.0  # seconds that a client has to ask and a host to take the connection
_LINGER = 30.0  # seconds that a tunnel may rest once one of its directions has ended
_FAREWELL = 1.0  # seconds that a refused client has to finish its request
_STAGGER = 0.25  # seconds until the proxy tries a host's next address, too
_BACKLOG = 1024
_HTTP, _HTTPS = 80, 443
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
EVERY_HOST = "*"
_INSIDE = "this is the proxy's own machine; exclude yours from the proxy (NO_PROXY)"


class Proxy:
    """An HTTP proxy in which the live host names are mockchat itself.

    `listeners` are mockchat's own; `allow` has the patterns of the other hosts that it takes.
    """

    def __init__(
        self,
        *listeners: Address,
        allow: tuple[str, ...] = (EVERY_HOST,),
        patience: float = _PATIENCE,
        linger: float = _LINGER,
    ) -> None:
        # Where a port of the live names leads: `settings` may name a listener's own, too.
        self._ends = {one.port: one for one in listeners}
        self._ends |= {_HTTPS if one.secure else _HTTP: one for one in listeners}
        self._allow = allow
        self._patience = patience
        self._linger = linger
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, bound: socket.socket) -> None:
        """Serve the clients of a bound socket."""
        if EVERY_HOST in self._allow and not is_loopback(bound.getsockname()[0]):
            log.warning("the proxy leads every client to any host; see --proxy-allow")
        # Without files left asyncio logs as many failures at a time as its own backlog says.
        self._server = await asyncio.start_server(
            self._accept, sock=bound, limit=HEAD_LIMIT, backlog=1
        )
        bound.listen(_BACKLOG)

    async def stop(self) -> None:
        """Take no more clients and end all tunnels."""
        if self._server:
            self._server.close()
            self._server = None
        await _cancel(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it came while the listener was being closed
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(Stream(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # should it never have begun

    async def _serve(self, client: Stream) -> None:
        try:
            async with _closing(client.writer):
                try:
                    request: Request | None = await read_request(client.reader, self._patience)
                    while request is not None:
                        request = await self._pass_on(client, request)
                except Refusal as refusal:
                    log.info("the proxy refused a client with %d: %s", refusal.status, refusal)
                    await _refuse(client, refusal)
        except OSError as error:
            log.debug("the proxy lost a connection: %s", error)

    async def _pass_on(self, client: Stream, request: Request) -> Request | None:
        """Pass on a request, or open a tunnel; return the client's next request, if it has one."""
        other = await self._reach(request, client)
        async with _closing(other.writer):
            if request.keeps:
                return await self._pass_on_many(client, other, request)
            tunnel = _Tunnel(self._linger)
            if request.is_tunnel:
                client.writer.write(_ESTABLISHED)
                back = tunnel.pass_on(other.reader, client.writer)
            else:
                other.writer.write(request.head)
                back = tunnel.pass_on_answer(other.reader, client.writer)
            await tunnel.run(tunnel.pass_on(client.reader, other.writer), back)
        return None

    async def _pass_on_many(
        self, client: Stream, other: Stream, request: Request
    ) -> Request | None:
        """Pass on requests to mockchat by one connection; return the first one for another host."""

        async def ask() -> Request | None:
            asked = request
            try:
                while asked.address == request.address and asked.keeps:
                    other.writer.write(asked.head)
                    await asked.pass_body(client.reader, other.writer)
                    asked = await read_request(client.reader, None)
            except ConnectionAbortedError:  # the client says no more, but may wait for an answer
                if other.writer.can_write_eof():
                    other.writer.write_eof()
                return None
            return asked

        asking = asyncio.create_task(ask())
        answers = _Tunnel(self._linger).pass_on(other.reader, client.writer)
        answering = asyncio.create_task(answers)
        try:
            await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and not answering.done() and asking.result() is None:
                await asyncio.wait((answering,), timeout=self._linger)
            if answering.done():  # mockchat ended the connection
                return answering.result()
            return asking.result()
        finally:
            await _cancel((asking, answering))

    async def _reach(self, request: Request, client: Stream) -> Stream:
        """Connect to the host of a request; a live name never leads out of this machine.

        The proxy speaks TLS with the host of an `https://` URL: axios of 2021 to 2023 sends them
        in clear.
        """
        address, by_tls = request.address, not request.is_tunnel and request.address.secure
        name, port, _ = address
        if is_live(name):
            if port not in self._ends:
                known = ", ".join(map(str, sorted(self._ends)))
                why = f"{name} is mockchat here, which has no port {port}, only {known}"
                raise Refusal(HTTPStatus.FORBIDDEN, why)
            tls = _trusting() if by_tls else None
            return await _connect(self._ends[port], self._patience, tls, name)
        if not any(fnmatchcase(name, pattern) for pattern in self._allow):
            why = f"{name} is no live host name, and this proxy takes no others; see --proxy-allow"
            raise Refusal(HTTPStatus.FORBIDDEN, why)
        is_here = is_inside(client.writer.get_extra_info("peername")[0])
        # Looked at before the call, too: the answer must not tell open ports from closed ones.
        if not is_here and await _leads_inside(address, self._patience):
            raise Refusal(HTTPStatus.FORBIDDEN, f"{name}, port {port}: {_INSIDE}")
        tls = ssl.create_default_context() if by_tls else None
        other = await _connect(address, self._patience, tls, name)
        if why := _objection(client.writer, other.writer, is_here=is_here):
            other.writer.transport.abort()
            raise Refusal(HTTPStatus.FORBIDDEN, f"{name}, port {port}: {why}")
        return other


class _Tunnel:
    """Two directions of bytes, of which one may end before the other."""

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self._passed = 0

    async def run(self, *directions: Coroutine[None, None, None]) -> None:
        """Run until both directions end, one fails, or one ends and the other rests too long."""
        tasks = [asyncio.create_task(one) for one in directions]
        try:
            done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            while rest and not any(task.exception() for task in done):
                before = self._passed
                done, rest = await asyncio.wait(rest, timeout=self._linger)
                if rest and self._passed == before:
                    raise ConnectionAbortedError("one direction ended, the other one rests")
            for task in done:
                task.result()
        finally:
            await _cancel(tasks)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the bytes, no faster than the writer takes them, and then their end."""
        while data := await reader.read(CHUNK):
            self._passed += len(data)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():  # TLS knows no half of an end
            writer.write_eof()

    async def pass_on_answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on an answer, and tell the client that it is the connection's last.

        The client's next request may be for another host, so it needs a connection of its own.
        """
        try:
            while (head := await reader.readuntil(END))[9:10] == b"1" and not _is_upgrade(head):
                writer.write(head)  # the head of the answer itself follows
            writer.write(head if _is_upgrade(head) else _as_last(head))
        except asyncio.IncompleteReadError as error:  # this is no HTTP: it passes as it is
            writer.write(error.partial)
        except asyncio.LimitOverrunError:
            pass
        await self.pass_on(reader, writer)


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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


def _is_upgrade(answer: bytes) -> bool:
    """Whether the connection speaks no HTTP after this head."""
    return answer[9:12] == b"101"


def _as_last(answer: bytes) -> bytes:
    """Return the head of an answer that is the last of its connection."""
    lines = answer.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    kept = [line for line in lines if name_of(line) not in OWN_FIELDS]
    return "\r\n".join((*kept, "Connection: close", "", "")).encode("latin-1")


def _trusting() -> ssl.SSLContext:
    """Return the context of a connection to this server, which needs no proof of itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _connect(
    address: Address, patience: float, tls: ssl.SSLContext | None, name: str
) -> Stream:
    where = f"{address.name}, port {address.port}"
    try:
        async with asyncio.timeout(patience):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(*address[:2], type=socket.SOCK_STREAM)
            # uvloop's own connections do not try several addresses at once.
            opened = await start_connection(found, happy_eyeballs_delay=_STAGGER)
            server = name if tls else None
            return Stream(
                *await asyncio.open_connection(sock=opened, ssl=tls, server_hostname=server)
            )
    except TimeoutError:
        raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, f"{where} does not answer") from None
    except (OSError, UnicodeError) as error:
        why = f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}"
        raise Refusal(HTTPStatus.BAD_GATEWAY, why) from None


async def _leads_inside(address: Address, patience: float) -> bool:
    """Whether an address is of the proxy's own machine, or of its cloud."""
    try:
        async with asyncio.timeout(patience):
            found = await asyncio.get_running_loop().getaddrinfo(address.name, address.port)
    except (OSError, UnicodeError):  # also TimeoutError: the call itself tells why
        return False
    return any(_is_this_machine(str(one[4][0])) for one in found)


def _is_this_machine(address: str) -> bool:
    return is_inside(address) or is_own(address)


def _objection(client: asyncio.StreamWriter, other: asyncio.StreamWriter, *, is_here: bool) -> str:
    """Return the reason against the connection that was made for a client, if there is one."""
    target = other.get_extra_info("peername")
    if not target:
        return "it hung up"
    if target == client.get_extra_info("sockname"):
        return "this is the proxy itself"
    if not is_here and _is_this_machine(target[0]):
        return _INSIDE
    return ""


async def _refuse(client: Stream, refusal: Refusal) -> None:
    """Send a refusal; most clients show only its first line."""
    body = f"mockchat's proxy: {refusal}\n".encode()
    phrase = f"{refusal.status.phrase}: {refusal}".encode("ascii", "replace").decode()
    head = (
        f"HTTP/1.1 {refusal.status.value} {phrase}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    client.writer.write(head.encode() + body)
    client.writer.write_eof()
    # Closing while the client sends would reset the connection before it reads the answer.
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            while await client.reader.read(CHUNK):
                pass
