"""Faults on the wire: they delay, refuse or cut an exchange, or change the form of its answer."""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import hdrs, web

from mockchat.api.validation import refuse
from mockchat.control.faults import in_header
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import (
    EarlyKind,
    Empty,
    Error,
    Hang,
    HttpKind,
    Latency,
    RateLimit,
    RefuseSocket,
    Reset,
    Shape,
    ShapeKind,
)
from mockchat.core.faults import FaultError, Rule, error_named, first_of
from mockchat.core.limits import RECORDED_MAX_USERS, STANDARD_LIMIT
from mockchat.core.matching import SOCKET
from mockchat.core.store import Store
from mockchat.wire.body import CLIENT_FAULTS
from mockchat.wire.resolve import RequestContext

HEADER = "X-Mock-Fault"
_GLANCE = 0.1  # seconds between two looks whether the waiting clients are still connected
_RETRY_AFTER = 60  # seconds that a client is told to wait if a fault does not say
_NO_LINGER = struct.pack("ii", 1, 0)

Sleep = Callable[[float], Awaitable[None]]
Chance = Callable[[], float]
_Strike = tuple[str, HttpKind | RefuseSocket, Chance, Rule | None]


class ClientGone(Exception):  # noqa: N818  # an event, not an error
    """No answer is sent: the client left, or a fault ends the connection.

    With `hangs` the connection stays open for as long as `rule` exists.
    """

    def __init__(
        self, *, reset: bool = False, hangs: bool = False, rule: Rule | None = None
    ) -> None:
        super().__init__()
        self.reset, self.hangs, self.rule = reset, hangs, rule


@dataclass(slots=True, eq=False, repr=False)
class _Wait:
    request: web.BaseRequest
    rule: Rule | None  # whose removal ends the wait
    limit: asyncio.Timeout


