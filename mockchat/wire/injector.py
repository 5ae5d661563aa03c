"""The striker: lets the faults of a server strike its exchanges."""

import contextlib
from collections.abc import Callable

from aiohttp import hdrs, web

from mockchat.api.validation import refuse
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import EarlyKind, HttpKind, ShapeKind
from mockchat.core.faults import FaultError, Strikes, first_of, in_header
from mockchat.core.store import Store
from mockchat.wire.context import CLIENT_FAULTS, SOCKET, RequestContext
from mockchat.wire.line import ClientWaits, ExchangeLine, send_shaped

HEADER = "X-Mock-Fault"
_BODILESS = (204, 205, 304)


class FaultInjector:
    """Strikes before an exchange is answered, and gives answers their shape."""

    def __init__(
        self,
        store: Store,
        waits: ClientWaits,
        note: Callable[[RequestContext, web.StreamResponse | None], None],
    ) -> None:
        self._store = store
        self._waits = waits
        self._note = note
        store.faults.on_removed.append(waits.forget)

    def may_strike(self, request: web.Request) -> bool:
        """Whether there is any fault at all."""
        return bool(self._store.faults.rules) or HEADER in request.headers

    async def strike(self, context: RequestContext, app_id: str | None) -> None:
        """Let the header's faults and those of the app strike, in the order they came."""
        line = ExchangeLine(context, self._waits, self._note)
        # Read before it is struck: rules look for a uid in it, and the journal is to have it.
        with contextlib.suppress(ApiError, *CLIENT_FAULTS):
            context.body = await context.read()
        wanted = _wanted(context)
        for called, strikes in _asked_for(context.request):
            if kind := first_of(strikes, context.summary(), wanted):
                _note(context, kind, called)
                await kind.strike(line, (context.app or self._store).ids.chance)
        for kind, rule in self._store.faults.striking(app_id, context.summary(), wanted):
            _note(context, kind, rule.called)
            line.rule = rule
            await kind.strike(line, rule.chance)

    async def shaped(self, context: RequestContext, response: web.Response) -> web.StreamResponse:
        """Send an answer in the first of the shapes that faults gave it."""
        if response.status in _BODILESS:
            return response
        shape = context.shapes[0].shape(response.body if isinstance(response.body, bytes) else b"")
        response.body = b"".join(shape.pieces)  # as the journal is to have it
        self._note(context, response)
        return await send_shaped(context.request, response, shape, self._waits)


def _note(context: RequestContext, kind: HttpKind, called: str) -> None:
    context.faults += (called,)
    if isinstance(kind, ShapeKind):
        context.shapes += (kind,)


def _wanted(context: RequestContext) -> type[HttpKind]:
    """Return what can strike: where the answer has no body, no fault of bodies is used up."""
    is_bodiless = context.request.method == hdrs.METH_HEAD or context.operation == SOCKET
    return EarlyKind if is_bodiless else HttpKind


def _asked_for(request: web.Request) -> list[tuple[str, Strikes]]:
    try:
        return in_header(request.headers.get(HEADER, ""))
    except FaultError as error:
        raise refuse(HEADER, "plain", reason=str(error)) from None
