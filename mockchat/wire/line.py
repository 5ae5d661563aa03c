"""The line of one exchange: how faults delay it, cut it and reshape its answer."""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import Shape
from mockchat.core.faults import Rule, error_named
from mockchat.core.limits import STANDARD_LIMIT
from mockchat.wire.context import CLIENT_FAULTS, RequestContext

_GLANCE = 0.5  # seconds between two looks whether the clients that wait are still there
_RETRY_AFTER = 60  # seconds that a client is told to wait if a fault does not say
_NO_LINGER = struct.pack("ii", 1, 0)

Sleep = Callable[[float], Awaitable[None]]


class ClientGone(Exception):  # noqa: N818  # what happened, not what went wrong
    """The connection is gone: nobody is left to answer."""


@dataclass(slots=True, eq=False)
class _Wait:
    request: web.Request
    rule: Rule | None  # with which it ends, if with any
    limit: asyncio.Timeout

    def end(self) -> None:
        self.limit.reschedule(asyncio.get_running_loop().time())


class ClientWaits:
    """The waits that faults cause; a wait ends in ClientGone if the client leaves."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._waits: set[_Wait] = set()
        self._glance: asyncio.TimerHandle | None = None
        self._ended = False

    async def sleep(self, request: web.Request, seconds: float) -> None:
        """Wait."""
        async with self.watch(request):
            await self._sleep(seconds)

    async def hang(self, request: web.Request, rule: Rule | None) -> None:
        """Wait for the end, which is also that of the rule."""
        async with self.watch(request, rule):
            with contextlib.suppress(*CLIENT_FAULTS):
                # A client whose body nobody reads cannot be seen to leave.
                async for _ in request.content.iter_any():
                    pass
            await asyncio.get_running_loop().create_future()

    def forget(self, rule: Rule) -> None:
        """End the waits that are to last as long as a rule."""
        for wait in self._waits:
            if wait.rule is rule:
                wait.end()

    def end(self) -> None:
        """Cut every wait short, now and from now on."""
        self._ended = True
        for wait in self._waits:
            wait.end()

    @contextlib.asynccontextmanager
    async def watch(self, request: web.Request, rule: Rule | None = None) -> AsyncIterator[None]:
        """Raise ClientGone in the block if the client leaves, the rule goes or the server stops."""
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
        for wait in self._waits:
            transport = wait.request.transport
            if transport is None or transport.is_closing():
                wait.end()
        self._glance = self._glance_later() if self._waits and not self._ended else None


class ExchangeLine:
    """What a fault can do to one exchange; `note` writes it into the journal as it is.

    `rule` is the one that strikes now, if it is not the header.
    """

    def __init__(
        self,
        context: RequestContext,
        waits: ClientWaits,
        note: Callable[[RequestContext, web.StreamResponse | None], None],
    ) -> None:
        self._context = context
        self._waits = waits
        self._note = note
        self.rule: Rule | None = None

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._waits.sleep(self._context.request, seconds)

    async def hang(self) -> None:
        """Wait until the client leaves, the fault is removed or the server stops."""
        self._note(self._context, None)
        await self._waits.hang(self._context.request, self.rule)

    def hang_up(self, *, reset: bool) -> None:
        """End the connection, by a reset or in order; raise ClientGone."""
        hang_up(self._context.request.transport, reset=reset)
        raise ClientGone

    def error(self, code: str, status: int | None, message: str | None) -> ApiError:
        """Return the error to refuse with, filled with what is known of the request."""
        return error_named(code, status, message, self._values(_RETRY_AFTER))

    def refuse_rate(self, seconds: float) -> ApiError:
        """Return the refusal of a client that asked too often."""
        return ApiError(errors.TOO_MANY_REQUESTS, None, self._values(math.ceil(seconds)))

    def _values(self, seconds: int) -> dict[str, object]:
        """Return what messages may name; those of unknown value are left out."""
        context, headers = self._context, self._context.request.headers
        summary, app = context.summary(), context.app
        standard = context.endpoint.operation.limit if context.endpoint else STANDARD_LIMIT
        known = {
            "uid": summary.uid and summary.uid.lower(),
            "token": headers.get("authToken"),
            "key": errors.mask(headers.get("apiKey", "")),
            "app_id": app.id if app else None,
            "operation": summary.operation,
            "feature": "users",
            "limit": (app.quota.rate_limit if app else None) or standard,
            "seconds": seconds,
            "reset": math.ceil((app.clock.now() if app else 0) + seconds),
        }
        return {name: value for name, value in known.items() if value not in (None, "")}


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


async def send_shaped(
    request: web.Request, response: web.Response, shape: Shape, waits: ClientWaits
) -> web.StreamResponse:
    """Send an answer in the shape that a fault gave it; raise ClientGone where it was cut."""
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = shape.length
    stream.force_close()
    await stream.prepare(request)
    for piece in shape.pieces:
        if shape.pause:
            await waits.sleep(request, shape.pause)
        await stream.write(piece)
    if sum(map(len, shape.pieces)) < shape.length:
        raise ClientGone
    await stream.write_eof()
    return stream
