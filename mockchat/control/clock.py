"""Control actions on the clock: what time it is for the whole server."""

from datetime import UTC, datetime
from typing import Any

from mockchat.api.operation import CONTROL_PREFIX, Access, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import ClockSchema
from mockchat.control.requests import AppQuery, ClockRequest
from mockchat.core.clock import LATEST
from mockchat.core.errors import Evidence

table = OperationTable()

_CLOCK = f"{CONTROL_PREFIX}/clock"


@table.add(
    "GET",
    _CLOCK,
    access=Access.CONTROL,
    query=AppQuery,
    returns=ClockSchema,
    evidence=Evidence.ASSUMED,
)
def get_clock(call: Call) -> dict[str, Any]:
    """Get the time of the server."""
    clock = call.server.store.clock
    now = clock.now()
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return {"now": now, "time": time.replace("+00:00", "Z"), "frozen": clock.frozen}


@table.add(
    "PATCH",
    _CLOCK,
    access=Access.CONTROL,
    body=ClockRequest,
    returns=ClockSchema,
    evidence=Evidence.ASSUMED,
)
def move_clock(call: Call) -> dict[str, Any]:
    """Freeze time (now, or `at` an instant), advance it, or let it tick again, for all apps.

    Auth tokens, timestamps and rate-limit windows follow. Of several wishes `resume` comes first
    and `advance` last.
    """
    clock, wish = call.server.store.clock, call.body
    at, advance, resume = wish.get("at"), wish.get("advance") or 0.0, wish.get("resume")
    start = at if at is not None else clock.real() if resume else clock.now()
    if start + advance > LATEST:
        raise refuse("advance", "plain", reason=f"leads beyond {LATEST} unix seconds")
    if resume:
        clock.resume()
    if wish.get("freeze") or at is not None:
        clock.freeze(at)
    if advance:
        clock.advance(advance)
    return dict(get_clock(call))
