"""The proxy: the live host names end at mockchat's listeners, other hosts are passed through.

It reads the head of a client's first request and, unless that asks for a tunnel, the head of the
answer. All other bytes pass unchanged: in a tunnel client and host speak TLS with each other.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import NamedTuple

from mockchat.wire.hosts import Address, is_inside, is_live, is_loopback, is_own, parse_host

log = logging.getLogger("mockchat.proxy")

_HEAD_LIMIT = _CHUNK = 64 * 1024
_PATIENCE = 10.0  # seconds that a client has to ask and a host to take the connection
_LINGER = 30.0  # seconds that a tunnel may rest once one of its directions has ended
_FAREWELL = 1.0  # seconds that a refused client has to finish its request
_STAGGER = 0.25  # seconds until the proxy tries a host's next address, too
_BACKLOG = 1024
_HTTP, _HTTPS = 80, 443
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_END = b"\r\n\r\n"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # as HTTP's grammar has it
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([!-~]+) (HTTP/1\.[01])")
_FIELD = re.compile(rf"{_TOKEN}:[^\x00\r\n]*")
_AUTHORITY = re.compile(r"\S+:[0-9]+")  # a tunnel has no default port
_URL = re.compile(r"(?i:http(s?))://([^/?#]*)([/?][^#]*)?")
# Fields between the proxy and its neighbours, which it does not pass on.
_OWN_FIELDS = {"host", "connection", "keep-alive", "proxy-authorization", "proxy-connection"}
_LONGEST_NAME = 253
EVERY_HOST = "*"
_INSIDE = "this is the proxy's own machine; exclude yours from the proxy (NO_PROXY)"
_SHOWN = 200  # characters of a request line that is not understood


class Refusal(Exception):  # noqa: N818  # an answer, no failure
    """The proxy refuses a client, with a status and a reason."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Stream(NamedTuple):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


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
            self._accept, sock=bound, limit=_HEAD_LIMIT, backlog=1
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
        address, request = parse_head(await _read_head(client.reader, self._patience))
        other = await self._reach(address, client, by_tls=bool(request) and address.secure)
        async with _closing(other.writer):
            tunnel = _Tunnel()
            if request:
                other.writer.write(request)
                back = tunnel.pass_on_answer(other.reader, client.writer)
            else:
                client.writer.write(_ESTABLISHED)
                back = tunnel.pass_on(other.reader, client.writer)
            await tunnel.run(tunnel.pass_on(client.reader, other.writer), back, self._linger)

    async def _reach(self, address: Address, client: _Stream, *, by_tls: bool) -> _Stream:
        """Connect to an address; a live name never leads out of this machine.

        With `by_tls` the proxy speaks TLS with the host: axios of 2021 to 2023 sends `https://`
        URLs in clear.
        """
        name, port = address.name, address.port
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
        why = "" if is_here or not await _leads_inside(address, self._patience) else _INSIDE
        if not why:
            tls = ssl.create_default_context() if by_tls else None
            other = await _connect(address, self._patience, tls, name)
            why = _objection(client.writer, other.writer, is_here=is_here)
            if not why:
                return other
            other.writer.transport.abort()
        raise Refusal(HTTPStatus.FORBIDDEN, f"{name}, port {port}: {why}")


