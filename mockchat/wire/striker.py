"""The striker: lets the faults of a server strike its exchanges."""

import contextlib
from collections.abc import Callable

from aiohttp import hdrs, web

from mockchat.api.validation import refuse
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import EarlyKind, HttpKind, ShapeKind
from mockchat.core.faults import FaultError, Strikes, first_of, in_header
from mockchat.core.store import Store
from mockchat.wire.line import ExchangeLine, Patience, send_shaped
from mockchat.wire.visit import CLIENT_FAULTS, SOCKET, Visit

HEADER = "X-Mock-Fault"
_BODILESS = (204, 205, 304)


class Striker:
    """Strikes before an exchange is answered, and gives answers their shape."""

    def __init__(
        self,
        store: Store,
        patience: Patience,
        note: Callable[[Visit, web.StreamResponse | None], None],
    ) -> None:
        self._store = store
        self._patience = patience
        self._note = note
        store.faults.mourners.append(patience.forget)

    def may_strike(self, request: web.Request) -> bool:
        """Whether there is any fault at all."""
        return bool(self._store.faults.rules) or HEADER in request.headers

    async def strike(self, visit: Visit, app_id: str | None) -> None:
        """Let the header's faults and those of the app strike, in the order they came."""
        line = ExchangeLine(visit, self._patience, self._note)
        # Read before it is struck: rules look for a uid in it, and the journal is to have it.
        with contextlib.suppress(ApiError, *CLIENT_FAULTS):
            visit.body = await visit.read()
        wanted = _wanted(visit)
        for called, strikes in _asked_for(visit.request):
            if kind := first_of(strikes, visit.asked(), wanted):
                _note(visit, kind, called)
                await kind.strike(line, self._store.ids.chance)
        for kind, rule in self._store.faults.striking(app_id, visit.asked(), wanted):
            _note(visit, kind, rule.called)
            line.rule = rule
            await kind.strike(line, rule.chance)

    async def shaped(self, visit: Visit, response: web.Response) -> web.StreamResponse:
        """Send an answer in the first of the shapes that faults gave it."""
        if response.status in _BODILESS:
            return response
        shape = visit.shapes[0].shape(response.body if isinstance(response.body, bytes) else b"")
        response.body = b"".join(shape.pieces)  # as the journal is to have it
        self._note(visit, response)
        return await send_shaped(visit.request, response, shape, self._patience)


def _note(visit: Visit, kind: HttpKind, called: str) -> None:
    visit.faults += (called,)
    if isinstance(kind, ShapeKind):
        visit.shapes += (kind,)


def _wanted(visit: Visit) -> type[HttpKind]:
    """Return what can strike: where the answer has no body, no fault of bodies is used up."""
    is_bodiless = visit.request.method == hdrs.METH_HEAD or visit.operation == SOCKET
    return EarlyKind if is_bodiless else HttpKind


def _asked_for(request: web.Request) -> list[tuple[str, Strikes]]:
    try:
        return in_header(request.headers.get(HEADER, ""))
    except FaultError as error:
        raise refuse(HEADER, "plain", reason=str(error)) from None
