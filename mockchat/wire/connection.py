"""Connections: aiohttp's own, but whole requests need no task, and Content-Type headers merge.

Android SDKs up to 3.0.11 send `application/json` and `multipart/form-data` with reads. aiohttp
refuses that before any handler runs. A connection that meets the refusal parses from then on by
aiohttp's Python parser. That gets all values in one header: `a, b` (RFC 9110, section 5.3).
"""

import asyncio
import contextlib
import re
from typing import Any

from aiohttp import web
from aiohttp.http import HttpRequestParser, HttpVersion10, HttpVersion11, StreamWriter
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import HttpRequestParserPy, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from mockchat.wire.body import CLIENT_FAULTS
from mockchat.wire.handler import RequestHandler as OurHandler
from mockchat.wire.sending import Answer, hang_up

_REFUSAL = "duplicate 'content-type'"
_KIND, _END = b"content-type", b"\r\n\r\n"
_LONGEST_REASON = 300
_LONGEST_LINGER = (
    10.0  # seconds that a refused body is read on, so that its client reads the answer
)
_GLANCES = 4  # in the time of the server's patience
_IDLE_GLANCE = 0.02  # seconds between two looks whether a half-closed client has its answers
_START = re.compile(rb"[A-Z]+ [^\n]* HTTP/1")


class _MergingParser(HttpRequestParserPy):
    awaited_since = None  # this parser does not know its heads
    body: StreamReader = EMPTY_PAYLOAD  # of the newest request

    def parse_message(self, lines: list[bytes]) -> RawRequestMessage:
        fields = [(line.partition(b":")[0].lower(), line) for line in lines]
        kinds = [line.partition(b":")[2].strip() for name, line in fields if name == _KIND]
        others = [line for name, line in fields if name != _KIND]
        if kinds:
            others.insert(1, b"Content-Type: " + b", ".join(kinds))
        message = super().parse_message(others)
        _check(message)
        return message

    def feed_data(self, data: bytes, *arguments: Any) -> Any:
        """Take bytes; return new requests, whether they end in an upgrade, and the bytes after."""
        found: Any = super().feed_data(data, *arguments)
        if found[0]:
            self.body = found[0][-1][1]
        return found


def _check(message: RawRequestMessage) -> None:
    """Raise BadHttpMessage for a version whose answers would not be HTTP/1, or a broken host.

    aiohttp reads the host of a target outside of every handler, where an error answers nobody.
    """
    try:
        message.url.host  # noqa: B018  # reading it decodes it
    except ValueError:
        raise BadHttpMessage("the host in its target is none") from None
    if message.version not in (HttpVersion10, HttpVersion11):
        major, minor = message.version
        raise BadHttpMessage(f"HTTP/{major}.{minor} is not spoken here, but HTTP/1.1")


class _WatchingParser(HttpRequestParser):
    """aiohttp's parser, in C; it remembers the head that is not complete yet.

    `awaited_since` is the time from which a client owes the rest of a head, or its first one.
    """

    def __init__(self, connection: "_Connection", loop: Any, *arguments: Any, **more: Any) -> None:
        super().__init__(connection, loop, *arguments, **more)
        self._connection = connection
        self._time = loop.time
        self._unfinished = b""
        self.awaited_since: float | None = loop.time()
        self.body: StreamReader = EMPTY_PAYLOAD  # of the newest request

    @property
    def is_amid_head(self) -> bool:
        """Whether a head has begun and is not complete."""
        return bool(self._unfinished)

    def feed_data(self, data: bytes) -> Any:  # type: ignore[override]
        """Take bytes; return new requests, whether they end in an upgrade, and the bytes after it.

        A head that begins together with the end of another request's body is not remembered as a
        whole: aiohttp's refusal of it stands.
        """
        if not data:  # aiohttp asks for the rest of the bytes that it has
            return super().feed_data(data)
        in_body = not self.body.is_eof()
        try:
            found: Any = super().feed_data(data)
        except BadHttpMessage as error:
            if in_body:  # else the request waits for the rest of its body
                self.body.set_exception(web.RequestPayloadError(str(error)))
                raise
            return self._parse_merging(self._unfinished + data, error)
        if found[0]:
            for message, self.body in found[0]:
                if message.version is not HttpVersion11 or message.path[:1] != "/":
                    _check(message)
            ends_there = self.body is not EMPTY_PAYLOAD or data.endswith(_END)
            self._await(b"" if ends_there else data.rpartition(_END)[2])
        elif not in_body:
            since = self.awaited_since
            self._await(self._unfinished + data)
            self.awaited_since = since or self.awaited_since
        return found

    def _await(self, rest: bytes) -> None:
        """Note the bytes of a head that is not complete, or none, from now on."""
        self._unfinished = rest.lstrip()
        self.awaited_since = self._time() if self._unfinished else None

    def _parse_merging(self, head: bytes, error: BadHttpMessage) -> Any:
        """Parse a head that was refused for its kinds alone; raise the error of any other one."""
        if not _START.match(head) or _REFUSAL not in error.message.lower():
            raise error
        return self._connection.parse_merging(head)


