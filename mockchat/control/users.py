"""Control actions on users: any operation of a back end, the list of logins, held logins."""

import re
from itertools import islice
from typing import Any

from mockchat.api import OPERATIONS
from mockchat.api.access import Access
from mockchat.api.operation import Call, Operation
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.core import errors
from mockchat.core.entities import BACK_END, AuthToken
from mockchat.core.holds import MAX_HELD
from mockchat.core.journal import Exchange
from mockchat.core.state import App

table = requests.ControlTable()

_BY_KEY = (Access.ANY_KEY, Access.FULL_KEY, Access.FULL_KEY_OR_TOKEN)
_OF_BACK_ENDS: dict[str, Operation] = {}
for _row in OPERATIONS:
    if _row.access in _BY_KEY:
        _OF_BACK_ENDS.setdefault(_row.id, _row)
_ERRORS = dict.fromkeys(error for row in _OF_BACK_ENDS.values() for error in row.errors)


@table.post(
    "/operations/{operation}",
    body=requests.PerformRequest,
    returns=answers.PerformedSchema,
    errors=(errors.MOCK_NOT_FOUND, *_ERRORS),
    only_reads=True,  # the operation itself tells of a change
)
async def perform_operation(call: Call) -> dict[str, Any]:
    """Carry out an operation as a back end with full access, without a trace in the journal.

    No fault strikes it, and it counts for no rate limit. The operation is named as
    in the journal: `list_users`, `create_auth_token` …
    """
    name, body = call.path["operation"], call.body
    operation = _OF_BACK_ENDS.get(name)
    if operation is None:
        raise requests.not_found("operation of back ends", name, _OF_BACK_ENDS)
    path, wanted = body.get("path") or {}, re.findall(r"{(\w+)}", operation.path)
    if path.keys() != {*wanted} or not all(isinstance(one, str) and one for one in path.values()):
        reason = f"must have {', '.join(wanted) or 'nothing'}, as texts"
        raise refuse("path", "plain", reason=reason)
    query, given = body.get("query") or {}, body.get("body") or {}
    found = await call.server.perform(
        name, call.app.id, BACK_END, path=path, query=query, body=given, sleep=call.sleep
    )
    return {"result": found["data"], **({"meta": found["meta"]} if "meta" in found else {})}


@table.get("/sessions", query=requests.SessionQuery, returns=answers.LoginSchema)
def list_sessions(call: Call) -> list[dict[str, Any]]:
    """List the auth tokens, newest first, with their devices and whether the owner is online."""
    uid, most = call.query.get("uid"), call.query["limit"] or requests.DEFAULT_LIMIT
    rows = [_shown(app, token) for app in call.apps for token in _tokens(app, uid, most)]
    return sorted(rows, key=lambda row: -row["createdAt"])[:most]


def _tokens(app: App, uid: str | None, most: int) -> list[AuthToken]:
    """Return the newest live auth tokens of a user or of all."""
    if uid:
        user = app.find_user(uid)
        return app.live_tokens(user) if user else []
    live = (one for value in reversed(list(app.tokens)) if (one := app.live_token(value)))
    return list(islice(live, most))


def _shown(app: App, token: AuthToken) -> dict[str, Any]:
    user = app.user(token.uid)
    shown = {
        "app": app.id,
        "uid": user.uid,
        "name": user.name,
        "authToken": token.value,
        "createdAt": token.created_at,
        "age": round(max(0.0, app.clock.now() - token.created_at), 3),
        "device": token.device or token.bound_to,
        "platform": token.platform,
        "online": user.sessions > 0,
    }
    return {name: value for name, value in shown.items() if value is not None}


# --- held logins ----------------------------------------------------------------------------
def _holds_of(call: Call) -> dict[str, Any]:
    return {
        "held": {app.id: [uid or "*" for uid in app.holds.uids] for app in call.apps},
        "waiting": {app.id: list(app.holds.waiting) for app in call.apps},
    }


@table.get("/logins", query=requests.HoldQuery, returns=answers.LoginsSchema)
async def list_logins(call: Call) -> dict[str, Any]:
    """List the held uids and the logins that wait now; `wait` waits for them."""
    query, uid = call.query, call.query.get("uid")
    if query.get("wait"):
        count = query["count"] or 1

        def are_there(_new: list[Exchange]) -> bool:
            return sum(app.holds.count(uid) for app in call.apps) >= count

        async with call.waiting():
            await call.server.store.journals.watchers.until(are_there, query["wait"])
    return _holds_of(call)


@table.post("/logins", body=requests.HoldRequest, returns=answers.LoginsSchema)
def hold_logins(call: Call) -> dict[str, Any]:
    """Hold the logins of a uid, or all logins, open.

    They are in progress until they are released, so a second login is refused.
    """
    apps = call.apps
    if any(len(app.holds.uids) >= MAX_HELD for app in apps):
        raise refuse("uid", "plain", reason=f"would be one of more than {MAX_HELD} held uids")
    for app in apps:
        app.holds.hold(call.body.get("uid"))
    return _holds_of(call)


@table.delete("/logins", body=requests.HoldRequest, returns=answers.LoginsSchema)
def release_logins(call: Call) -> dict[str, Any]:
    """Release the logins of a uid, or all logins."""
    uid = call.body.get("uid")
    for app in call.apps:
        if uid:
            app.holds.release(uid)
        else:
            app.holds.release_all()
    return _holds_of(call)
