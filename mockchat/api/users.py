"""Users: create, import, list, get, update, delete, (de)activate (reference section 5)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.access import Access
from mockchat.api.operation import PATH_UID_ERRORS, Ack, Call, OperationTable, Page
from mockchat.api.schemas import Profile, print_user, profile
from mockchat.api.validation import MAX_BODY, Loader, refuse
from mockchat.core import errors
from mockchat.core.entities import DEFAULT_ROLE, User, UserCaller
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.limits import CORE_LIMIT, IMPORT_LIMIT
from mockchat.core.state import App, as_in_path
from mockchat.core.user_list import Span, UserFilter, selecting

table = OperationTable(access=Access.FULL_KEY, returns=schemas.UserSchema)

_USERS, _USER = "/users", "/users/{uid}"
_load_imported = Loader(requests.UserImport)
_OF_CLIENTS = ("status", "name", "uid")  # the order of a client's list, as the SDK pages say


def user_changes(app: App, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a user that a body sets, emptied ones as None.

    An empty avatar, link, metadata or status message removes it, as SDKs rely on
    (sdk-wire section 3, UpdateUser).
    """
    known = ("name", "avatar", "link", "role", "status_message", "metadata")
    changes = {name: body[name] or None for name in known if name in body}
    if "tags" in body:
        changes["tags"] = body["tags"] or []
    role = str(changes.pop("role", None) or "").lower()
    if role:
        if role not in app.roles:
            raise refuse("role", "exists")
        changes["role"] = role
    for name in body.get("unset") or ():
        changes[name] = None
    return changes


@table.post(
    _USERS,
    access=Access.ANY_KEY,
    body=requests.UserCreate,
    errors=(
        errors.UID_INVALID,
        errors.UID_WITH_SPACE,
        errors.UID_ALREADY_EXISTS,
        errors.QUOTA_REACHED,
    ),
    limit=CORE_LIMIT,
    admits=App.check_user_quota,
)
def create_user(call: Call) -> Profile:
    """Create a user."""
    app, body = call.app, call.body
    values = {"role": DEFAULT_ROLE, **user_changes(app, body)}
    user = app.add_user(User(uid=body["uid"], created_at=app.now, **values))
    # SDKs adopt any auth token they see: it comes only when asked for (sdk-wire 1.4).
    return profile(user, auth_token=app.issue_token(user) if body["with_auth_token"] else None)


@table.get(
    _USERS,
    access=Access.FULL_KEY_OR_TOKEN,
    query=requests.UserList,
    errors=(errors.ON_BEHALF_OF_NOT_FOUND,),
    headers=("onBehalfOf",),
)
async def list_users(call: Call) -> Page | dict[str, int]:
    """List users, the newest first, to a client by status, name and uid; or count them."""
    app, query, viewer = call.app, call.query, viewer_of(call)
    by_client = isinstance(call.caller, UserCaller)
    wanted = _filter(query, viewer, _OF_CLIENTS if by_client else ())
    if wanted.is_plain:  # the cost of a page, however many users there are
        page, per_page = call.paging
        found = app.list_users(page, per_page, but=viewer)
        rows = Page(list(found), page, per_page, app.count_users(but=viewer))
    else:
        rows = call.page(await call.in_turns(selecting(app, wanted)))
    if query["count"]:
        return {"count": rows.total or 0}
    tags = bool(query["with_tags"])
    shown = [profile(user, viewer=viewer, tags=tags) for user in rows.items]
    return rows._replace(items=shown, cursor=app.newest_change())


def _filter(query: Mapping[str, Any], viewer: User | None, order: tuple[str, ...]) -> UserFilter:
    deactivated = None if query["with_deactivated"] else False
    if query["only_deactivated"]:
        deactivated = True
    roles = [*(query.get("roles") or ()), *filter(None, [query.get("role")])]
    return UserFilter(
        search_key=query.get("search_key") or "",
        search_in=tuple(query.get("search_in") or ()) or ("uid", "name"),
        # On the wire, the status `online` of the SDKs is `available`.
        statuses=tuple(
            "available" if status == "online" else status for status in query.get("status") or ()
        ),
        roles=tuple(role.lower() for role in roles),
        tags=tuple(query.get("tags") or ()),
        uids=tuple(query.get("uids") or ()),
        created=_span(query.get("created")),
        updated=_span(query.get("updated")),
        deactivated=deactivated,
        friends_only=bool(query["friends_only"]),
        hide_blocked=bool(query["hide_blocked"]),
        sort_by=(query["sort_by"],) if query.get("sort_by") else order,
        descending=query.get("sort_order") == "desc",
        viewer=viewer.key if viewer else "",
    )


def _span(bounds: Mapping[str, int | None] | None) -> Span:
    return Span(bounds.get("from"), bounds.get("to")) if bounds else Span()


def viewer_of(call: Call) -> User | None:
    """Return the user that the call acts for: the client's, or the one in `onBehalfOf`.

    A list of users leaves this user out. Raises ON_BEHALF_OF_NOT_FOUND.
    """
    if isinstance(call.caller, UserCaller):
        return call.caller.user
    acted_for = call.headers.get("onBehalfOf", "").strip()
    user = call.app.find_user(acted_for) if acted_for else None
    if acted_for and (user is None or user.deactivated_at is not None):
        raise errors.ON_BEHALF_OF_NOT_FOUND(uid=as_in_path(acted_for))
    return user


