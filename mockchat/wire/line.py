"""The line of one exchange: how faults delay it, cut it and reshape its answer."""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import Shape
from mockchat.core.faults import error_named
from mockchat.wire.visit import Visit

_GLANCE = 0.5  # seconds between two looks whether a client that is left hanging is still there
_NO_LINGER = struct.pack("ii", 1, 0)

Sleep = Callable[[float], Awaitable[None]]


class HungUp(Exception):  # noqa: N818  # what happened, not what went wrong
    """The connection is gone: nobody is left to answer."""


class Patience:
    """The waits that faults cause; a server that stops cuts them short."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._limits: set[asyncio.Timeout] = set()
        self._ended = False

    @contextlib.asynccontextmanager
    async def _until_the_end(self) -> AsyncIterator[None]:
        if self._ended:
            raise HungUp
        try:
            async with asyncio.timeout(None) as limit:
                self._limits.add(limit)
                try:
                    yield
                finally:
                    self._limits.discard(limit)
        except TimeoutError:
            raise HungUp from None

    async def sleep(self, seconds: float) -> None:
        """Wait; raise HungUp where the server stops meanwhile."""
        async with self._until_the_end():
            await self._sleep(seconds)

    async def wait_out(self, request: web.Request) -> None:
        """Wait until the client has left; raise HungUp then."""
        async with self._until_the_end():
            # aiohttp tells a handler nothing of a client that left.
            while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
                await asyncio.sleep(_GLANCE)
        raise HungUp

    def end(self) -> None:
        """Cut every wait short, now and from now on."""
        self._ended = True
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            limit.reschedule(now)


class ExchangeLine:
    """What a fault can do to one exchange; `note` writes it into the journal as it is."""

    def __init__(
        self, visit: Visit, patience: Patience, note: Callable[[Visit, None], None]
    ) -> None:
        self._visit = visit
        self._patience = patience
        self._note = note

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._patience.sleep(seconds)

    async def hang(self) -> None:
        """Wait until the client leaves or the server stops."""
        self._note(self._visit, None)
        await self._patience.wait_out(self._visit.request)

    def hang_up(self, *, reset: bool) -> None:
        """End the connection, by a reset or in order; raise HungUp."""
        hang_up(self._visit.request.transport, reset=reset)
        raise HungUp

    def error(self, code: str, status: int | None, message: str | None) -> ApiError:
        """Return the error to refuse with, filled with what is known of the request."""
        return error_named(code, status, message, self._values())

    def refuse_rate(self, seconds: float) -> ApiError:
        """Return the refusal of a client that asked too often."""
        app = self._visit.app
        now = app.clock.now() if app else 0.0
        wait = math.ceil(seconds)
        return errors.TOO_MANY_REQUESTS(limit=0, seconds=wait, reset=math.ceil(now + wait))

    def _values(self) -> dict[str, object]:
        headers = self._visit.request.headers
        uid = self._visit.asked().uid
        known = {
            "uid": uid and uid.lower(),
            "token": headers.get("authToken"),
            "key": errors.mask(headers.get("apiKey", "")),
            "app_id": self._visit.app.id if self._visit.app else None,
            "operation": self._visit.operation,
            "feature": "users",
        }
        return {name: value for name, value in known.items() if value}


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
    request: web.Request, response: web.Response, shape: Shape, patience: Patience
) -> web.StreamResponse:
    """Send an answer in the shape that a fault gave it; raise HungUp where it was cut."""
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = shape.length
    stream.force_close()
    await stream.prepare(request)
    for piece in shape.pieces:
        if shape.pause:
            await patience.sleep(shape.pause)
        await stream.write(piece)
    if sum(map(len, shape.pieces)) < shape.length:
        hang_up(request.transport, reset=False)
        raise HungUp
    await stream.write_eof()
    return stream
