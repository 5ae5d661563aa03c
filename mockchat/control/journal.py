"""Control actions on the journal of requests and answers, which is told as HAR 1.2, too."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl, quote

from mockchat.api import json_text
from mockchat.api.operation import Ack, Call, File
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.core import errors
from mockchat.core.faults import CODES, OF_STATUS
from mockchat.core.journal import Exchange, Filter, Message
from mockchat.core.masking import Mask
from mockchat.core.matching import Pattern
from mockchat.core.steps import Steps
from mockchat.core.store import Store
from mockchat.core.words import counted, guess
from mockchat.version import __version__

table = requests.ControlTable()

_UNKNOWN = -1  # HAR's word for a size that is not known


def summary(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as plain data, without its messages."""
    plain = {
        "id": exchange.id,
        "app": exchange.app_id,
        "at": exchange.at,
        "milliseconds": round(exchange.seconds * 1000, 3),
        "method": exchange.method,
        "path": exchange.path,
        "target": exchange.target,
        "operation": exchange.operation,
        "uid": exchange.uid,
        "status": exchange.status,
        "code": exchange.code,
        "faults": list(exchange.faults) or None,
        "hint": exchange.hint,
    }
    return {name: value for name, value in plain.items() if value is not None}


def shown(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as plain data."""
    frames = [{"sent": frame.sent, "at": frame.at, "text": frame.text} for frame in exchange.frames]
    return {
        **summary(exchange),
        "request": _message(exchange.request),
        "response": _message(exchange.response),
        **({"frames": frames} if frames else {}),
    }


def _message(message: Message) -> dict[str, Any]:
    try:
        body = json_text.parse(message.body)
    except ValueError:  # or is nested too deeply
        body = message.text or None
    return {"headers": [list(pair) for pair in message.headers.items()], "body": body}


def found(call: Call, wanted: Filter) -> list[Exchange]:
    """Return the exchanges that fit, oldest first."""
    return call.server.store.journals.search(wanted, call.app_id)


def filter_of(query: Mapping[str, Any], store: Store, app_id: str | None) -> Filter:
    """Return the filter of a query; raise BAD_REQUEST for an error code that no answer has."""
    code = query.get("code") or None
    if code and not _is_known(code, store, app_id):
        near = guess(code, CODES) or " `mockchat errors` lists them."
        raise refuse("code", "plain", near, reason="is of no error and no fault")
    pattern = Pattern(*(query.get(name) or None for name in Pattern._fields))
    since, cursor = query.get("since"), query.get("cursor")
    return Filter(pattern, query.get("status"), code, since=since, cursor=cursor)


def _is_known(code: str, store: Store, app_id: str | None) -> bool:
    """Whether the catalogue, a fault or the journal has an error code."""
    if code in CODES or code.startswith(OF_STATUS):
        return True
    if any(code in rule.codes for rule in store.faults.rules.values()):
        return True
    return bool(store.journals.search(Filter(code=code), app_id))


def _filter(call: Call) -> Filter:
    return filter_of(call.query, call.server.store, call.app_id)


@table.get("/journal", query=requests.JournalQuery, returns=answers.JournalSchema)
async def list_exchanges(call: Call) -> File:
    """List the newest `limit` exchanges, oldest first, and count all that fit.

    With `wait`, it answers as soon as `count` fit, or when the time is up. With the `cursor` of an
    answer, the next one has only later exchanges.
    """
    query, wanted, journals = call.query, _filter(call), call.server.store.journals
    if query.get("wait"):
        async with call.waiting():
            count = query["count"] or 1
            exchanges = await journals.wait(wanted, call.app_id, count, query["wait"])
    else:
        exchanges = found(call, wanted)
    newest = exchanges[-(query["limit"] or requests.DEFAULT_LIMIT) :]
    told = b",".join(await call.in_turns(_rendered(newest, shown)))
    before = b'{"count":%d,"cursor":%d,"exchanges":[' % (len(exchanges), journals.sequence)
    return File(b"".join((before, told, b"]}")), "application/json")


def _rendered(exchanges: list[Exchange], tell: Callable[[Exchange], Any]) -> Steps[list[bytes]]:
    """Return each exchange as JSON; other requests have their turn in between."""
    texts = []
    for exchange in exchanges:
        texts.append(json_text.render(tell(exchange)))
        yield
    return texts


@table.delete("/journal")
def clear_journal(call: Call) -> Ack:
    """Remove the exchanges of an app, or of all apps."""
    app_id = call.app_id and call.app_id.lower()
    forgotten = call.server.store.journals.clear(app_id)
    return Ack(f"{counted(forgotten, 'exchange is', 'exchanges are')} forgotten.")


@table.get("/journal.har", query=requests.ExchangeQuery, returns=answers.HarSchema)
async def get_har(call: Call) -> File:
    """Get exchanges in HAR 1.2, which the network tools of browsers open."""
    entries = b",".join(await call.in_turns(_rendered(found(call, _filter(call)), _entry)))
    creator = json_text.render({"name": "mockchat", "version": __version__})
    before = b'{"log":{"version":"1.2","creator":%b,"entries":[' % creator
    return File(b"".join((before, entries, b"]}}")), "application/json")


@table.get("/journal/{exchange}", returns=answers.ExchangeSchema, errors=(errors.MOCK_NOT_FOUND,))
def get_exchange(call: Call) -> dict[str, Any]:
    """Get one exchange by its id, the header `X-Mock-Exchange` of its answer."""
    named = call.path["exchange"]
    for exchange in found(call, Filter()):
        if str(exchange.id) == named:
            return shown(exchange)
    raise requests.not_found("exchange", named)


# --- HAR: a journal as the network tools of browsers read it (HTTP Archive 1.2) --------------
def _entry(exchange: Exchange) -> Any:
    """Return an exchange, tokens and keys masked; a handshake has its WebSocket's messages."""
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
        "statusText": responses.get(exchange.status, ""),
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
