"""Control actions on the journal of requests and answers."""

from collections.abc import Mapping
from typing import Any

from mockchat.api import json_text
from mockchat.api.operation import Ack, Call
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.control.har import har
from mockchat.core import errors
from mockchat.core.faults import CODES, OF_STATUS
from mockchat.core.journal import Exchange, Filter, Message
from mockchat.core.matching import Pattern
from mockchat.core.store import Store
from mockchat.core.words import counted, guess

table = requests.ControlTable()


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
async def list_exchanges(call: Call) -> dict[str, Any]:
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
    return {
        "count": len(exchanges),
        "cursor": journals.sequence,
        "exchanges": [shown(one) for one in newest],
    }


@table.delete("/journal")
def clear_journal(call: Call) -> Ack:
    """Remove the exchanges of an app, or of all apps."""
    app_id = call.app_id and call.app_id.lower()
    forgotten = call.server.store.journals.clear(app_id)
    return Ack(f"{counted(forgotten, 'exchange is', 'exchanges are')} forgotten.")


@table.get("/journal.har", query=requests.ExchangeQuery, returns=answers.HarSchema)
def get_har(call: Call) -> dict[str, Any]:
    """Get exchanges in HAR 1.2, which the network tools of browsers open."""
    return har(found(call, _filter(call)))


@table.get("/journal/{exchange}", returns=answers.ExchangeSchema, errors=(errors.MOCK_NOT_FOUND,))
def get_exchange(call: Call) -> dict[str, Any]:
    """Get one exchange by its id, the header `X-Mock-Exchange` of its answer."""
    named = call.path["exchange"]
    for exchange in found(call, Filter()):
        if str(exchange.id) == named:
            return shown(exchange)
    raise requests.not_found("exchange", named)