@table.get(
    _USER,
    access=Access.FULL_KEY_OR_TOKEN,
    errors=(*PATH_UID_ERRORS, errors.ON_BEHALF_OF_NOT_FOUND),
    headers=("onBehalfOf",),
)
def get_user(call: Call) -> Profile:
    """Get a user."""
    return profile(call.user_in_path(), viewer=viewer_of(call))


# Four SDK pages update users with the auth key; the recordings have a full-access key only.
@table.put(
    _USER,
    access=Access.ANY_KEY,
    body=requests.UserUpdate,
    errors=PATH_UID_ERRORS,
    evidence=Evidence.DOCUMENTED,
)
def update_user(call: Call) -> Profile:
    """Update a user."""
    user = call.user_in_path()
    return profile(call.app.update_user(user, user_changes(call.app, call.body)))


@dataclass(slots=True, eq=False, repr=False)
class Activation:
    """The uids by outcome; `not_found` keeps the case of the request."""

    deactivated: list[str] = field(default_factory=list)
    already_deactivated: list[str] = field(default_factory=list)
    reactivated: list[str] = field(default_factory=list)
    not_deactivated: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)


@table.delete(
    _USER,
    body=requests.UserDelete,
    returns=schemas.ActivationSchema,
    errors=PATH_UID_ERRORS,
    limit=CORE_LIMIT,
)
def delete_user(call: Call) -> Ack | Activation:
    """Delete a user for good, or deactivate it."""
    # A deactivated user is found, too: deleting it for good is the way to free its uid.
    user = call.app.find_user(call.path["uid"]) or call.user_in_path()
    if call.body["permanent"]:
        call.app.delete_user(user)
        return Ack(f"User with UID {user.key} has been deleted successfully.")
    done = Activation()
    _deactivate(call.app, user, done)
    return done


@table.delete(
    _USERS,
    body=requests.UsersToDeactivate,
    returns=schemas.ActivationSchema,
    evidence=Evidence.DOCUMENTED,
)
def deactivate_users(call: Call) -> Activation:
    """Deactivate users."""
    done = Activation()
    for user in _found(call, done):
        _deactivate(call.app, user, done)
    return done


def _deactivate(app: App, user: User, done: Activation) -> None:
    if user.deactivated_at is not None:
        done.already_deactivated.append(user.key)
    else:
        app.deactivate_user(user)
        done.deactivated.append(user.key)


@table.put(_USERS, body=requests.UsersToReactivate, returns=schemas.ActivationSchema)
def reactivate_users(call: Call) -> Activation:
    """Reactivate users."""
    done = Activation()
    for user in _found(call, done):
        if user.deactivated_at is None:
            done.not_deactivated.append(user.key)
        else:
            call.app.reactivate_user(user)
            done.reactivated.append(user.key)
    return done


def _found(call: Call, done: Activation) -> Iterator[User]:
    """Yield the users that the body names; add the other uids to `not_found`."""
    for uid in call.body["uids"]:
        if user := call.app.find_user(uid):
            yield user
        else:
            done.not_found.append(uid)


# --- the import, which carries many users in one request (reference section 15.5) ------------
@table.post(
    "/data_import/users",
    body=requests.UsersToImport,
    returns=schemas.ImportSchema,
    evidence=Evidence.DOCUMENTED,
    limit=IMPORT_LIMIT,
    max_body=requests.MAX_IMPORTED * MAX_BODY,
)
def import_users(call: Call) -> dict[str, Any]:
    """Create many users at once; the answer tells of each whether it was created."""
    done: dict[str, Any] = {}
    for uid, values in call.body["users"].items():
        try:
            shown = print_user(profile(_imported(call, uid, values)), call.server_url)
            done[uid.lower()] = {"success": True, "data": shown}
        except ApiError as error:
            done[uid.lower()] = {"success": False, "error": _told(error)}
    return done


def _imported(call: Call, uid: str, values: Any) -> User:
    """Add a user of an import; raise ApiError where it cannot be created."""
    if not isinstance(values, dict):
        raise refuse(uid, "object")
    if str(values.get("uid", uid)).lower() != uid.lower():
        raise refuse("uid", "plain", reason="must be the key that holds the user")
    app, body = call.app, _load_imported({**values, "uid": uid})
    app.check_user_quota()
    changes = {"role": DEFAULT_ROLE, **user_changes(app, body)}
    changes["last_active_at"] = body.get("last_active_at")
    created_at = body.get("created_at") or app.now
    return app.add_user(User(body["uid"], created_at=created_at, **changes))


def _told(error: ApiError) -> dict[str, Any]:
    """Return the error of one user; the service's own ERR_IMPORT_* codes are not known by name."""
    face = error.definition.live
    told = {"code": face.code, "message": face.message.format_map(error.values)}
    return told | ({"details": error.details} if error.details else {})
