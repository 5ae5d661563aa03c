"""The request handler: it answers every request and catches every error."""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from aiohttp import hdrs, web

from mockchat.api.operation import Call, ServerFacts, Stream
from mockchat.api.validation import refuse
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.entities import Caller
from mockchat.core.errors import ApiError
from mockchat.core.journal import Exchange
from mockchat.core.masking import masked
from mockchat.core.matching import SOCKET
from mockchat.core.state import App
from mockchat.core.steps import finish
from mockchat.core.store import Store
from mockchat.wire import answers
from mockchat.wire.answers import Answer
from mockchat.wire.body import parse_form
from mockchat.wire.faults import (
    UNTOUCHED,
    ClientGone,
    ClientWaits,
    FaultInjector,
    Sleep,
    Struck,
    hang_up,
    send_in_pieces,
)
from mockchat.wire.guard import Guard, check_steering
from mockchat.wire.pages import WELCOME, picture
from mockchat.wire.resolve import RequestContext, Resolver
from mockchat.wire.routing import Endpoint, router
from mockchat.wire.webhooks import Deliveries
from mockchat.wire.websocket import Hub, Upgraded

log = logging.getLogger("mockchat")
_NOTHING: Mapping[str, Any] = {}
_NO_VALUES: Mapping[str, str] = {}
MOST_CRASHES = 100  # the newest that are kept

_LIKE_VERSION = re.compile(r"v[0-9.]{1,9}")


