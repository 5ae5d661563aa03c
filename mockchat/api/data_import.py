"""The import of users, which carries many in one request (reference section 15.5)."""

from typing import Any

from mockchat.api import requests
from mockchat.api.access import Access
from mockchat.api.operation import Call, OperationTable
from mockchat.api.schemas import ImportSchema, UserSchema, compile_dump, profile
from mockchat.api.users import user_changes
from mockchat.api.validation import MAX_BODY, Loader, refuse
from mockchat.core.entities import DEFAULT_ROLE, User
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.limits import IMPORT_LIMIT

table = OperationTable(access=Access.FULL_KEY, evidence=Evidence.DOCUMENTED)

_load = Loader(requests.UserImport)
_printed = compile_dump(UserSchema)


@table.post(
    "/data_import/users",
    body=requests.UsersToImport,
    returns=ImportSchema,
    limit=IMPORT_LIMIT,
    max_body=requests.MAX_IMPORTED * MAX_BODY,
)
def import_users(call: Call) -> dict[str, Any]:
    """Create many users at once; the answer tells of each whether it was created."""
    done: dict[str, Any] = {}
    for uid, values in call.body["users"].items():
        try:
            done[uid.lower()] = {
                "success": True,
                "data": _printed(profile(_add(call, uid, values))),
            }
        except ApiError as error:
            done[uid.lower()] = {"success": False, "error": _told(error)}
    return done


def _add(call: Call, uid: str, values: Any) -> User:
    """Add a user of an import; raise ApiError where it cannot be created."""
    if not isinstance(values, dict):
        raise refuse(uid, "object")
    if str(values.get("uid", uid)).lower() != uid.lower():
        raise refuse("uid", "plain", reason="must be the key that holds the user")
    app, body = call.app, _load({**values, "uid": uid})
    app.check_user_quota()
    changes = {"role": DEFAULT_ROLE, **user_changes(app, body)}
    created_at = body.get("created_at") or app.now
    active_at = body.get("last_active_at")
    return app.add_user(
        User(body["uid"], created_at=created_at, last_active_at=active_at, **changes)
    )


def _told(error: ApiError) -> dict[str, Any]:
    """Return the error of one user; the service's own ERR_IMPORT_* codes are not known by name."""
    face = error.definition.live
    told = {"code": face.code, "message": face.message.format_map(error.values)}
    return told | ({"details": error.details} if error.details else {})
