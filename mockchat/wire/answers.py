"""Answers: how results and refusals are printed, and the headers that they carry."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs

from mockchat.api import json_text
from mockchat.api.operation import Ack, File, Page, Stream
from mockchat.core.errors import ApiError, Face
from mockchat.core.store import Store
from mockchat.wire import hints
from mockchat.wire.faults import DIALECTS, ERRORS_HEADER, Struck
from mockchat.wire.resolve import RequestContext
from mockchat.wire.routing import Endpoint
from mockchat.wire.sending import Answer, ClientGone

SOURCE = "chat-api"
_OK = HTTPStatus.OK.value
PREFLIGHT = object()  # the result of a CORS preflight

# As recorded from the service (reference section 1.1).
ALLOW_METHODS = "OPTIONS,HEAD,GET,POST,PUT,PATCH,DELETE"
ALLOW_HEADERS = (
    "Content-Type,Accept,Cache-Control,Authorization,X-Requested-With,appId,apiKey,authToken,"
    "onBehalfOf,resource,Accept-Encoding,group,region,sdk,guid,uid,clientEnvironment,extensionId,"
    "username,password,callToken,onBehalfOfUser"
)
_MAX_AGE = "600"  # seconds
# The headers that a page's script may read.
_OURS = "X-Mock-Exchange,X-Mock-Hint,X-Mock-Docs,X-Mock-Fault,X-Mock-Unbuilt"
_JSON = {
    "Content-Type": "application/json",  # without a charset, as recorded
    "Cache-Control": "must-revalidate, no-cache, private",
}
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": ALLOW_METHODS,
    "Access-Control-Allow-Headers": ALLOW_HEADERS,
    "Vary": "Accept-Encoding",
    "Server": "mockchat",
}
_OF_ANSWER = {**_JSON, **OPEN, "Accept": "application/json"}  # as recorded
_OF_CONTROL = {**_JSON, "Server": "mockchat"}


def render(context: RequestContext, outcome: Any, struck: Struck, store: Store) -> Answer:
    """Return the answer to a request: its result or refusal, as the faults leave it."""
    if isinstance(outcome, ClientGone):
        answer = Answer(0, {}, end=outcome)
    elif outcome is PREFLIGHT:
        answer = _preflight(context)
    elif isinstance(outcome, File | Stream):
        answer = _file(context, outcome)
    elif isinstance(outcome, ApiError):
        answer = _refusal(context, outcome, store)
    else:
        answer = _success(context, outcome)
    return struck.shape_answer(answer) if struck.names else answer


def _file(context: RequestContext, result: File | Stream) -> Answer:
    """Return the answer of an operation that returned no JSON, or JSON that is rendered."""
    headers = _headers(context)
    headers[hdrs.CONTENT_TYPE] = result.content_type
    if isinstance(result, Stream):
        return Answer(_OK, headers, stream=result.pieces)
    if result.name:
        headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{result.name}"'
    headers.update(result.headers)
    return Answer(_OK, headers, result.content)


def _success(context: RequestContext, result: Any) -> Answer:
    """Return the answer of an operation that returned `result`."""
    head, headers, endpoint = context.head, _headers(context), context.head.endpoint
    assert endpoint is not None  # noqa: S101  # whose result it is
    if endpoint.unbuilt:
        headers["X-Mock-Unbuilt"] = endpoint.unbuilt
    told = envelope(endpoint, result, head.server, partial(choose, context))
    return Answer(_OK, headers, json_text.render(told))


def envelope(endpoint: Endpoint, result: Any, server: str, dialect: Callable[[], str]) -> Any:
    """Return a result as plain data, in the envelope of its API.

    `server` is the URL by which the client reaches pictures of this server, empty where it
    reaches them by their live names. `dialect` returns the dialect of the client.
    """
    if endpoint.is_control:
        return _plain(endpoint, result, server, dialect)
    if isinstance(result, Page):
        items = [_plain(endpoint, one, server, dialect) for one in result.items]
        return {"data": items, "meta": _meta(result)}
    return {"data": _plain(endpoint, result, server, dialect)}


def _plain(endpoint: Endpoint, result: Any, server: str, dialect: Callable[[], str]) -> Any:
    if isinstance(result, Ack):
        return {"success": result.success, "message": result.message}
    if result is None or isinstance(result, dict):
        return result
    printed = endpoint.printed(result, server)
    if "uid" in printed:  # a fixture's uid may have capitals
        uid = printed["uid"]
        if uid != uid.lower() and dialect() == "live":
            printed["uid"] = uid.lower()
    return printed


def _meta(page: Page) -> dict[str, Any]:
    """Return the list's meta as recorded: paging in snake case, the cursor of user lists."""
    total_pages = page.page + page.more  # as live pages through uncounted lists
    if page.total is not None:
        total_pages = max(1, -(-page.total // page.per_page))
    pagination = {
        "total": page.total or 0,
        "count": len(page.items),
        "per_page": page.per_page,
        "current_page": page.page,
        "total_pages": total_pages,
    }
    if page.cursor is not None:
        cursor = {"updatedAt": page.cursor, "affix": "prepend"}
        return {"pagination": pagination, "cursor": cursor}
    # Most SDKs read the cursor of an empty list of messages without checking that it exists.
    return {"pagination": pagination} | ({} if page.items else {"cursor": {}})


# --- refusals -------------------------------------------------------------------------------
def _refusal(context: RequestContext, error: ApiError, store: Store) -> Answer:
    """Return the answer to a request that is refused, in the dialect of its client."""
    dialect = choose(context)
    shown = face(error, dialect)
    headers = _headers(context)
    if shown.status == HTTPStatus.TOO_MANY_REQUESTS and "reset" in error.values:
        limit = int(str(error.values["limit"]))
        headers["Retry-After"] = str(error.values["seconds"])
        headers["X-Rate-Limit-Reset"] = str(error.values["reset"])
        _set_rate_limit(headers, limit, 0, limit, 0)
    told = body(error, dialect)
    if context.head.is_control:
        told["error"]["more"] = error.definition.more
    else:  # the bodies of the emulated API are those of the live service
        headers["X-Mock-Docs"] = error.definition.more
    hint = hints.hint(context, error, store)
    if hint:
        headers["X-Mock-Hint"] = hint
    return Answer(shown.status, headers, json_text.render(told), shown.code, hint)


def choose(context: RequestContext) -> str:
    """Return the dialect for a request; `X-Mock-Errors` wins over the setting.

    With `auto`, clients that know the live service hear its words: those that come by a live host
    name, and chat SDKs. SDKs send an `sdk` header, or their session JWT as `Authorization`. A back
    end may send there what `mockchat` asks for, `Bearer` and the control token.
    """
    headers = context.head.headers
    wish = headers.get(ERRORS_HEADER, "").strip().lower()
    wanted = wish if wish in DIALECTS else context.app.rules.errors
    if wanted != "auto":
        return wanted
    knows = "sdk" in headers or _is_jwt(headers) or context.head.address.is_live
    return "live" if knows else "documented"


def _is_jwt(headers: Mapping[str, str]) -> bool:
    """Whether `Authorization` is like a session JWT: three parts, and no scheme in front."""
    told = headers.get("authorization", "")
    return told.count(".") == 2 and " " not in told  # noqa: PLR2004


def face(error: ApiError, dialect: str) -> Face:
    """Return the error as the dialect shows it, its template still open."""
    row = error.definition
    return row.live if dialect == "live" else row.documented


def body(error: ApiError, dialect: str) -> dict[str, Any]:
    """Return the error's envelope: four texts, on 400 `details` before the code.

    Where the dialects' codes differ and the live text of `devMessage` is not known, it names the
    other code. (Key order and form: reference section 2.2, sdk-wire 1.4.)
    """
    shown, row = face(error, dialect), error.definition
    message = developer = shown.message.format_map(error.values)
    if shown.dev_message is not None:
        developer = shown.dev_message.format_map(error.values)
    elif row.differs:
        pages = f"the SDK pages: {row.documented.code}"
        other = pages if dialect == "live" else f"the REST service: {row.live.code}"
        developer = f"{message} (In the words of {other}.)"
    told: dict[str, Any] = {"message": message, "devMessage": developer, "source": SOURCE}
    if error.details and shown.status == HTTPStatus.BAD_REQUEST:
        told["details"] = error.details
    return {"error": {**told, "code": shown.code}}


# --- other answers --------------------------------------------------------------------------
def _preflight(context: RequestContext) -> Answer:
    """Return the answer to a CORS preflight: every header that it asks for is allowed."""
    asked = context.head.headers
    headers = _for_origin(asked.get(hdrs.ORIGIN, "*"))
    headers["Access-Control-Max-Age"] = _MAX_AGE
    headers["X-Mock-Exchange"] = str(context.id)
    if wanted := asked.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = wanted
    if asked.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return Answer(_OK, headers)


# --- headers --------------------------------------------------------------------------------
def _headers(context: RequestContext) -> dict[str, str]:
    """Return the headers that every answer of JSON carries."""
    head = context.head
    if head.is_control:  # pages of other origins may not read it
        return dict(_OF_CONTROL)
    origin, endpoint = head.headers.get(hdrs.ORIGIN), head.endpoint
    headers = _OF_ANSWER.copy() if origin is None else _for_origin(origin, _OF_ANSWER)
    headers["X-Mock-Exchange"] = str(context.id)
    if endpoint is not None and context.refusal is None:
        _set_rate_limit(headers, *context.app.quota.left(endpoint.operation.limit))
    return headers


def _set_rate_limit(
    headers: dict[str, str], limit: int, remaining: int, app_limit: int, app_remaining: int
) -> None:
    headers["X-RateLimit-Limit"] = str(limit)
    headers["X-RateLimit-Remaining"] = str(remaining)
    headers["X-RateLimit-Limit-For-App"] = str(app_limit)
    headers["X-RateLimit-Remaining-For-App"] = str(app_remaining)


def _for_origin(origin: str, base: Mapping[str, str] = OPEN) -> dict[str, str]:
    """Return the headers of an answer to a page: they name its origin, as some refuse `*`."""
    headers = dict(base)
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = _OURS
    headers["Vary"] = "Accept-Encoding, Origin"
    return headers
