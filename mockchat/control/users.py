"""Control actions on users: any operation of a back end, and the list of logins."""

import re
from itertools import islice
from typing import Any

from mockchat.api import OPERATIONS
from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, Operation, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import LoginSchema, PerformedSchema
from mockchat.control.requests import DEFAULT_LIMIT, PerformRequest, SessionQuery
from mockchat.core import errors
from mockchat.core.entities import BACK_END, AuthToken
from mockchat.core.errors import Evidence
from mockchat.core.state import App

table = OperationTable(access=Access.CONTROL, evidence=Evidence.ASSUMED)

_BY_KEY = (Access.ANY_KEY, Access.FULL_KEY, Access.FULL_KEY_OR_TOKEN)
_OF_BACK_ENDS: dict[str, Operation] = {}
for _row in OPERATIONS:
    if _row.access in _BY_KEY:
        _OF_BACK_ENDS.setdefault(_row.id, _row)
_ERRORS = dict.fromkeys(error for row in _OF_BACK_ENDS.values() for error in row.errors)


@table.post(
    f"{CONTROL_PREFIX}/operations/{{operation}}",
    body=PerformRequest,
    returns=PerformedSchema,
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
        raise errors.MOCK_NOT_FOUND(what="operation of back ends", name=name)
    path, wanted = body.get("path") or {}, re.findall(r"{(\w+)}", operation.path)
    if path.keys() != {*wanted} or not all(isinstance(one, str) and one for one in path.values()):
        reason = f"must have {', '.join(wanted) or 'nothing'}, as texts"
        raise refuse("path", "plain", reason=reason)
    query, given = body.get("query") or {}, body.get("body") or {}
    found = await call.server.perform(
        name, call.app.id, BACK_END, path=path, query=query, body=given
    )
    return {"result": found["data"], **({"meta": found["meta"]} if "meta" in found else {})}


@table.get(f"{CONTROL_PREFIX}/sessions", query=SessionQuery, returns=LoginSchema)
def list_sessions(call: Call) -> list[dict[str, Any]]:
    """List the auth tokens, newest first, with their devices and whether the owner is online."""
    rows = [_shown(app, token) for app in call.apps for token in _tokens(app, call)]
    return sorted(rows, key=lambda row: -row["createdAt"])[: call.query["limit"] or DEFAULT_LIMIT]


def _tokens(app: App, call: Call) -> list[AuthToken]:
    """Return the newest live auth tokens of a user or of all."""
    uid = call.query.get("uid")
    if uid:
        user = app.find_user(uid)
        return app.live_tokens(user) if user else []
    live = (one for value in reversed(list(app.tokens)) if (one := app.live_token(value)))
    return list(islice(live, call.query["limit"] or DEFAULT_LIMIT))


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
