"""The heads of HTTP as a proxy reads and writes them: whom a request is for, what is passed on."""

import re
from http import HTTPStatus
from typing import NamedTuple

from mockchat.wire.hosts import Address, parse_host

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # as HTTP's grammar has it
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([!-~]+) (HTTP/1\.[01])")
_FIELD = re.compile(rf"{_TOKEN}:[^\x00\r\n]*")
_AUTHORITY = re.compile(r"\S+:[0-9]+")  # a tunnel has no default port
_PLAIN_URL = re.compile(r"(?i:http)://([^/?#]*)([/?][^#]*)?")
# What is said to the proxy, or by it, and not to the host behind it.
_OWN_FIELDS = {"host", "connection", "keep-alive", "proxy-authorization", "proxy-connection"}
_LONGEST_NAME = 253
_SHOWN = 200  # characters of a request line that is not understood


class Refusal(Exception):  # noqa: N818  # an answer, no failure
    """What a client is told that is not served."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status

    def answer(self) -> bytes:
        """Return the whole answer; its first line is all that most clients show of it."""
        body = f"mockchat's proxy: {self}\n".encode()
        phrase = f"{self.status.phrase}: {self}".encode("ascii", "replace").decode()
        head = (
            f"HTTP/1.1 {self.status.value} {phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body


class Head(NamedTuple):
    """The head of a request, each field a line as it came."""

    method: str
    target: str
    version: str
    fields: tuple[str, ...]


def parse_head(head: bytes) -> Head:
    """Return the head of a request; raise Refusal for what is none."""
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match or not all(map(_FIELD.fullmatch, fields)):
        raise Refusal(HTTPStatus.BAD_REQUEST, "that is no HTTP request")
    return Head(match[1], match[2], match[3], tuple(fields))


def destination(head: Head) -> tuple[Address, str | None]:
    """Return where a request is to go and by which path, None for a tunnel; raise Refusal."""
    address, path = None, None
    if head.method == "CONNECT":
        if _AUTHORITY.fullmatch(head.target):
            address = parse_host(head.target, secure=True)
    elif match := _PLAIN_URL.fullmatch(head.target):
        address = parse_host(match[1], secure=False)
        path = "/" + (match[2] or "").removeprefix("/")
    if address is None or len(address.name) > _LONGEST_NAME:
        given = f"{head.method} {head.target}"[:_SHOWN]
        why = f"it takes CONNECT host:port, and http://host/ for plain HTTP, not {given}"
        raise Refusal(HTTPStatus.BAD_REQUEST, why)
    return address, path


def request_to(address: Address, path: str, head: Head) -> bytes:
    """Return the head of a plain request for its host. An upgrade passes, all else is closed."""
    fields = [(line.partition(":")[0].lower(), line) for line in head.fields]
    upgrades = any(name == "upgrade" for name, _ in fields)
    lines = (
        f"{head.method} {path} {head.version}",
        f"Host: {address.netloc}",
        *(line for name, line in fields if name not in _OWN_FIELDS),
        f"Connection: {'Upgrade' if upgrades else 'close'}",
    )
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def is_interim(answer: bytes) -> bool:
    """Whether the head of an answer announces another one."""
    return answer[9:10] == b"1" and not is_upgrade(answer)


def is_upgrade(answer: bytes) -> bool:
    """Whether the head of an answer ends what is HTTP of a connection."""
    return answer[9:12] == b"101"


def as_last(answer: bytes) -> bytes:
    """Return the head of an answer that is the last of its connection."""
    lines = answer.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if _name(line) not in _OWN_FIELDS]
    return b"\r\n".join((*kept, b"Connection: close", b"", b""))


def _name(line: bytes) -> str:
    return line.partition(b":")[0].decode("latin-1").strip().lower()
