"""Control actions on logins: hold them open for a test, and release them."""

from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import LoginsSchema
from mockchat.control.requests import HoldQuery, HoldRequest
from mockchat.core.errors import Evidence
from mockchat.core.holds import MAX_HELD
from mockchat.core.journal import Exchange

table = OperationTable(access=Access.CONTROL, returns=LoginsSchema, evidence=Evidence.ASSUMED)

_LOGINS = f"{CONTROL_PREFIX}/logins"


def _shown(call: Call) -> dict[str, Any]:
    return {
        "held": {app.id: [uid or "*" for uid in app.holds.uids] for app in call.apps},
        "waiting": {app.id: list(app.holds.waiting) for app in call.apps},
    }


@table.get(_LOGINS, query=HoldQuery)
async def list_logins(call: Call) -> dict[str, Any]:
    """List the held uids and the logins that wait now; `wait` waits for them."""
    query, uid = call.query, call.query.get("uid")
    if query.get("wait"):
        count = query["count"] or 1

        def are_there(_new: list[Exchange]) -> bool:
            return sum(app.holds.count(uid) for app in call.apps) >= count

        async with call.waiting():
            await call.server.store.journals.watchers.until(are_there, query["wait"])
    return _shown(call)


@table.post(_LOGINS, body=HoldRequest)
def hold_logins(call: Call) -> dict[str, Any]:
    """Hold the logins of a uid, or all logins, open.

    They are in progress until they are released, so a second login is refused.
    """
    apps = call.apps
    if any(len(app.holds.uids) >= MAX_HELD for app in apps):
        raise refuse("uid", "plain", reason=f"would be one of more than {MAX_HELD} held uids")
    for app in apps:
        app.holds.hold(call.body.get("uid"))
    return _shown(call)


@table.delete(_LOGINS, body=HoldRequest)
def release_logins(call: Call) -> dict[str, Any]:
    """Release the logins of a uid, or all logins."""
    uid = call.body.get("uid")
    for app in call.apps:
        if uid:
            app.holds.release(uid)
        else:
            app.holds.release_all()
    return _shown(call)
