"""Sending: an answer on its way to a client, and the waits that end if the client leaves."""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import hdrs, web
from aiohttp.helpers import EMPTY_BODY_STATUS_CODES, rfc822_formatted_time
from aiohttp.http_writer import _serialize_headers

from mockchat.api.operation import Sleep
from mockchat.core.fault_kinds import Shape
from mockchat.core.faults import Rule
from mockchat.core.journal import Exchange
from mockchat.wire.body import CLIENT_FAULTS
from mockchat.wire.resolve import RequestContext

_GLANCE = 0.1  # seconds between two looks whether the waiting clients are still connected
_NO_LINGER = struct.pack("ii", 1, 0)
_NO_ANSWER = 499  # the status of a response that is not sent
_REASONS = {one.value: one.phrase for one in HTTPStatus}


class ClientGone(Exception):  # noqa: N818  # an event, not an error
    """No answer is sent: the client left, or a fault ends the connection.

    With `hangs` the connection stays open for as long as `rule` exists.
    """

    def __init__(
        self, *, reset: bool = False, hangs: bool = False, rule: Rule | None = None
    ) -> None:
        super().__init__()
        self.reset, self.hangs, self.rule = reset, hangs, rule


class Answer(NamedTuple):
    """An answer, ready to send; `status` 0 means that the connection ends without one."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    code: str | None = None  # of the error
    hint: str | None = None
    faults: tuple[str, ...] = ()  # that struck
    shape: Shape | None = None  # the form that a fault gives to the body
    end: ClientGone | None = None  # how the connection ends where no answer is sent
    stream: AsyncGenerator[bytes, None] | None = None  # the body, where it comes piece by piece

    @property
    def is_plain(self) -> bool:
        """Whether it is sent as it is."""
        return self.end is None and self.shape is None and self.stream is None

    def completed(self) -> "Answer":
        """Add the headers that every answer has, and return it."""
        self.headers["Date"] = rfc822_formatted_time()
        if self.status not in EMPTY_BODY_STATUS_CODES:
            self.headers["Content-Length"] = str(len(self.body))
        return self

    def encoded(self, *, keep_alive: bool, of_head: bool) -> bytes:
        """Return its bytes for a client of HTTP/1.1; `of_head` says that HEAD asked for it.

        aiohttp's own response and writer look up and copy each header several times.
        """
        status, headers, body, *_ = self
        if not keep_alive:
            headers["Connection"] = "close"
        line = f"HTTP/1.1 {status} {_REASONS.get(status, '')}"
        head = _serialize_headers(line, headers)  # type: ignore[arg-type]  # it has items
        return head if of_head or status in EMPTY_BODY_STATUS_CODES else head + body

    def response(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return it as a response of aiohttp; a broken body ends the connection after it."""
        status = self.status or _NO_ANSWER
        response = web.Response(status=status, headers=self.headers, body=self.body)
        if request.content.exception() is not None:
            response.force_close()
        return response

    def exchange(self, context: RequestContext) -> Exchange:
        """Return the request and this answer as the journal keeps them."""
        request = context.request
        return Exchange(
            context.id,
            context.app.id,
            context.at,
            context.summary,
            request.raw_path,
            (context.head.headers, context.body.raw),
            (self.headers, self.body),
            self.status,
            time.perf_counter() - context.started,
            request.secure,
            self.code,
            self.faults,
            self.hint,
        )


# --- sending --------------------------------------------------------------------------------
async def send(context: RequestContext, answer: Answer, waits: "ClientWaits") -> web.StreamResponse:
    """Send a body that comes in pieces, or end the connection as its fault wants it."""
    request, end = context.request, answer.end
    try:
        if end is not None and end.hangs:
            await waits.hang(request, end.rule)
        if answer.stream is not None and context.head.method != hdrs.METH_HEAD:
            return await _send_stream(request, answer, answer.stream, waits)
        if answer.shape is not None:
            return await _send_shape(request, answer, answer.shape, waits)
    except (ClientGone, ConnectionError):
        end = ClientGone()
    if end is not None:
        hang_up(request.transport, reset=end.reset)
    return answer.response(request)


async def _send_stream(
    request: web.BaseRequest,
    answer: Answer,
    pieces: AsyncGenerator[bytes, None],
    waits: "ClientWaits",
) -> web.StreamResponse:
    """Send pieces as they come until they end; raise ClientGone where the client leaves."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    await response.prepare(request)
    async with waits.waiting(request), contextlib.aclosing(pieces):
        async for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)  # a write alone gives nobody a turn
    await response.write_eof()
    return response


async def _send_shape(
    request: web.BaseRequest, answer: Answer, shape: Shape, waits: "ClientWaits"
) -> web.StreamResponse:
    """Send an answer in the form that a fault gave it; raise ClientGone where the fault cuts it."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
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


# --- waits ----------------------------------------------------------------------------------
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
