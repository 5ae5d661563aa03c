"""Connections: aiohttp's own, but several Content-Type headers of a request become one.

Android SDKs up to 3.0.11 send `application/json` and `multipart/form-data` with reads. aiohttp
refuses that before any handler runs. A connection that meets the refusal parses from then on by
aiohttp's Python parser, which gets all values in one header: `a, b` (RFC 9110, section 5.3).
"""

import re
from typing import Any

from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import HttpRequestParserPy, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

_REFUSAL = "duplicate 'content-type'"
_KIND = b"content-type"
_START = re.compile(rb"[A-Z]+ [^\n]* HTTP/1")


class _MergingParser(HttpRequestParserPy):
    def parse_message(self, lines: list[bytes]) -> RawRequestMessage:
        fields = [(line.partition(b":")[0].lower(), line) for line in lines]
        kinds = [line.partition(b":")[2].strip() for name, line in fields if name == _KIND]
        others = [line for name, line in fields if name != _KIND]
        if kinds:
            others.insert(1, b"Content-Type: " + b", ".join(kinds))
        return super().parse_message(others)


class _WatchingParser(HttpRequestParser):
    """aiohttp's parser, in C; it remembers the head that is not complete yet."""

    def __init__(self, connection: "_Connection", *arguments: Any, **options: Any) -> None:
        super().__init__(connection, *arguments, **options)
        self._connection = connection
        self._unfinished = b""
        self._body: StreamReader = EMPTY_PAYLOAD  # of the newest request

    def feed_data(self, data: bytes) -> Any:  # type: ignore[override]
        """Take bytes; return new requests, whether they end in an upgrade, and the bytes after it.

        A head that begins together with the end of another request's body is not remembered as a
        whole: aiohttp's refusal of it stands.
        """
        in_body = not self._body.is_eof()
        try:
            found: Any = super().feed_data(data)
        except BadHttpMessage as error:
            head = self._unfinished + data
            if in_body:  # else the request waits for the rest of its body
                self._body.set_exception(web.RequestPayloadError(str(error)))
            if in_body or not _START.match(head) or _REFUSAL not in error.message.lower():
                raise
            return self._connection.parse_merging(head)
        if found[0]:
            self._body = found[0][-1][1]
            rest = data.rpartition(b"\r\n\r\n")[2] if self._body is EMPTY_PAYLOAD else b""
            self._unfinished = rest.lstrip()
        elif not in_body:
            self._unfinished += data
        return found


class _Connection(RequestHandler):
    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._parser = self._made(_WatchingParser)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log an error of the server; a body that does not fit its encoding is its client's.

        aiohttp reads the rest of such a body when the answer is sent, and meets the error again.
        """
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
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
            max_msg_queue_size=self._max_msg_queue_size,
        )


class ForgivingServer(web.Server):
    """aiohttp's low-level server, with such connections."""

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)
