"""HAR: a journal as the network tools of browsers read it (HTTP Archive 1.2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from mockchat.core.journal import Exchange
from mockchat.core.masking import Mask
from mockchat.version import __version__

_UNKNOWN = -1  # HAR's word for a size that is not known
_PHRASES: dict[int, str] = {status.value: status.phrase for status in HTTPStatus}


def har(exchanges: list[Exchange]) -> dict[str, Any]:
    """Return exchanges as one archive, tokens and keys masked.

    The messages of a WebSocket are with its handshake.
    """
    creator = {"name": "mockchat", "version": __version__}
    entries = [_entry(exchange) for exchange in exchanges]
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _entry(exchange: Exchange) -> Any:
    milliseconds = exchange.seconds * 1000
    started = datetime.fromtimestamp(exchange.at, UTC).isoformat(timespec="milliseconds")
    entry: dict[str, Any] = {
        "startedDateTime": started,
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": str(exchange),
        "_exchange": exchange.id,
        "_app": exchange.app_id,
    }
    if exchange.frames:
        entry["_resourceType"] = "websocket"
        entry["_webSocketMessages"] = [
            {
                "type": "send" if frame.sent else "receive",
                "time": frame.at,
                "opcode": 1,
                "data": frame.text,
            }
            for frame in exchange.frames
        ]
    return Mask(exchange).all(entry)


def _request(exchange: Exchange) -> dict[str, Any]:
    query = parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True)
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": _url(exchange),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.request.headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        "headersSize": _UNKNOWN,
        "bodySize": len(exchange.request.body),
    }
    if exchange.request.body:
        kind = exchange.request.headers.get("Content-Type", "")
        request["postData"] = {"mimeType": kind, "text": exchange.request.text}
    return request


def _url(exchange: Exchange) -> str:
    """Return the whole URL, encoded where a URL needs it."""
    if exchange.target.startswith(("http://", "https://")):  # a request to a proxy
        return _encoded(exchange.target)
    scheme = "https" if exchange.secure else "http"
    host = exchange.request.headers.get("Host", "")
    return _encoded(f"{scheme}://{host or 'localhost'}/{exchange.target.removeprefix('/')}")


def _encoded(text: str) -> str:
    return quote(text, safe="!$&'()*+,;=:@/?%[]~", errors="surrogateescape")


def _response(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    return {
        "status": exchange.status,
        "statusText": _PHRASES.get(exchange.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(response.headers),
        "content": {
            "size": len(response.body),
            "mimeType": response.headers.get("Content-Type", ""),
            "text": response.text,
        },
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": len(response.body),
    }


def _pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
