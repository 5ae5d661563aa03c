"""The HTTP edge: a request becomes a call, its result or refusal becomes an answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mockchat.api import OPERATIONS, UNBUILT, json_text
from mockchat.api.operation import CONTROL_PREFIX, Call, File, ServerFacts
from mockchat.api.validation import MAX_BODY, refuse
from mockchat.config import Config
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.quota import Allowance
from mockchat.core.state import Store
from mockchat.wire import cors, dialects
from mockchat.wire.body import parse_body, parse_form
from mockchat.wire.guard import Guard
from mockchat.wire.resolve import Resolver
from mockchat.wire.router import Found, Router, Target, parse_path
from mockchat.wire.websocket import Hub
from mockchat.wire.welcome import WELCOME

log = logging.getLogger("mockchat")
_CONTROL = CONTROL_PREFIX.strip("/")
_JSON_HEADERS = {
    "Content-Type": "application/json",  # without a charset, as recorded
    "Cache-Control": "must-revalidate, no-cache, private",
}
# Where a request keeps what its rate-limit headers will say.
_QUOTA: web.RequestKey[Allowance] = web.RequestKey("mockchat.quota", Allowance)

_CLIENT_FAULTS = (web.HTTPException, web.RequestPayloadError, HttpProcessingError, ConnectionError)

Sleep = Callable[[float], Awaitable[None]]
Observer = Callable[[web.Request, web.StreamResponse, float], None]


class Edge:
    """Answers every request of one server, whatever it holds.

    `observers` are told of each exchange once it is answered: request, response, seconds.
    """

    def __init__(
        self, config: Config, store: Store, server: ServerFacts, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._config = config
        self._store = store
        self._server = server
        self._sleep = sleep
        self._resolver = Resolver(config, store, server)
        self._guard = Guard(config)
        self.hub = Hub(store)
        self.observers: list[Observer] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; a refusal is an answer, too, and nothing else gets through."""
        started = time.perf_counter()
        target, found = _route(request.method, request.rel_url.raw_path)
        control = target.segments[:1] == (_CONTROL,)
        try:
            response = await self._answer(request, target, found, control=control)
        except ApiError as error:
            response = self._refuse(request, error)
        except _CLIENT_FAULTS as error:
            response = self._refuse(request, _client_fault(error))
        except Exception:
            log.exception("mockchat failed to answer %s %s", request.method, request.path_qs)
            response = self._refuse(request, errors.CRASHED())
        if not response.prepared:
            _add_headers(request, response, control=control)
        for observe in self.observers:
            observe(request, response, time.perf_counter() - started)
        return response

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """Send the 100 that a client waits for; any other expectation is refused."""
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
            return None
        response = self._refuse(request, refuse("Expect", "in", choices="100-continue"))
        _add_headers(request, response, control=False)
        return response

    async def _answer(
        self, request: web.Request, target: Target, found: Found | None, *, control: bool
    ) -> web.StreamResponse:
        if request.method == hdrs.METH_OPTIONS and not control:
            return web.Response(headers=cors.preflight_headers(request.headers))
        if not target.segments and request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
            return await self._root(request)
        if found is None:
            raise errors.API_NOT_FOUND()
        endpoint, path = found
        operation = endpoint.operation
        headers = request.headers
        address = self._resolver.address(request)
        if control:
            self._guard.check(operation.access, address, headers)
            app = self._store.default
        else:
            app = self._resolver.app(target, address, headers)
            request[_QUOTA] = app.quota.take(operation.limit, app.clock.now())
        caller = self._resolver.caller(operation.access, app, headers)
        query_text = request.rel_url.raw_query_string
        query = endpoint.load_query(parse_form(query_text, "query") if query_text else {})
        body = endpoint.load_body(await _body(request) if endpoint.takes_body else {})
        call = Call(
            app=app,
            caller=caller,
            path=path,
            query=query,
            body=body,
            headers=headers,
            hosts=lambda: self._resolver.hosts(target, address, app),
            sleep=self._sleep,
            server=self._server,
        )
        result = await endpoint.run(call)
        return _file(result) if isinstance(result, File) else _json(result, 200)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await self.hub.serve(request)
        return web.Response(text=WELCOME, content_type="text/html")

    def _refuse(self, request: web.Request, error: ApiError) -> web.Response:
        dialect = dialects.choose(self._config.errors, request.headers)
        response = _json(dialects.body(error, dialect), dialects.face(error, dialect).status)
        if "reset" in error.values:
            limit = int(str(error.values["limit"]))
            request[_QUOTA] = Allowance(limit, 0, limit, 0)
            response.headers["Retry-After"] = str(error.values["seconds"])
            response.headers["X-Rate-Limit-Reset"] = str(error.values["reset"])
        return response


@cache
def _router() -> Router:
    """Return the one router: it holds nothing of a server, and tests make many servers."""
    return Router((*OPERATIONS, *UNBUILT, *CONTROL_OPERATIONS))


@lru_cache(maxsize=4096)
def _route(method: str, raw_path: str) -> tuple[Target, Found | None]:
    """Return what a path means; clients ask the same few again and again."""
    target = parse_path(raw_path)
    return target, _router().find(method, target.segments)


def _add_headers(request: web.Request, response: web.StreamResponse, *, control: bool) -> None:
    """Add what every answer carries, whatever it says; the control API is not for other origins."""
    headers = response.headers
    if control:
        headers["Server"] = cors.SERVER_NAME
        return
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in headers:  # a preflight has its own
        origin = request.headers.get(hdrs.ORIGIN)
        headers.extend(cors.OPEN if origin is None else cors.for_origin(origin))
    allowance = request.get(_QUOTA)
    if allowance:
        headers.extend(
            (
                ("X-RateLimit-Limit", str(allowance.limit)),
                ("X-RateLimit-Remaining", str(allowance.remaining)),
                ("X-RateLimit-Limit-For-App", str(allowance.app_limit)),
                ("X-RateLimit-Remaining-For-App", str(allowance.app_remaining)),
            )
        )


def _client_fault(error: Exception) -> ApiError:
    """Return what a request is refused with that aiohttp could not read."""
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return refuse("body", "size", limit=MAX_BODY)
    if isinstance(error, web.HTTPException):  # a handshake
        return refuse("request", "broken", reason=error.text or error.reason)
    if isinstance(error, ConnectionError):  # nobody is left to read the answer
        return refuse("body", "broken", reason="the client left")
    return refuse("body", "broken", reason=" ".join(str(error).split()))


async def _body(request: web.Request) -> dict[str, Any]:
    if not request.body_exists:
        return {}
    return parse_body(await request.read(), request.headers.get(hdrs.CONTENT_TYPE, ""))


def _json(value: Any, status: int) -> web.Response:
    return web.Response(body=json_text.render(value), status=status, headers=_JSON_HEADERS)


def _file(file: File) -> web.Response:
    headers = {"Content-Type": file.content_type}
    if file.name:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return web.Response(body=file.content, headers=headers)
