"""Control actions on logins: hold them open, so that what happens meanwhile can be tested."""

from typing import Any

from mockchat.api.operation import CONTROL_PREFIX, Access, Call, OperationTable
from mockchat.control.answers import LoginsSchema
from mockchat.control.requests import HoldQuery, HoldRequest
from mockchat.core.errors import Evidence

table = OperationTable(access=Access.CONTROL, returns=LoginsSchema, evidence=Evidence.ASSUMED)

_LOGINS = f"{CONTROL_PREFIX}/logins"


def _shown(call: Call) -> dict[str, Any]:
    return {
        "held": {app.id: [uid or "*" for uid in app.holds.uids] for app in call.apps},
        "waiting": {app.id: list(app.holds.waiting) for app in call.apps},
    }


@table.get(_LOGINS, query=HoldQuery)
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


@table.post(_LOGINS, body=HoldRequest)
def hold_logins(call: Call) -> dict[str, Any]:
    """Keep the logins of a uid, or of everybody, open from now on.

    They are in progress until they are released: another one meanwhile is refused.
    """
    for app in call.apps:
        app.holds.hold(call.body.get("uid") or None)
    return _shown(call)


@table.delete(_LOGINS, body=HoldRequest)
def release_logins(call: Call) -> dict[str, Any]:
    """Let the logins of a uid go on, without one all of them."""
    uid = call.body.get("uid")
    for app in call.apps:
        if uid:
            app.holds.release(uid)
        else:
            app.holds.release_all()
    return _shown(call)
