"""The request handler: it answers every request and catches every error."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from aiohttp import web

from mockchat.api.operation import ServerFacts, Sleep
from mockchat.api.validation import refuse
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.journal import Exchange
from mockchat.core.masking import masked_target
from mockchat.core.store import Store
from mockchat.wire.answers import render
from mockchat.wire.dispatch import UPGRADE, Dispatcher
from mockchat.wire.faults import UNTOUCHED, FaultInjector
from mockchat.wire.pages import picture
from mockchat.wire.resolve import RequestContext, Resolver
from mockchat.wire.sending import Answer, ClientGone, ClientWaits, send
from mockchat.wire.webhooks import Deliveries
from mockchat.wire.websocket import Hub

log = logging.getLogger("mockchat")
MOST_CRASHES = 100  # the newest that are kept


class RequestHandler:
    """Answers every request of one server.

    `observers` are told of each exchange once it is answered. `crashes` collects the errors of
    mockchat itself.
    """

    def __init__(
        self, config: Config, store: Store, server: ServerFacts, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._store = store
        self._waits = ClientWaits(sleep)
        self._resolver = Resolver(config, store, server, sleep)
        self._faults = FaultInjector(store, self._waits)
        self.dispatcher = Dispatcher(config, store, server, self._resolver, self._waits, sleep)
        self.hub = Hub(store, server.jwts, self._waits, self._tell)
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

    async def handle(self, request: web.BaseRequest, broken: str = "") -> web.StreamResponse:
        """Answer a request by a response of aiohttp.

        `broken` says why the bytes for which it stands are no request.
        """
        answer = await self.answer(request, broken)
        return answer.response(request) if isinstance(answer, Answer) else answer

    async def answer(
        self, request: web.BaseRequest, broken: str = ""
    ) -> Answer | web.StreamResponse:
        """Answer a request: resolve, strike, dispatch, render, record, send.

        The connection writes a plain answer, which is returned as it is.
        """
        context, struck = await self._resolver.resolve(request), UNTOUCHED
        head = context.head
        if head.endpoint is None and (found := picture(request)):
            return found
        try:
            if broken:
                raise refuse("request", "broken", reason=broken)  # noqa: TRY301
            if head.is_steered or self._store.faults.rules:
                struck = await self._faults.strike(context)
            outcome = struck.end or await self.dispatcher.dispatch(context)
            if outcome is UPGRADE:
                return await self.hub.serve(context, struck.names)
            answer = render(context, outcome, struck, self._store)
        except Exception as error:  # noqa: BLE001  # whatever it is, the client is told
            is_known = isinstance(error, ApiError | ClientGone)
            end = error if is_known else self._crash(context, error)
            answer = render(context, end, struck, self._store)
        exchange = answer.exchange(context)
        if not head.is_control:
            context.app.journal.record(exchange)
        sent = answer.completed() if answer.is_plain else await send(context, answer, self._waits)
        self._tell(exchange)
        return sent

    def _tell(self, exchange: Exchange) -> None:
        for observe in self.observers:
            observe(exchange)

    def _crash(self, context: RequestContext, error: Exception) -> ApiError:
        """Note an error of mockchat itself; return the refusal to answer."""
        method = context.head.method
        what = f"{method} {masked_target(method, context.request.path_qs)}"
        log.error("mockchat failed to answer %s", what, exc_info=error)
        error.add_note(f"while answering {what}")
        self.crashes.append(error)
        return errors.CRASHED()
