"""The HTTP edge: a request becomes a call, its result or refusal becomes an answer."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web

from mockchat.api import json_text
from mockchat.api.operation import CONTROL_PREFIX, Call, File, ServerFacts
from mockchat.api.validation import MAX_BODY, refuse
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.entities import Caller
from mockchat.core.errors import ApiError
from mockchat.core.limits import Allowance
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire import cors, dialects, hints
from mockchat.wire.body import (
    MAX_CONTROL_BODY,
    MAX_CONTROL_DEPTH,
    parse_body,
    parse_form,
    read_up_to,
)
from mockchat.wire.context import CLIENT_FAULTS, SOCKET, RequestContext
from mockchat.wire.endpoint import Endpoint
from mockchat.wire.guard import Guard
from mockchat.wire.hosts import Address
from mockchat.wire.injector import HEADER, FaultInjector
from mockchat.wire.line import ClientGone, ClientWaits, Sleep, hang_up
from mockchat.wire.resolve import Resolver
from mockchat.wire.routes import endpoints, route, router
from mockchat.wire.websocket import Hub
from mockchat.wire.welcome import WELCOME

log = logging.getLogger("mockchat")
_CONTROL = CONTROL_PREFIX.strip("/")
_JSON_HEADERS = {
    "Content-Type": "application/json",  # without a charset, as recorded
    "Cache-Control": "must-revalidate, no-cache, private",
}
_CLIENT_GONE = 499
_LATE = 1.0  # seconds that an answer waits for a body that it does not depend on
_MAKE_NO_APP = (hdrs.METH_GET, hdrs.METH_DELETE)  # of the control API
_READS = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)

Observer = Callable[[web.Request, web.StreamResponse, float], None]


class RequestHandler:
    """Answers every request of one server, whatever it holds.

    `observers` are told of each exchange once it is answered: request, response, seconds.
    `changed` is called after whatever may have changed the state. `crashes` collects what
    should not have been.
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
        self._waits = ClientWaits(sleep)
        self._control_waits = ClientWaits(sleep)  # which are answered when the server stops
        self._injector = FaultInjector(store, self._waits, self._note)
        self.hub = Hub(store, self._waits)
        self.observers: list[Observer] = []
        self.crashes: list[Exception] = []
        self.changed: Callable[[], None] = lambda: None

    async def close(self) -> None:
        """Let go of everyone who waits and close the sockets, as a server that stops does."""
        self._waits.end()
        self._store.journals.end()
        self._store.arrivals.end()
        for app in self._store.apps():
            app.holds.release_all()
        await self.hub.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; a refusal is an answer, too, and nothing else gets through."""
        context = self._context(request)
        control = not context.id
        try:
            response = await self._answer_always(context, control=control)
            if not response.prepared:
                if request.body_exists and not (context.raw or context.unread or control):
                    await self._take_in(context)
                _add_headers(context, response, control=control)
            if context.shapes and isinstance(response, web.Response):
                response = await self._injector.shaped(context, response)
        except (ClientGone, ConnectionError):
            hang_up(request.transport, reset=False)
            response = web.Response(status=_CLIENT_GONE)  # which nobody is left to read
            self._note_safely(context, None)
        self._note_safely(context, response)
        if request.method not in _READS:
            self.changed()
        seconds = time.perf_counter() - context.started
        for observe in self.observers:
            observe(request, response, seconds)
        return response

    def _context(self, request: web.Request) -> RequestContext:
        target, found = route(request.method, request.rel_url.raw_path)
        context = RequestContext(request, target, found, time.perf_counter())
        if target.segments[:1] != (_CONTROL,):
            context.id = self._store.journals.next_id()
        return context

    async def _answer_always(self, context: RequestContext, *, control: bool) -> web.StreamResponse:
        request = context.request
        try:
            context.at = self._store.clock.now()
            return await (self._steer(context) if control else self._answer(context))
        except ApiError as error:
            return self._refuse(context, error)
        except CLIENT_FAULTS as error:
            return self._refuse(context, _client_fault(error))
        except ClientGone:
            raise
        except Exception as error:
            log.exception("mockchat failed to answer %s %s", request.method, request.path_qs)
            error.add_note(f"while answering {request.method} {request.path_qs}")
            self.crashes.append(error)
            return self._refuse(context, errors.CRASHED())

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """Send the 100 that a client waits for; any other expectation is refused."""
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
            return None
        context = self._context(request)
        context.at = self._store.clock.now()
        response = self._refuse(context, refuse("Expect", "in", choices="100-continue"))
        _add_headers(context, response, control=not context.id)
        self._note_safely(context, response)
        return response

    # --- the control API ----------------------------------------------------------------
    async def _steer(self, context: RequestContext) -> web.StreamResponse:
        request, endpoint = context.request, context.endpoint
        if endpoint is None:
            raise errors.API_NOT_FOUND()
        headers = request.headers
        address = self._resolver.address(request)
        self._guard.check(endpoint.operation.access, address, headers)
        named = self._resolver.named_app(context.target, address, headers)
        if context.target.app_id == "":  # `/apps//v3/…` means one, but which?
            raise errors.APP_ID_MISSING()
        query_text = request.rel_url.raw_query_string
        given = parse_form(query_text, "query") if query_text else {}
        query = endpoint.load_query(given)
        body: dict[str, Any] = {}
        if endpoint.takes_body:
            kind = headers.get(hdrs.CONTENT_TYPE, "")
            read = parse_body(await read_up_to(request, MAX_CONTROL_BODY), kind, MAX_CONTROL_DEPTH)
            body = endpoint.load_body({**given, **read})
        named = query.get("app") or body.get("app") or named
        app = self._app_for(endpoint, named)
        call = self._call(context, app, query, body)
        call.every_app = not named
        async with self._control_waits.watch(request):
            return _result(await endpoint.run(call))

    def _app_for(self, endpoint: Endpoint, app_id: str | None) -> App:
        if not app_id:
            return self._store.default
        operation = endpoint.operation
        is_control = operation.path.startswith(CONTROL_PREFIX)
        if is_control and operation.method in _MAKE_NO_APP:
            return self._store.glance(app_id)
        return self._store.claim(app_id)

    # --- the emulated API ---------------------------------------------------------------
    async def _answer(self, context: RequestContext) -> web.StreamResponse:
        request = context.request
        endpoint, headers = context.endpoint, request.headers
        address = self._resolver.address(request)
        if request.method == hdrs.METH_OPTIONS:
            named = self._resolver.named_app(context.target, address, headers)
            if app := self._store.find(named):
                context.enter(app)
            return web.Response(headers=cors.preflight_headers(headers))
        if self._injector.may_strike(request):
            await self._strike(context, address)
        app = self._resolver.app(context.target, address, headers)
        context.enter(app)
        if endpoint is None:
            return await self._unrouted(context)
        operation = endpoint.operation
        context.allowance = app.quota.take(operation.limit, app.clock.now())
        context.caller = self._resolver.caller(operation.access, app, headers)
        query_text = request.rel_url.raw_query_string
        query = endpoint.load_query(parse_form(query_text, "query") if query_text else {})
        body = endpoint.load_body(await context.read() if endpoint.takes_body else {})
        context.body = body
        return _result(await endpoint.run(self._call(context, app, query, body)))

    async def _strike(self, context: RequestContext, address: Address) -> None:
        """Let faults strike, which are there before anything is checked.

        A WebSocket that does not name its app has none yet: it is known once it authenticates.
        """
        headers, target = context.request.headers, context.target
        with contextlib.suppress(ApiError):
            context.enter(self._resolver.app(target, address, headers))
        app = context.app
        if context.operation == SOCKET and not self._resolver.named_app(target, address, headers):
            app = None
        await self._injector.strike(context, app.id if app else None)

    def _call(
        self, context: RequestContext, app: App, query: dict[str, Any], body: dict[str, Any]
    ) -> Call:
        return Call(
            app=app,
            caller=context.caller,
            path=context.path,
            query=query,
            body=body,
            headers=context.request.headers,
            hosts=lambda: self._resolver.hosts(
                context.target, self._resolver.address(context.request), app
            ),
            sleep=self._sleep,
            server=self._server,
        )

    async def _unrouted(self, context: RequestContext) -> web.StreamResponse:
        request = context.request
        if context.target.segments or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            raise errors.API_NOT_FOUND()
        if context.operation == SOCKET:
            address = self._resolver.address(request)
            named = self._resolver.named_app(context.target, address, request.headers)
            return await self.hub.serve(context, named or None)
        return web.Response(text=WELCOME, content_type="text/html")

    def _refuse(self, context: RequestContext, error: ApiError) -> web.Response:
        setting = context.app.rules.errors if context.app else self._config.errors
        dialect = dialects.choose(setting, context.request.headers)
        face = dialects.face(error, dialect)
        response = _json(dialects.body(error, dialect), face.status)
        if face.status == HTTPStatus.TOO_MANY_REQUESTS and "reset" in error.values:
            limit = int(str(error.values["limit"]))
            context.allowance = Allowance(limit, 0, limit, 0)
            response.headers["Retry-After"] = str(error.values["seconds"])
            response.headers["X-Rate-Limit-Reset"] = str(error.values["reset"])
        context.code = face.code
        context.hint = hints.hint(context, error, router())
        return response

    async def perform(  # the parts of a call
        self,
        name: str,
        app_id: str | None,
        caller: Caller | None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Carry out an operation without HTTP and return what it would answer.

        `app_id` None means every app for a control action, else the default one. Raises ApiError.
        """
        endpoint = endpoints()[name]
        app = self._app_for(endpoint, app_id)
        call = Call(
            app=app,
            caller=caller,
            path=path or {},
            query=endpoint.load_query(query or {}),
            body=endpoint.load_body(body or {}),
            headers={},
            hosts=lambda: self._resolver.own_hosts(app),
            sleep=_at_once,
            server=self._server,
            every_app=app_id is None,
        )
        result = await endpoint.run(call)
        self.changed()
        return result

    # --- the journal --------------------------------------------------------------------
    @staticmethod
    async def _take_in(context: RequestContext) -> None:
        """Read a body that was refused unread: the journal shows what was sent all the same."""
        with contextlib.suppress(TimeoutError, ApiError, *CLIENT_FAULTS):
            async with asyncio.timeout(_LATE):
                await context.read()

    def _note_safely(self, context: RequestContext, response: web.StreamResponse | None) -> None:
        if not context.id:  # the control API's own exchanges are not recorded
            return
        try:
            self._note(context, response)
        except Exception as error:
            log.exception("mockchat failed to note exchange %s", context.id)
            self.crashes.append(error)

    def _note(self, context: RequestContext, response: web.StreamResponse | None) -> None:
        """Write an exchange into the journal, once."""
        if context.is_noted:
            return
        context.is_noted = True
        context.app = context.app or self._store.default
        seconds = time.perf_counter() - context.started
        context.app.journal.add(context.exchange(response, seconds))


def _result(result: Any) -> web.Response:
    return _file(result) if isinstance(result, File) else _json(result, 200)


async def _at_once(_seconds: float) -> None:
    """Sleep not at all."""


def _add_headers(context: RequestContext, response: web.StreamResponse, *, control: bool) -> None:
    """Add what every answer carries, whatever it says; the control API is not for other origins."""
    headers = response.headers
    if context.hint:
        headers["X-Mock-Hint"] = context.hint
    if control:
        headers["Server"] = cors.SERVER_NAME
        return
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in headers:  # a preflight has its own
        origin = context.request.headers.get(hdrs.ORIGIN)
        headers.extend(cors.OPEN if origin is None else cors.for_origin(origin))
    if context.id:
        headers["X-Mock-Exchange"] = str(context.id)
    if context.faults:
        headers[HEADER] = ", ".join(context.faults)
    allowance = context.allowance
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


def _json(value: Any, status: int) -> web.Response:
    return web.Response(body=json_text.render(value), status=status, headers=_JSON_HEADERS)


def _file(file: File) -> web.Response:
    headers = {"Content-Type": file.content_type}
    if file.name:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return web.Response(body=file.content, headers=headers)