class RequestHandler:
    """Answers every request of one server.

    `observers` are told of each exchange once it is answered. `crashes` collects the errors of
    mockchat itself.
    """

    def __init__(
        self, config: Config, store: Store, server: ServerFacts, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._store = store
        self._server = server
        self._sleep = sleep
        self._resolver = Resolver(config, store, server)
        self._guard = Guard(config)
        server.perform = self.perform
        self._waits = ClientWaits(sleep)
        self._faults = FaultInjector(store, self._waits)
        self.hub = Hub(store, server.jwts, self._waits)
        self.observers: list[Callable[[Exchange], None]] = []
        self.crashes: deque[Exception] = deque(maxlen=MOST_CRASHES)
        self._deliveries = Deliveries(
            store, config.region, lambda: server.plain_url or "", sleep, self._tell
        )

    async def close(self) -> None:
        """Release all waiting requests and close all WebSockets."""
        for app in self._store.apps():
            app.holds.release_all()  # first: held logins get an answer
        self._store.journals.watchers.end()
        self._waits.end()
        await self.hub.close()
        await self._deliveries.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request: resolve, strike, authenticate, load, operate, render."""
        context = await self._resolver.resolve(request)
        if context.endpoint is None and (found := picture(request)):
            return found
        answer = await self._answer(context)
        if isinstance(answer, Upgraded):  # which the hub has recorded
            self._tell(answer.exchange)
            return answer.socket
        return await self._reply(context, answer)

    async def _reply(self, context: RequestContext, answer: Answer) -> web.StreamResponse:
        """Record an answer and return the response that sends it."""
        exchange = answer.exchange(context)
        if not context.is_control:
            context.app.journal.add(exchange)
        response = answers.Reply(answer) if answer.is_plain else await self._send(context, answer)
        self._tell(exchange)
        return response

    def _tell(self, exchange: Exchange) -> None:
        for observe in self.observers:
            observe(exchange)

    async def refuse(self, request: web.BaseRequest, reason: str) -> web.StreamResponse:
        """Answer bytes that are no request; `request` stands for it."""
        context = await self._resolver.resolve(request)
        error = refuse("request", "broken", reason=reason)
        return await self._reply(context, answers.render(context, error, UNTOUCHED, self._store))

    async def _answer(self, context: RequestContext) -> Answer | Upgraded:
        struck = UNTOUCHED
        outcome: Any
        try:
            if context.is_steered:
                check_steering(context.headers)
            if context.is_steered or self._store.faults.rules:
                struck = await self._faults.strike(context)
            if context.app.is_draft:
                await self._fill(context.app)
                app = self._store.find(context.app.id)  # which another request added meanwhile
                context = context._replace(app=app or context.app)
            if struck.end is not None:
                raise struck.end  # noqa: TRY301  # the journal has the names of what struck
            outcome = await self._serve(context, struck)
            if isinstance(outcome, Upgraded):
                return outcome
            return answers.render(context, outcome, struck, self._store)
        except (ApiError, ClientGone) as end:
            outcome = end
        except Exception as error:  # noqa: BLE001  # the only one in the package
            outcome = self._crash(context, error)
        return answers.render(context, outcome, struck, self._store)

    async def _serve(self, context: RequestContext, struck: Struck) -> Any:
        """Return the result of the operation; raise ApiError for a refusal."""
        endpoint = context.endpoint
        if endpoint is None:
            return await self._serve_path_without_endpoint(context, struck)
        caller = self._authenticate(context, endpoint)
        text = context.request.rel_url.raw_query_string
        given = parse_form(text, "query") if text else _NOTHING
        query = endpoint.load_query(given) if endpoint.takes_query else _NOTHING
        body = _NOTHING
        if endpoint.takes_body:
            body = await self._load_body(context, endpoint, given)
        call = self._call(context, caller, query, body)
        if call.app.is_draft:  # a body of the control API names it
            await self._fill(call.app)
        return await self._run(endpoint, call)

    async def _fill(self, app: App) -> None:
        """Give a drafted app the contents of its seed, which may be many."""
        for _ in self._store.filling(app):
            await self._sleep(0)

    def _authenticate(self, context: RequestContext, endpoint: Endpoint) -> Caller | None:
        """Return the caller; raise ApiError for a wrong app, too many requests or credentials."""
        operation, app = endpoint.operation, context.app
        if context.is_control:
            self._guard.check(operation.access, context.address, context.headers)
        if context.refusal is not None:
            raise context.refusal
        if not context.is_control:
            app.quota.take(operation.limit, context.at)
        caller = endpoint.caller(app, context.headers, context.body.fields)
        if operation.admits is not None:
            operation.admits(app)
        return caller

    async def _load_body(
        self, context: RequestContext, endpoint: Endpoint, given: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the body's values, validated; a field may stand in the query, as it is `given`."""
        body = context.body
        if not body.is_long:
            return endpoint.load_body({**given, **body.fields()})
        await body.parse_long()
        return await asyncio.to_thread(endpoint.load_body, {**given, **body.fields()})

    def _call(
        self,
        context: RequestContext,
        caller: Caller | None,
        query: Mapping[str, Any],
        body: Mapping[str, Any],
    ) -> Call:
        app, every_app = context.app, False
        if context.is_control:
            app_id = query.get("app") or body.get("app") or context.app_id
            app, every_app = self._app_named(app_id), not app_id
        return Call(
            app=app,
            caller=caller,
            path=context.path,
            query=query,
            body=body,
            headers=context.headers,
            find_hosts=partial(self._resolver.hosts, context.address, app, context.target.app_id),
            server_url=context.server,
            sleep=self._sleep,
            waiting=partial(self._waits.waiting, context.request),
            server=self._server,
            every_app=every_app,
        )

    async def _run(self, endpoint: Endpoint, call: Call, *, stays: bool = False) -> Any:
        """Run an operation; its app is added with the first one that is not refused.

        The control API adds none to read or delete; those that it adds stay. The watchers are
        told where the operation may have changed something.
        """
        app, stays = call.app, stays or endpoint.is_control
        if endpoint.makes_no_app or (app.is_settled and app.stays >= stays):
            result = await endpoint.run(call)
        else:
            with self._store.opening(app, stays=stays) as call.app:
                result = await endpoint.run(call)
        if endpoint.writes:
            self._store.journals.watchers.change()
        return result

    def _app_named(self, app_id: str | None) -> App:
        return self._store.draft(app_id) if app_id else self._store.default

    async def _serve_path_without_endpoint(
        self, context: RequestContext, struck: Struck
    ) -> Answer | Upgraded:
        """Answer a preflight, a WebSocket or the page of `/`; raise API_NOT_FOUND for the rest."""
        if context.method == hdrs.METH_OPTIONS and not context.is_control:
            return answers.preflight(context)
        if context.refusal is not None:
            raise context.refusal
        if context.target.segments or context.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            first = context.target.segments[:1]
            if first and _LIKE_VERSION.fullmatch(first[0]):
                raise errors.API_VERSION_INVALID(version=first[0], versions="v1 to v3")
            raise errors.API_NOT_FOUND()
        if context.operation == SOCKET:
            return await self.hub.serve(context, struck.names)
        self._guard.check_host(context.address, context.headers)
        return answers.page(context, WELCOME)

    def _crash(self, context: RequestContext, error: Exception) -> ApiError:
        """Note an error of mockchat itself; return the refusal to answer."""
        what = f"{context.method} {masked(context.request.path_qs)}"
        log.error("mockchat failed to answer %s", what, exc_info=error)
        error.add_note(f"while answering {what}")
        self.crashes.append(error)
        return errors.CRASHED()

    async def _send(self, context: RequestContext, answer: Answer) -> web.StreamResponse:
        """Send a body that comes in pieces, or end the connection as its fault wants it."""
        request, end = context.request, answer.end
        try:
            if end is not None and end.hangs:
                await self._waits.hang(request, end.rule)
            if answer.stream is not None and context.method != hdrs.METH_HEAD:
                return await self._stream(request, answer, answer.stream)
            if answer.shape is not None:
                response = web.StreamResponse(status=answer.status, headers=answer.headers)
                return await send_in_pieces(request, response, answer.shape, self._waits)
        except (ClientGone, ConnectionError):
            end = ClientGone()
        if end is not None:
            hang_up(request.transport, reset=end.reset)
        return answers.Reply(answer)

    async def _stream(
        self, request: web.BaseRequest, answer: Answer, pieces: AsyncGenerator[bytes, None]
    ) -> web.StreamResponse:
        """Send pieces as they come until they end; raise ClientGone where the client leaves."""
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        async with self._waits.waiting(request), contextlib.aclosing(pieces):
            async for piece in pieces:
                await response.write(piece)
        await response.write_eof()
        return response

    async def perform(  # the parts of a call
        self,
        name: str,
        app_id: str | None,
        caller: Caller | None,
        *,
        path: Mapping[str, str] = _NO_VALUES,
        query: Mapping[str, Any] = _NOTHING,
        body: Mapping[str, Any] = _NOTHING,
        sleep: Sleep | None = None,
    ) -> Any:
        """Carry out an operation without HTTP and return its answer.

        `app_id` None means every app for a control action, else the default one. Raises ApiError.
        """
        endpoint = router().by_name[name]
        operation = endpoint.operation
        finish(self._store.filling(app := self._app_named(app_id)))
        if operation.admits is not None:
            operation.admits(app)
        address, url = self._resolver.own_address(), self._resolver.own_url()
        app_in_path = None if app is self._store.default else app.id
        call = Call(
            app=app,
            caller=caller or endpoint.caller(app, _NO_VALUES, lambda: body),
            path=path,
            query=endpoint.load_query(query),
            body=endpoint.load_body(body),
            headers=_NO_VALUES,
            find_hosts=partial(self._resolver.hosts, address, app, app_in_path),
            server_url=url,
            sleep=sleep or _at_once,
            waiting=_refuse_to_wait,
            server=self._server,
            every_app=app_id is None,
        )
        result = await self._run(endpoint, call, stays=True)
        if isinstance(result, Stream):
            return b"".join([piece async for piece in result.pieces])
        return answers.envelope(endpoint, result, url, lambda: app.rules.errors)


async def _at_once(_seconds: float) -> None:
    """Do not wait: a verb of Python has no latency."""


def _refuse_to_wait() -> NoReturn:
    raise RuntimeError(
        "this login is held, and log_in would wait for ever: no other thread may lift the hold. "
        "Log in before hold_logins, or over HTTP from another thread."
    )
