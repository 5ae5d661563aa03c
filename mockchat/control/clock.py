"""Control actions on the clock of an app, or on all clocks."""

from datetime import UTC, datetime
from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import ClockSchema
from mockchat.control.requests import AppQuery, ClockRequest
from mockchat.core.clock import LATEST, Clock
from mockchat.core.errors import Evidence

table = OperationTable(access=Access.CONTROL, returns=ClockSchema, evidence=Evidence.ASSUMED)

_CLOCK = f"{CONTROL_PREFIX}/clock"


@table.get(_CLOCK, query=AppQuery)
def get_clock(call: Call) -> dict[str, Any]:
    """Get the time of an app, or of the server, which new apps follow."""
    clock = _clock(call)
    now = clock.now()
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return {"now": now, "time": time.replace("+00:00", "Z"), "frozen": clock.frozen}


def _clock(call: Call) -> Clock:
    return (call.only_app or call.server.store).clock


@table.patch(_CLOCK, body=ClockRequest)
def move_clock(call: Call) -> dict[str, Any]:
    """Freeze a clock (now, or `at` an instant), advance it, or resume it.

    Without an app, the clocks of all apps change, and new apps follow. Auth tokens, timestamps and
    rate-limit windows depend on them. `resume` comes first, `advance` last.
    """
    wish = call.body
    resume, freeze, at = bool(wish.get("resume")), bool(wish.get("freeze")), wish.get("at")
    try:
        _clock(call).move(resume=resume, freeze=freeze, at=at, advance=wish.get("advance") or 0.0)
    except ValueError:
        raise refuse("advance", "plain", reason=f"leads beyond {LATEST} unix seconds") from None
    return dict(get_clock(call))
