"""Requests to the proxy: their heads, their bodies, and refusals."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from mockchat.core.masking import masked
from mockchat.wire.hosts import Address, is_live, parse_host

HEAD_LIMIT = CHUNK = 64 * 1024
END = b"\r\n\r\n"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # as HTTP's grammar has it
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([!-~]+) (HTTP/1\.[01])")
_FIELD = re.compile(rf"{_TOKEN}:[^\x00\r\n]*")
_AUTHORITY = re.compile(r"\S+:[0-9]+")  # a tunnel has no default port
_URL = re.compile(r"(?i:http(s?))://([^/?#]*)([/?][^#]*)?")
# Fields between the proxy and its neighbours, which it does not pass on.
OWN_FIELDS = {"host", "connection", "keep-alive", "proxy-authorization", "proxy-connection"}
_LENGTH = re.compile(r"[0-9]{1,18}")
_LONGEST_NAME = 253
_SHOWN = 200  # characters of a request line that is not understood


class Refusal(Exception):  # noqa: N818  # an answer, no failure
    """The proxy refuses a client, with a status and a reason."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Stream(NamedTuple):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Request(NamedTuple):
    """A request, as its host is to get it."""

    address: Address
    line: str = ""  # the first line; empty for a tunnel
    fields: tuple[str, ...] = ()  # without those between the proxy and its neighbours
    keeps: bool = False  # whether it is for a live name and may be followed by others
    length: int = 0  # of its body

    @property
    def is_tunnel(self) -> bool:
        """Whether it asks for a tunnel."""
        return not self.line

    @property
    def head(self) -> bytes:
        """The head for the host."""
        connection = "Upgrade" if self._value("upgrade") else "close"
        own = f"Connection: {'keep-alive' if self.keeps else connection}"
        lines = (self.line, f"Host: {self.address.netloc}", *self.fields, own, "", "")
        return "\r\n".join(lines).encode("latin-1")

    def _value(self, name: str) -> str:
        found = (one.partition(":")[2] for one in self.fields if name_of(one) == name)
        return next(found, "").strip()

    async def pass_body(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the body, which is as long as its Content-Length says."""
        left = self.length
        while left:
            data = await reader.read(min(left, CHUNK))
            if not data:
                raise ConnectionResetError("the body of a request broke off")
            writer.write(data)
            await writer.drain()
            left -= len(data)


async def read_request(reader: asyncio.StreamReader, patience: float | None) -> Request:
    """Return the next request of a client.

    Raises Refusal where its head is too slow, too long or none to a proxy, ConnectionAbortedError
    where the client says nothing.
    """
    first = b""
    try:
        async with asyncio.timeout(patience):
            first = await reader.readexactly(1)
            if not first.isalpha():
                raise Refusal(HTTPStatus.BAD_REQUEST, "it speaks HTTP, and no TLS, to its clients")
            return _parse(first + await reader.readuntil(END))
    except (TimeoutError, asyncio.IncompleteReadError):
        if not first:  # a probe, or a connection made in advance
            raise ConnectionAbortedError("a client said nothing") from None
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the head of the request has no end") from None
    except asyncio.LimitOverrunError:
        why = f"the head of the request is longer than {HEAD_LIMIT} bytes"
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why) from None


def _parse(head: bytes) -> Request:
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
        given = masked(f"{method} {target}")[:_SHOWN]
        why = f"it takes CONNECT host:port, http://host/ and https://host/, not {given}"
        raise Refusal(HTTPStatus.BAD_REQUEST, why)
    if not path:
        return Request(address)
    named = {name_of(field): field.partition(":")[2].strip().lower() for field in fields}
    length = named.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        raise Refusal(HTTPStatus.BAD_REQUEST, "the length of the body cannot be read")
    kept = tuple(field for field in fields if name_of(field) not in OWN_FIELDS)
    keeps = is_live(address.name) and _keeps(version, named)
    return Request(address, f"{method} {path} {version}", kept, keeps, int(length))


def _keeps(version: str, named: Mapping[str, str]) -> bool:
    """Whether the client of these fields goes on with the connection, and goes on in HTTP.

    A body in chunks is the last one: the proxy does not look for its end.
    """
    wish = f"{named.get('connection', '')},{named.get('proxy-connection', '')}"
    stays = "keep-alive" in wish if version == "HTTP/1.0" else "close" not in wish
    return stays and named.keys().isdisjoint(("upgrade", "transfer-encoding"))


def name_of(field: str) -> str:
    """Return the name of a field, in lower case."""
    return field.partition(":")[0].strip().lower()
