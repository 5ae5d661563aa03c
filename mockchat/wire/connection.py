"""Connections: aiohttp's own, but a request with several Content-Type headers is forgiven.

Android SDKs up to 3.0.11 send `application/json` and `multipart/form-data` with what they read.
aiohttp's parser refuses that before any handler runs. A connection that meets the refusal has its
heads parsed anew, line by line, with all values in one header: `a, b` (RFC 9110, section 5.3).
"""

import re
from typing import Any

from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

_REFUSAL = "duplicate 'content-type'"
_LONGEST = 8190  # bytes of an unfinished line that are kept; aiohttp refuses more
_START = re.compile(rb"[A-Z]+ [^\n]* HTTP/1")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


class ForgivingParser(HttpRequestParser):
    """The parser of one connection: aiohttp's, in C, which it watches for that refusal only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._made_of = arguments, options
        self._unfinished = b""  # the part of a head, or of a line, that came so far
        self._body: StreamReader = EMPTY_PAYLOAD  # of the newest request
        self._kinds: list[bytes] | None = None  # of the head that is parsed by lines

    def feed_data(self, data: bytes) -> Any:  # type: ignore[override]
        """Take bytes; return new requests, whether they end in an upgrade, and what follows it.

        A head that began together with the end of another request's body is not known as a whole:
        that request is refused, as by aiohttp.
        """
        if self._kinds is not None:
            return self._feed_lines(data)
        in_body = not self._body.is_eof()
        try:
            found: Any = super().feed_data(data)
        except BadHttpMessage as error:
            known = not in_body and _START.match(self._unfinished + data)
            if not known or _REFUSAL not in error.message.lower():
                raise
            arguments, options = self._made_of
            super().__init__(*arguments, **options)  # a parser that refused takes nothing more
            self._kinds, self._body = [], EMPTY_PAYLOAD
            return self._feed_lines(data)
        if found[0]:
            self._body = found[0][-1][1]
            rest = data.rpartition(b"\r\n\r\n")[2] if self._body is EMPTY_PAYLOAD else b""
            self._unfinished = rest.lstrip()
        elif not in_body:
            self._unfinished += data
        return found

    def _feed_lines(self, data: bytes) -> Any:
        assert self._kinds is not None  # noqa: S101  # that is when it is called
        messages, upgraded, tail = [], False, b""
        lines = _LINE.findall(self._unfinished + data)
        self._unfinished = b""
        for line in lines:
            if upgraded:
                tail += line
                continue
            if self._body.is_eof():
                if not line.endswith(b"\n") and len(line) < _LONGEST:
                    self._unfinished += line  # it is the last one
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-type":
                    self._kinds.append(value.strip())
                    continue
                if self._kinds and not line.strip():
                    super().feed_data(b"Content-Type: " + b", ".join(self._kinds) + b"\r\n")
                    self._kinds.clear()
            found, upgraded, tail = super().feed_data(line)
            if found:
                messages += found
                self._body = found[-1][1]
        return messages, upgraded, tail


class _Connection(RequestHandler):
    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._parser = ForgivingParser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=options.get("auto_decompress", True),
            max_msg_queue_size=self._max_msg_queue_size,
        )


class ForgivingServer(web.Server):
    """aiohttp's low-level server, with such connections."""

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)
