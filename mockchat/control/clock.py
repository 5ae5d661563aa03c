"""Control actions on the clock: what time it is for the whole server."""

from datetime import UTC, datetime
from typing import Any

from mockchat.api.operation import CONTROL_PREFIX, Access, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import ClockSchema
from mockchat.control.fields import LATEST
from mockchat.control.requests import ClockRequest
from mockchat.core.errors import Evidence

table = OperationTable()

_CLOCK = f"{CONTROL_PREFIX}/clock"


@table.add("GET", _CLOCK, access=Access.CONTROL, returns=ClockSchema, evidence=Evidence.ASSUMED)
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

    Auth tokens, timestamps and rate-limit windows follow.
    """
    clock, wish = call.server.store.clock, call.body
    wishes_time = wish.get("at") is not None or wish.get("advance") is not None
    if not (wishes_time or wish.get("freeze") or wish.get("resume")):
        raise refuse("advance", "required")
    if wish.get("resume"):
        clock.resume()
    start = wish["at"] if wish.get("at") is not None else clock.now()
    if start + wish.get("advance", 0) > LATEST:
        raise refuse("advance", "between", least=0, most=f"{LATEST} unix seconds")
    if wish.get("freeze") or wish.get("at") is not None:
        clock.freeze(wish.get("at"))
    if wish.get("advance"):
        clock.advance(wish["advance"])
    return dict(get_clock(call))