class _Connection(RequestHandler):
    """A connection that takes rude clients as they are.

    Bytes that are no HTTP are refused like any request. A client that has closed its half of the
    connection is answered. One that does not send the whole of a head, or takes nothing of its
    answer, within the server's patience loses the connection.
    """

    is_half_closed = False

    def __init__(self, server: "ForgivingServer", **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._parser: Any = self._made(_WatchingParser)
        self._writer = StreamWriter(self, self._loop)  # for all answers that are written at once
        self._glance: asyncio.TimerHandle | None = None
        self._unsent, self._unsent_since = 0, 0.0

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log an error of the server, but none of its client, like a body in broken chunks.

        aiohttp reads the rest of such a body when the answer is sent, and meets the error again.
        """
        if not isinstance(options.get("exc_info"), CLIENT_FAULTS):
            super().log_exception(*args, **options)

    def parse_merging(self, head: bytes) -> Any:
        """Parse these bytes and all later ones by the parser that merges headers."""
        self._parser = self._made(_MergingParser)
        return self._parser.feed_data(head)

    def _made(self, parser: type[Any]) -> Any:
        return parser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,  # `body` unpacks no more than is allowed
            # It counts one too many once a body came in parts. With the same number it would stop
            # for a queue that is not full, and only a full one lets it go on again.
            max_msg_queue_size=self._max_msg_queue_size + 1,
        )

    def _make_error_handler(self, err_info: Any) -> Any:
        said = err_info.message.replace("^", "").partition(" when reading: ")[0]
        reason = " ".join(said.split()).rstrip(":. ")[:_LONGEST_REASON]

        async def refuse(request: web.BaseRequest) -> web.StreamResponse:
            return await self._server.handler.handle(request, broken=reason)

        return refuse

    # --- requests ---------------------------------------------------------------------------
    async def start(self) -> None:
        """Answer whole requests, one after the other, in the task of the connection.

        aiohttp's own loop takes over at the first other request. It makes a task and a response
        for each, which takes a quarter more time in all.
        """
        while not self._force_close:
            if not self._messages:
                self._waiter = self._loop.create_future()
                try:
                    await self._waiter
                finally:
                    self._waiter = None
            if not self._is_plain(*self._messages[0]):
                await super().start()
                return
            if not await self._answer(*self._messages.popleft()):
                break
        if not self._force_close:
            self._task_handler = None
            if self.transport is not None:
                self.transport.close()

    def _is_plain(self, message: Any, payload: StreamReader) -> bool:
        """Whether a message is a request of HTTP/1.1 that came whole and asks for no upgrade."""
        return (
            isinstance(message, RawRequestMessage)
            and message.version == HttpVersion11
            and not message.upgrade
            and payload.is_eof()
            and not self._buffer_paused
        )

    async def _answer(self, message: Any, payload: StreamReader) -> bool:
        """Answer such a request; return whether the connection may serve another one."""
        self._parser.message_consumed()
        self._server.requests_count += 1
        writer, task = self._writer, self._task_handler
        request = self._server.request_factory(message, payload, self, writer, task)  # type: ignore[arg-type]  # the task is this one
        self._request_in_progress = True
        try:
            answer = await self._server.handler.answer(request)
            self._keepalive = await self._send(request, answer)
        except ConnectionError:
            return False
        except Exception as error:  # noqa: BLE001  # of an observer, or a header that is none
            return await self._fail(request, error)
        except BaseException:
            self.force_close()
            raise
        finally:
            self._request_in_progress = False
            if self._handler_waiter is not None:  # a stop waits for the answer
                self._handler_waiter.set_result(None)
        self._next_keepalive_close_time = close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(close_time, self._process_keepalive)
        return self._keepalive and not self._close

    async def _send(self, request: web.BaseRequest, answer: Answer | web.StreamResponse) -> bool:
        """Send an answer; return whether the client keeps the connection."""
        if not isinstance(answer, Answer):
            self._writer = StreamWriter(self, self._loop)  # the other one is used
            response, is_lost = await self.finish_response(request, answer, None)
            return bool(response.keep_alive) and not is_lost
        transport, keep_alive = self.transport, request.keep_alive
        if transport is None or transport.is_closing():
            return False
        transport.write(answer.encoded(keep_alive=keep_alive, of_head=request.method == "HEAD"))
        if self.writing_paused:
            await request.writer.drain()
        return keep_alive

    async def _fail(self, request: web.BaseRequest, error: Exception) -> bool:
        """Log an error that left no answer and tell the client; return that this was the last."""
        with contextlib.suppress(ConnectionError):  # the client has a part of an answer
            response = self.handle_error(request, exc=error)
            await self.finish_response(request, response, None)
        return False

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002
        """Read on where that was paused: aiohttp does so after each body."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    # --- time -------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to watch the client."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Watch no more."""
        super().connection_lost(exc)
        if self._glance is not None:
            self._glance.cancel()

    def _look(self) -> None:
        """End the connection of a client that is too slow."""
        transport, patience, now = self.transport, self._server.patience, self._loop.time()
        if transport is None or transport.is_closing():
            return
        self._glance = self._loop.call_later(patience / _GLANCES, self._look)
        since = self._parser.awaited_since
        if since is not None and now - since >= patience:
            if self._parser.is_amid_head:
                self._parser = _Refusing(f"its head did not come within {patience:g} seconds")
                self.data_received(b"")
            else:  # not a byte came
                self.force_close()
        unsent = transport.get_write_buffer_size()
        if not self._unsent or unsent < self._unsent:
            self._unsent_since = now
        elif now - self._unsent_since >= patience:
            hang_up(transport, reset=True)  # else the kernel would keep the unsent bytes
        self._unsent = unsent

    # --- the client's half ------------------------------------------------------------------
    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it
        """Keep the connection of a client that waits for its answer; by TLS that cannot be."""
        is_idle = self._waiter is not None and not self._waiter.done()
        if is_idle or self._upgraded or self.ssl_context is not None:
            return False
        self.is_half_closed = True
        body: StreamReader = self._parser.body
        if not body.is_eof():
            body.set_exception(ConnectionResetError("the client sent a part of it"))
        self._loop.call_soon(self._close_once_idle)
        return True

    def _close_once_idle(self) -> None:
        """End the connection as soon as the client has all of its answers."""
        if self._waiter is not None and not self._waiter.done():
            self.force_close()
        elif self.transport is not None:
            self._loop.call_later(_IDLE_GLANCE, self._close_once_idle)


class _Refusing:
    """A parser that refuses whatever comes."""

    awaited_since = None
    body = EMPTY_PAYLOAD

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def feed_data(self, _data: bytes) -> Any:
        """Raise the reason."""
        raise BadHttpMessage(self._reason)

    def message_consumed(self) -> None:
        """Do nothing, as all of a parser that `aiohttp` needs besides."""


class ForgivingServer(web.Server):
    """aiohttp's low-level server, with such connections."""

    def __init__(self, handler: OurHandler, patience: float, **options: Any) -> None:
        linger = min(_LONGEST_LINGER, patience)
        super().__init__(handler.handle, lingering_time=linger, **options)
        self.handler = handler
        self.patience = patience

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)


class Site(web.SockSite):
    """A listener of such a server; its patience is also that with a handshake of TLS."""

    async def start(self) -> None:
        """Answer on the socket."""
        await web.BaseSite.start(self)
        server: Any = self._runner.server
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=server.patience if self._ssl_context else None,
        )
