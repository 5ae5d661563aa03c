"""Fault kinds: the ways in which an exchange goes wrong on purpose, a small class for each.

The fields of a class are the parameters of the kind, each with its bounds; the schemas of rules are
derived from them.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

_PIECES = 10  # of a slow body


class Shape(NamedTuple):
    """The form in which an answer is sent: in `pieces`, with `pause` seconds before each.

    `length` is the answer's Content-Length; if fewer bytes are sent, the connection closes.
    """

    pieces: tuple[bytes, ...]
    length: int
    pause: float = 0.0


def _parameter(help_: str, default: Any, least: int = 0, most: int = 10**9) -> Any:
    return field(default=default, metadata={"help": help_, "bounds": (least, most)})


STATUS = (200, 599)


@dataclass(eq=False, repr=False)
class Kind:
    """The base of all kinds."""

    name: ClassVar[str]


class HttpKind(Kind):
    """A kind that strikes requests, including the handshakes of WebSockets."""


class ShapeKind(HttpKind):
    """A kind that changes the form of answers with a body."""

    def shape(self, body: bytes) -> Shape:
        """Return the form of the answer."""
        raise NotImplementedError


class EarlyKind(HttpKind):
    """A kind that acts before there is an answer."""


@dataclass(eq=False, repr=False)
class Latency(EarlyKind):
    """The answer comes late."""

    delay: float = _parameter("how long it takes", 1.0)
    jitter: float = _parameter("how much more or less that may be", 0.0)


@dataclass(eq=False, repr=False)
class Error(EarlyKind):
    """The request is refused: with an error of the catalogue, or with any status."""

    code: str = _parameter("a code or name of the error catalogue, or a code of your own", "")
    status: int | None = _parameter("the HTTP status, if not the catalogue's", None, *STATUS)
    message: str | None = _parameter("the message, if not the catalogue's", None)


class CredentialError(Error):
    """The credential is refused; a WebSocket that authenticates with it is, too."""


@dataclass(eq=False, repr=False)
class RateLimit(EarlyKind):
    """The request is refused with 429 and `Retry-After`."""

    retry_after: float = _parameter("how long the client is told to wait", 60.0)


class Reset(EarlyKind):
    """The connection is reset before any byte of an answer."""


class Hang(EarlyKind):
    """No answer comes; the connection stays open until the fault is removed."""


class Empty(EarlyKind):
    """The connection is closed, in order, before any byte of an answer."""


@dataclass(eq=False, repr=False)
class Truncated(ShapeKind):
    """The connection is closed in the middle of the answer."""

    arriving: int | None = _parameter("how many bytes of the body arrive; else half of it", None)

    def shape(self, body: bytes) -> Shape:
        """Return the beginning of the body."""
        end = len(body) // 2 if self.arriving is None else min(self.arriving, len(body) - 1)
        return Shape((body[: max(end, 0)],), max(len(body), 1))


class Malformed(ShapeKind):
    """The answer is complete, but its body is no valid JSON."""

    def shape(self, body: bytes) -> Shape:
        """Return the first half of the body as a complete answer."""
        broken = body[: len(body) // 2] or b"{"
        return Shape((broken,), len(broken))


@dataclass(eq=False, repr=False)
class SlowBody(ShapeKind):
    """The head of the answer comes at once, its body slowly."""

    delay: float = _parameter("how long the whole body takes", 5.0)

    def shape(self, body: bytes) -> Shape:
        """Return the body in pieces."""
        size = max(1, -(-len(body) // _PIECES))
        pieces = tuple(body[at : at + size] for at in range(0, len(body), size))
        return Shape(pieces, len(body), self.delay / max(1, len(pieces)))


# --- WebSockets -----------------------------------------------------------------------------
@dataclass(eq=False, repr=False)
class RefuseSocket(Kind):
    """The WebSocket is refused: at the handshake if that names the app, else at its auth."""

    status: int = _parameter("the HTTP status of the refused handshake", 503, *STATUS)


@dataclass(eq=False, repr=False)
class CloseSocket(Kind):
    """The WebSocket is closed after its authentication; open WebSockets are closed at once."""

    close_code: int = _parameter("the close code; 1006 hangs up without one", 1011, 1000, 4999)
    delay: float = _parameter("how long after the authentication", 0.0)


class IgnorePings(Kind):
    """The pings of new and open WebSockets stay unanswered."""


@dataclass(eq=False, repr=False)
class DelayAuth(Kind):
    """The WebSocket's authentication is answered late."""

    delay: float = _parameter("how long it takes", 1.0)


KINDS: dict[str, type[Kind]] = {
    "latency": Latency,
    "error": Error,
    "rate_limit": RateLimit,
    "reset": Reset,
    "hang": Hang,
    "empty": Empty,
    "truncated": Truncated,
    "malformed": Malformed,
    "slow_body": SlowBody,
    "ws_refuse": RefuseSocket,
    "ws_close": CloseSocket,
    "ws_ignore_pings": IgnorePings,
    "ws_delay_auth": DelayAuth,
}
for _name, _kind in KINDS.items():
    _kind.name = _name