class ClientWaits:
    """Waits of faults and held logins; each ends in ClientGone if the client leaves."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._waits: set[_Wait] = set()
        self._glance: asyncio.TimerHandle | None = None
        self._ended = False

    async def sleep(self, request: web.BaseRequest, seconds: float) -> None:
        """Wait for some seconds."""
        async with self.waiting(request):
            await self._sleep(seconds)

    async def hang(self, request: web.BaseRequest, rule: Rule | None) -> None:
        """Wait until the client leaves, the rule is removed or the server stops."""
        async with self.waiting(request, rule):
            with contextlib.suppress(*CLIENT_FAULTS):
                # The server sees a client leave only once it has read the body.
                async for _ in request.content.iter_any():
                    pass
            await asyncio.get_running_loop().create_future()

    def forget(self, rule: Rule) -> None:
        """End the waits that last as long as the rule."""
        self._end(wait for wait in self._waits if wait.rule is rule)

    def end(self) -> None:
        """End every wait, now and from now on."""
        self._ended = True
        self._end(self._waits)

    @staticmethod
    def _end(waits: Iterable[_Wait]) -> None:
        for wait in waits:
            if not wait.limit.expired():  # or about to be
                wait.limit.reschedule(asyncio.get_running_loop().time())

    @contextlib.asynccontextmanager
    async def waiting(
        self, request: web.BaseRequest, rule: Rule | None = None
    ) -> AsyncIterator[None]:
        """End the wait of this block in ClientGone if the client leaves, or with the rule."""
        if self._ended:
            raise ClientGone
        try:
            async with asyncio.timeout(None) as limit:
                wait = _Wait(request, rule, limit)
                self._waits.add(wait)
                self._glance = self._glance or self._glance_later()
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            raise ClientGone from None

    def _glance_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(_GLANCE, self._look)

    def _look(self) -> None:
        """End the waits of clients that left: aiohttp tells a handler nothing of that."""
        self._end(wait for wait in self._waits if _has_left(wait.request))
        self._glance = self._glance_later() if self._waits and not self._ended else None


def _has_left(request: web.BaseRequest) -> bool:
    """Whether the client closed the connection, or its half of it: it looks the same from here."""
    transport = request.transport
    return (
        transport is None
        or transport.is_closing()
        or getattr(request.protocol, "is_half_closed", False)
    )


class Struck(NamedTuple):
    """The faults that struck an exchange before its answer."""

    names: tuple[str, ...] = ()
    shape: ShapeKind | None = None  # the first that gives the answer another form
    end: ApiError | ClientGone | None = None  # how a fault ended the exchange
    hint: str | None = None  # the last one that struck, in words


UNTOUCHED = Struck()


class FaultInjector:
    """Lets the faults of a server strike its exchanges."""

    def __init__(self, store: Store, waits: ClientWaits) -> None:
        self._store = store
        self._waits = waits
        store.faults.on_removed.append(waits.forget)

    async def strike(self, context: RequestContext) -> Struck:
        """Let the faults of the header and of the app strike, in the order of their rules."""
        if context.is_control or context.method == hdrs.METH_OPTIONS:
            return UNTOUCHED
        names: list[str] = []
        shape = hint = None
        try:
            for name, kind, chance, rule in self._striking(context):
                names.append(name)
                hint = rule.told(self._store.clock.wall()) if rule else hint
                if isinstance(kind, ShapeKind):
                    shape = shape or kind
                await self._act(kind, chance, rule, context)
        except (ApiError, ClientGone) as end:
            return Struck(tuple(names), shape, end, hint)
        return Struck(tuple(names), shape, None, hint)

    async def _act(
        self,
        kind: HttpKind | RefuseSocket,
        chance: Chance,
        rule: Rule | None,
        context: RequestContext,
    ) -> None:
        """Do what a fault does before there is an answer."""
        match kind:
            case Latency():
                more = kind.jitter * (2 * chance() - 1) if kind.jitter else 0.0
                await self._waits.sleep(context.request, max(0.0, kind.delay + more))
            case Error():
                values = _values(context, _RETRY_AFTER)
                raise error_named(kind.code, kind.status, kind.message, values)
            case RefuseSocket():
                raise error_named("", kind.status, None, _values(context, _RETRY_AFTER))
            case RateLimit():
                raise ApiError(errors.TOO_MANY_REQUESTS, None, _values(context, kind.retry_after))
            case Reset() | Empty():
                raise ClientGone(reset=isinstance(kind, Reset))
            case Hang():
                raise ClientGone(hangs=True, rule=rule)

    def _striking(self, context: RequestContext) -> Iterator[_Strike]:
        """Yield the faults that strike, each counted only when its turn comes."""
        wanted: Any = HttpKind
        if context.operation == SOCKET:
            wanted = (EarlyKind, RefuseSocket)
        elif context.method == hdrs.METH_HEAD:  # without a body, no fault of bodies is used up
            wanted = EarlyKind
        summary = context.summary()
        try:
            in_request = in_header(context.headers.get(HEADER, ""))
        except FaultError as error:
            raise refuse(HEADER, "plain", reason=str(error)) from None
        for name, strikes in in_request:
            if kind := first_of(strikes, summary, wanted):
                yield name, kind, context.app.ids.chance, None
        for kind, rule in self._store.faults.striking(context.faulty_app_id, summary, wanted):
            yield rule.called, kind, rule.chance, rule


def _values(context: RequestContext, seconds: float) -> dict[str, object]:
    """Return the values that messages name; unknown ones are left out."""
    app, summary, endpoint = context.app, context.summary(), context.endpoint
    kind, credential = context.credential()
    known = {
        "uid": summary.uid and summary.uid.lower(),
        "token": credential if kind == "token" else None,
        "key": errors.mask(credential) if kind == "key" else None,
        "app_id": None if context.refusal else app.id,
        "region": app.rules.region,
        "operation": summary.operation,
        "feature": "Create User",
        "quota": app.rules.max_users or RECORDED_MAX_USERS,
        "limit": app.quota.rate_limit or (endpoint.operation.limit if endpoint else STANDARD_LIMIT),
        "seconds": math.ceil(seconds),
        "reset": math.ceil(app.clock.now() + math.ceil(seconds)),
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


# --- sending --------------------------------------------------------------------------------
def hang_up(transport: asyncio.Transport | None, *, reset: bool) -> None:
    """End a connection, by a reset or in order, without another byte."""
    if transport is None:
        return
    if not reset:
        transport.close()
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


async def send_in_pieces(
    request: web.BaseRequest, response: web.StreamResponse, shape: Shape, waits: ClientWaits
) -> web.StreamResponse:
    """Send an answer in the form that a fault gave it; raise ClientGone where the fault cuts it."""
    response.content_length = shape.length
    response.force_close()
    await response.prepare(request)
    for piece in shape.pieces:
        if shape.pause:
            await waits.sleep(request, shape.pause)
        await response.write(piece)
    if sum(map(len, shape.pieces)) < shape.length:
        raise ClientGone
    await response.write_eof()
    return response
