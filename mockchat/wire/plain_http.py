"""TLS that answers plain HTTP in words: a client that forgot the s of `https` is told so."""

import logging
import ssl
from typing import Any

from mockchat.api import json_text
from mockchat.core import errors

log = logging.getLogger("mockchat.http")
_PLAIN_HTTP = "HTTP_REQUEST"  # OpenSSL's reason


def _answer() -> bytes:
    from mockchat.wire import answers  # noqa: PLC0415  # slow to import, and seldom used

    error = errors.PLAIN_HTTP()
    body = json_text.render(answers.body(error, "live"))
    head = (
        f"HTTP/1.1 {error.definition.live.status} Bad Request\r\nContent-Type: application/json\r\n"
        f"Server: mockchat\r\nX-Mock-Docs: {error.definition.more}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Handshake(ssl.SSLObject):
    outgoing: ssl.MemoryBIO
    _answered = False

    def do_handshake(self) -> None:
        """Shake hands; answer plain HTTP, and raise SSLWantReadError as if more had to come."""
        if self._answered:
            raise ssl.SSLError("the client goes on in plain HTTP")
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason != _PLAIN_HTTP:
                raise
            log.warning("plain HTTP came to the HTTPS port; the client must use https://")
            self.outgoing.write(_answer())
            self._answered = True
            raise ssl.SSLWantReadError from None  # the event loop sends what is outgoing


class ForgivingContext(ssl.SSLContext):
    """A server's TLS context with such handshakes."""

    sslobject_class = _Handshake

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **more: Any
    ) -> Any:
        """Return the TLS of one connection."""
        made: Any = super().wrap_bio(incoming, outgoing, *rest, **more)
        made.outgoing = outgoing
        return made