class _Tunnel:
    """Two directions of bytes, of which one may end before the other."""

    def __init__(self) -> None:
        self._passed = 0

    async def run(
        self, there: Coroutine[None, None, None], back: Coroutine[None, None, None], linger: float
    ) -> None:
        """Run until both directions end, one fails, or one ends and the other rests too long."""
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
            await _cancel(tasks)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the bytes, no faster than the writer takes them, and then their end."""
        while data := await reader.read(_CHUNK):
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
            while (head := await reader.readuntil(_END))[9:10] == b"1" and not _is_upgrade(head):
                writer.write(head)  # the head of the answer itself follows
            writer.write(head if _is_upgrade(head) else _as_last(head))
        except asyncio.IncompleteReadError as error:  # this is no HTTP: it passes as it is
            writer.write(error.partial)
        except asyncio.LimitOverrunError:
            pass
        await self.pass_on(reader, writer)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
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


async def _read_head(reader: asyncio.StreamReader, patience: float) -> bytes:
    """Return the bytes of a request's head; raise Refusal where it is too slow or too long."""
    first = b""
    try:
        async with asyncio.timeout(patience):
            first = await reader.readexactly(1)
            if not first.isalpha():
                raise Refusal(HTTPStatus.BAD_REQUEST, "it speaks HTTP, and no TLS, to its clients")
            return first + await reader.readuntil(_END)
    except (TimeoutError, asyncio.IncompleteReadError):
        if not first:  # a probe, or a connection made in advance
            raise ConnectionAbortedError("a client said nothing") from None
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the head of the request has no end") from None
    except asyncio.LimitOverrunError:
        why = f"the head of the request is longer than {_HEAD_LIMIT} bytes"
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why) from None


def parse_head(head: bytes) -> tuple[Address, bytes]:
    """Return the destination of a request and its head for that host, empty for a tunnel.

    Raises Refusal for anything that is no request to a proxy.
    """
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match or not all(map(_FIELD.fullmatch, fields)):
        raise Refusal(HTTPStatus.BAD_REQUEST, "that is no HTTP request")
    method, target, version = match.groups()
    address, path = None, ""
    if method == "CONNECT":
        if _AUTHORITY.fullmatch(target):
            address = parse_host(target, secure=True)
    elif match := _URL.fullmatch(target):
        address = parse_host(match[2], secure=bool(match[1]))
        path = "/" + (match[3] or "").removeprefix("/")
    if address is None or len(address.name) > _LONGEST_NAME:
        given = f"{method} {target}"[:_SHOWN]
        why = f"it takes CONNECT host:port, http://host/ and https://host/, not {given}"
        raise Refusal(HTTPStatus.BAD_REQUEST, why)
    if not path:
        return address, b""
    upgrades = any(_name(field) == "upgrade" for field in fields)
    lines = (
        f"{method} {path} {version}",
        f"Host: {address.netloc}",
        *(field for field in fields if _name(field) not in _OWN_FIELDS),
        f"Connection: {'Upgrade' if upgrades else 'close'}",
    )
    return address, "\r\n".join((*lines, "", "")).encode("latin-1")


def _name(field: str) -> str:
    return field.partition(":")[0].strip().lower()


def _is_upgrade(answer: bytes) -> bool:
    """Whether the connection speaks no HTTP after this head."""
    return answer[9:12] == b"101"


def _as_last(answer: bytes) -> bytes:
    """Return the head of an answer that is the last of its connection."""
    lines = answer.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    kept = [line for line in lines if _name(line) not in _OWN_FIELDS]
    return "\r\n".join((*kept, "Connection: close", "", "")).encode("latin-1")


def _trusting() -> ssl.SSLContext:
    """Return the context of a connection to this server, which needs no proof of itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _connect(
    address: Address, patience: float, tls: ssl.SSLContext | None, name: str
) -> _Stream:
    where = f"{address.name}, port {address.port}"
    try:
        async with asyncio.timeout(patience):
            opened = asyncio.open_connection(
                *(address.name, address.port),
                happy_eyeballs_delay=_STAGGER,
                ssl=tls,
                server_hostname=name if tls else None,
            )
            return _Stream(*await opened)
    except TimeoutError:
        raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, f"{where} does not answer") from None
    except (OSError, UnicodeError) as error:
        why = f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}"
        raise Refusal(HTTPStatus.BAD_GATEWAY, why) from None


async def _leads_inside(address: Address, patience: float) -> bool:
    """Whether an address is of the proxy's own machine, or of its cloud."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience):
            found = await loop.getaddrinfo(address.name, address.port)
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


async def _refuse(client: _Stream, refusal: Refusal) -> None:
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
            while await client.reader.read(_CHUNK):
                pass
