"""Control actions on logins: hold them open, so that what happens meanwhile can be tested."""

from typing import Any

from mockchat.api.operation import CONTROL_PREFIX, Access, Call, OperationTable
from mockchat.control.answers import LoginsSchema
from mockchat.control.requests import HoldQuery, HoldRequest
from mockchat.core.errors import Evidence

table = OperationTable()

_LOGINS = f"{CONTROL_PREFIX}/logins"
_OURS: Any = {"access": Access.CONTROL, "evidence": Evidence.ASSUMED, "returns": LoginsSchema}


def _shown(call: Call) -> dict[str, Any]:
    return {
        "held": {app.id: [uid or "*" for uid in app.holds.uids] for app in call.apps},
        "waiting": {app.id: list(app.holds.waiting) for app in call.apps},
    }


@table.add("GET", _LOGINS, query=HoldQuery, **_OURS)
async def list_logins(call: Call) -> dict[str, Any]:
    """List whose logins are held and which wait now; `wait` for them if asked to."""
    query, uid = call.query, call.query.get("uid") or None
    if query.get("wait"):
        count = query["count"] or 1

        def are_there() -> bool:
            return sum(app.holds.count(uid) for app in call.apps) >= count

        async with call.waiting():
            await call.server.store.arrivals.until(are_there, query["wait"])
    return _shown(call)


@table.add("POST", _LOGINS, body=HoldRequest, **_OURS)
def hold_logins(call: Call) -> dict[str, Any]:
    """Keep the logins of a uid, or of everybody, open from now on.

    They are in progress until they are released: another one meanwhile is refused.
    """
    for app in call.apps:
        app.holds.hold(call.body.get("uid") or None)
    return _shown(call)


@table.add("DELETE", _LOGINS, body=HoldRequest, **_OURS)
def release_logins(call: Call) -> dict[str, Any]:
    """Let the logins of a uid go on, without one all of them."""
    uid = call.body.get("uid")
    for app in call.apps:
        if uid:
            app.holds.release(uid)
        else:
            app.holds.release_all()
    return _shown(call)
