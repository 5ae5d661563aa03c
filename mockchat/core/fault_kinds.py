"""Fault kinds: the ways in which an exchange goes wrong on purpose, a small class for each.

The fields of a class are the parameters of the kind, each with its bounds; the schemas of rules are
derived from them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

from mockchat.core.errors import ApiError

_PIECES = 10  # of a slow body


class Line(Protocol):
    """The actions of a fault on the exchange that it strikes; `chance` draws from 0 to 1."""

    chance: Callable[[], float]

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def hang(self) -> None:
        """Wait until the client disconnects, the fault is removed or the server stops."""

    def hang_up(self, *, reset: bool) -> None:
        """Close the connection, by a reset or in order, without another byte."""

    def error(self, code: str, status: int | None, message: str | None) -> ApiError:
        """Return the error to refuse with."""

    def refuse_rate(self, seconds: float) -> ApiError:
        """Return the refusal of a client that sent too many requests."""


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

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))


class HttpKind(Kind):
    """A kind that strikes requests, including the handshakes of WebSockets."""

    async def strike(self, line: Line) -> None:
        """Act before the request is checked."""


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

    async def strike(self, line: Line) -> None:
        """Wait."""
        more = self.jitter * (2 * line.chance() - 1) if self.jitter else 0.0
        await line.sleep(max(0.0, self.delay + more))


@dataclass(eq=False, repr=False)
class Error(EarlyKind):
    """The request is refused: with an error of the catalogue, or with any status."""

    code: str = _parameter("a code or name of the error catalogue, or a code of your own", "")
    status: int | None = _parameter("the HTTP status, if not the catalogue's", None, *STATUS)
    message: str | None = _parameter("the message, if not the catalogue's", None)

    async def strike(self, line: Line) -> None:
        """Refuse."""
        raise line.error(self.code, self.status, self.message)


class CredentialError(Error):
    """The credential is refused; a WebSocket that authenticates with it is, too."""


@dataclass(eq=False, repr=False)
class RateLimit(EarlyKind):
    """The request is refused with 429 and `Retry-After`."""

    retry_after: float = _parameter("how long the client is told to wait", 60.0)

    async def strike(self, line: Line) -> None:
        """Refuse."""
        raise line.refuse_rate(self.retry_after)


class Reset(EarlyKind):
    """The connection is reset before any byte of an answer."""

    async def strike(self, line: Line) -> None:
        """Reset."""
        line.hang_up(reset=True)


class Hang(EarlyKind):
    """No answer comes; the connection stays open until the fault is removed."""

    async def strike(self, line: Line) -> None:
        """Wait until the client gives up."""
        await line.hang()


class Empty(EarlyKind):
    """The connection is closed, in order, before any byte of an answer."""

    async def strike(self, line: Line) -> None:
        """Close."""
        line.hang_up(reset=False)


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

    async def strike(self, line: Line) -> None:
        """Refuse the handshake."""
        raise line.error("", self.status, None)


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
