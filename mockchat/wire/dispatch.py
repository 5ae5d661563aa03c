"""Dispatch: the caller of a request is checked, its input is loaded, its operation runs."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from aiohttp import hdrs

from mockchat.api.operation import Call, File, ServerFacts, Sleep, Stream
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.entities import Caller
from mockchat.core.matching import SOCKET
from mockchat.core.state import App
from mockchat.core.steps import finish
from mockchat.core.store import Store
from mockchat.wire.answers import PREFLIGHT, envelope
from mockchat.wire.body import parse_form
from mockchat.wire.guard import Guard
from mockchat.wire.pages import WELCOME
from mockchat.wire.resolve import RequestContext, Resolver
from mockchat.wire.routing import Endpoint, router
from mockchat.wire.sending import ClientWaits

UPGRADE = object()  # the result of a request for a WebSocket
_NOTHING: Mapping[str, Any] = {}
_LIKE_VERSION = re.compile(r"v[0-9.]{1,9}")


class Dispatcher:
    """Runs the operations of one server, for its requests and for the verbs of Python."""

    def __init__(
        self,
        config: Config,
        store: Store,
        server: ServerFacts,
        resolver: Resolver,
        waits: ClientWaits,
        sleep: Sleep,
    ) -> None:
        self._guard = Guard(config)
        self._store = store
        self._server = server
        self._resolver = resolver
        self._waits = waits
        self._sleep = sleep
        server.perform = self.perform

    async def dispatch(self, context: RequestContext) -> Any:
        """Return the result of the request's operation; raise ApiError for a refusal."""
        head, endpoint, app = context.head, context.head.endpoint, context.app
        if endpoint is None:
            return self._result_without_endpoint(context)
        caller = self._authenticate(context, endpoint)
        given = parse_form(head.query, "query") if head.query else _NOTHING
        query = endpoint.load_query(given) if endpoint.takes_query else _NOTHING
        body = _NOTHING
        if endpoint.takes_body:
            if context.body.is_long:
                body = await context.body.load_long(endpoint.load_body, given)
            else:
                fields = context.body.fields()
                body = endpoint.load_body({**given, **fields} if given else fields)
        every_app = False
        if head.is_control:
            app_id = query.get("app") or body.get("app") or head.app_id
            app, every_app = self._store.named(app_id), not app_id
            app = await self._store.filled(app, self._sleep)
        call = Call(
            app=app,
            caller=caller,
            path=head.path,
            query=query,
            body=body,
            headers=head.headers,
            find_hosts=partial(self._resolver.hosts, head.address, app, head.target.app_id),
            server_url=head.server,
            sleep=self._sleep,
            waiting=partial(self._waits.waiting, context.request),
            server=self._server,
            every_app=every_app,
        )
        return await self._run(endpoint, call, stays=endpoint.is_control)

    def _authenticate(self, context: RequestContext, endpoint: Endpoint) -> Caller | None:
        """Return the caller; raise ApiError for a wrong app, too many requests or credentials."""
        head, operation, app = context.head, endpoint.operation, context.app
        if head.is_control:
            self._guard.check(operation.access, head.address, head.headers)
        if context.refusal is not None:
            raise context.refusal
        if not head.is_control:
            app.quota.take(operation.limit, context.at)
        caller = endpoint.caller(app, head.headers, context.body.fields)
        if operation.admits is not None:
            operation.admits(app)
        return caller

    def _result_without_endpoint(self, context: RequestContext) -> Any:
        """Return the result of a preflight, a WebSocket or the page of `/`; else raise ApiError."""
        head = context.head
        if head.method == hdrs.METH_OPTIONS and not head.is_control:
            return PREFLIGHT
        if context.refusal is not None:
            raise context.refusal
        if head.target.segments or head.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            first = head.target.segments[:1]
            if first and _LIKE_VERSION.fullmatch(first[0]):
                raise errors.API_VERSION_INVALID(version=first[0], versions="v1 to v3")
            raise errors.API_NOT_FOUND()
        if context.summary.operation == SOCKET:
            return UPGRADE
        self._guard.check_host(head.address, head.headers)
        return File(WELCOME.encode(), "text/html; charset=utf-8")

    async def _run(self, endpoint: Endpoint, call: Call, *, stays: bool) -> Any:
        """Run an operation; its app is added with the first one that is not refused.

        The control API adds none to read or delete; those that it adds stay. The watchers are
        told where the operation may have changed something.
        """
        app = call.app
        if endpoint.makes_no_app or (app.is_settled and app.stays >= stays):
            result = endpoint.handler(call)
            result = await result if endpoint.is_async else result
        else:
            with self._store.opening(app, stays=stays) as call.app:
                result = endpoint.handler(call)
                result = await result if endpoint.is_async else result
        if endpoint.writes:
            self._store.journals.watchers.change()
        return result

    async def perform(  # the parts of a call
        self,
        name: str,
        app_id: str | None,
        caller: Caller | None,
        *,
        path: Mapping[str, str] = _NOTHING,
        query: Mapping[str, Any] = _NOTHING,
        body: Mapping[str, Any] = _NOTHING,
        sleep: Sleep | None = None,
    ) -> Any:
        """Carry out an operation without HTTP and return its answer.

        `app_id` None means every app for a control action, else the default one. Raises ApiError.
        """
        endpoint = router().by_name[name]
        operation = endpoint.operation
        finish(self._store.filling(app := self._store.named(app_id)))
        if operation.admits is not None:
            operation.admits(app)
        address, url = self._resolver.own_address(), self._resolver.own_url()
        app_in_path = None if app is self._store.default else app.id
        call = Call(
            app=app,
            caller=caller or endpoint.caller(app, _NOTHING, lambda: body),
            path=path,
            query=endpoint.load_query(query),
            body=endpoint.load_body(body),
            headers=_NOTHING,
            find_hosts=partial(self._resolver.hosts, address, app, app_in_path),
            server_url=url,
            sleep=sleep or _at_once,
            waiting=_refuse_to_wait,
            server=self._server,
            every_app=app_id is None,
        )
        result = await self._run(endpoint, call, stays=True)
        return await _plain(endpoint, result, url, app)


async def _plain(endpoint: Endpoint, result: Any, url: str, app: App) -> Any:
    """Return a result as a verb of Python gets it: bytes where it is rendered already."""
    if isinstance(result, Stream):
        return b"".join([piece async for piece in result.pieces])
    if isinstance(result, File):
        return result.content
    return envelope(endpoint, result, url, lambda: app.rules.errors)


async def _at_once(_seconds: float) -> None:
    """Do not wait: a verb of Python has no latency."""


def _refuse_to_wait() -> NoReturn:
    raise RuntimeError(
        "this login is held, and log_in would wait for ever: no other thread may lift the hold. "
        "Log in before hold_logins, or over HTTP from another thread."
    )
