"""Friends and blocked users, by api key with a uid in the path, by auth token without one.

(Reference section 8; the client's paths are those of the SDKs.)
"""

from collections.abc import Callable, Iterable
from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.access import Access
from mockchat.api.operation import PATH_UID_ERRORS, Ack, Call, Operation, OperationTable, Page
from mockchat.api.schemas import profile
from mockchat.core import errors
from mockchat.core.entities import BlocksChanged, User, UserCaller, by_order
from mockchat.core.errors import Evidence
from mockchat.core.relations import MAX_FRIENDS, befriend, block, unblock, unfriend
from mockchat.core.state import App
from mockchat.core.user_list import UserFilter

table = OperationTable(access=Access.FULL_KEY, returns=schemas.UserSchema, errors=PATH_UID_ERRORS)

_FRIENDS, _BLOCKED = "/users/{uid}/friends", "/users/{uid}/blockedusers"

_NO_USER = "The uid {uid} does not exist, please make sure you have created a uid with uid {uid}."
_BOTH, _BLOCKED_BY_ME, _HAS_BLOCKED_ME = "both", "blockedByMe", "hasBlockedMe"


def _subject(call: Call) -> User:
    """Return the user that has the relations: the caller, or for a key the one in the path."""
    if isinstance(call.caller, UserCaller):
        return call.caller.user
    return call.user_in_path()


def _each(call: Call, act: Callable[[User], tuple[bool, str]]) -> dict[str, dict[str, Any]]:
    """Return the outcome for each uid; `act` returns whether it changed anything, and a text."""
    done = {}
    for uid in call.body["uids"]:
        user = call.app.find_user(uid)
        success, text = False, _NO_USER.format(uid=uid)
        if user and user.deactivated_at is None:
            success, text = act(user)
        done[uid] = {"success": success, "message": text}
    return done


def _related(call: Call, keys: Iterable[str]) -> list[User]:
    """Return the users of these keys that match the query, the newest first."""
    wanted = UserFilter(search_key=call.query.get("search_key") or "")
    users = [user for key in keys if (user := call.app.find_user(key)) and wanted.matches(user)]
    return sorted(users, key=by_order, reverse=True)


def _page(call: Call, users: list[User], viewer: User) -> Page:
    """Return a page of a relation list, which the live service does not count."""
    page = call.page(users)
    return page._replace(
        items=[profile(user, viewer=viewer, tags=False) for user in page.items],
        total=None,
        more=page.page * page.per_page < len(users),
        cursor=call.app.newest_change(),
    )


@table.post(
    _FRIENDS,
    body=requests.FriendsToAdd,
    returns=schemas.FriendAcksSchema,
    errors=(*PATH_UID_ERRORS, errors.SELF_FRIEND, errors.ALREADY_FRIEND, errors.QUOTA_REACHED),
    evidence=Evidence.DOCUMENTED,
)
def add_friends(call: Call) -> dict[str, Any]:
    """Make users friends of a user."""
    app, user = call.app, _subject(call)
    if user.key in map(str.lower, call.body["uids"]):
        raise errors.SELF_FRIEND()
    others = [app.find_user(uid) for uid in call.body["uids"]]
    known = [other for other in others if other and other.key in user.friends]
    if len(known) == len(others):
        raise errors.ALREADY_FRIEND(uid=known[0].key, fuid=user.key)
    new = sum(other is not None and other.key not in user.friends for other in others)
    if len(user.friends) + new > MAX_FRIENDS:  # all or none: a refusal changes nothing
        raise errors.QUOTA_REACHED(feature="Add Friend", quota=MAX_FRIENDS)

    def act(other: User) -> tuple[bool, str]:
        if other.key in user.friends:
            text = errors.ALREADY_FRIEND.live.message
            return False, text.format(uid=other.key, fuid=user.key)
        if len(other.friends) >= MAX_FRIENDS:
            return False, f"The UID {other.key} has {MAX_FRIENDS} friends and can have no more."
        befriend(app, user, other)
        return True, "Created relationship with status accepted."

    return {"accepted": _each(call, act)}


@table.get(_FRIENDS, query=requests.FriendList, evidence=Evidence.DOCUMENTED)
def list_friends(call: Call) -> Page:
    """List a user's friends, the newest user first."""
    user = _subject(call)
    return _page(call, _related(call, user.friends), user)


@table.delete(
    _FRIENDS,
    body=requests.FriendsToRemove,
    errors=(*PATH_UID_ERRORS, errors.NOT_A_FRIEND),
    evidence=Evidence.DOCUMENTED,
)
def remove_friends(call: Call) -> Ack:
    """End friendships of a user."""
    user, uids = _subject(call), [uid.lower() for uid in call.body["uids"]]
    if user.friends.isdisjoint(uids):
        raise errors.NOT_A_FRIEND(uid=uids[0], fuid=user.key)
    for uid in uids:
        if other := call.app.find_user(uid):
            unfriend(call.app, user, other)
    # The misspelling is the live service's.
    return Ack("Deleted the friend relations succussfully")


@table.post(
    _BLOCKED,
    body=requests.UsersToBlock,
    returns=schemas.AcksSchema,
    errors=(*PATH_UID_ERRORS, errors.SELF_BLOCK),
)
def block_users(call: Call) -> dict[str, Any]:
    """Block users on behalf of a user."""
    user = _subject(call)
    if user.key in map(str.lower, call.body["uids"]):
        raise errors.SELF_BLOCK(uid=user.key)
    return _change_blocks(call, block, "has blocked", "has already blocked")


def _change_blocks(
    call: Call, change: Callable[[App, User, User], bool], done: str, not_done: str
) -> dict[str, Any]:
    """Return the outcome for each uid; tell the app of those that changed."""
    app, user = call.app, _subject(call)
    changed: list[User] = []

    def act(other: User) -> tuple[bool, str]:
        if not change(app, user, other):
            return False, f"The user with UID {user.key} {not_done} user with UID {other.key}."
        changed.append(other)
        return True, f"The user with UID {user.key} {done} user with UID {other.key} successfully."

    outcome = _each(call, act)
    if changed:
        app.emit(BlocksChanged(app.id, user, tuple(changed), blocked=change is block))
    return outcome


@table.get(_BLOCKED, query=requests.BlockedList)
def list_blocked_users(call: Call) -> Page:
    """List the users that a user blocked, or that blocked it, the oldest block first."""
    user = _subject(call)
    by_token = isinstance(call.caller, UserCaller)
    direction = call.query.get("direction") or (_BOTH if by_token else _BLOCKED_BY_ME)
    keys: set[str] = set()
    if direction in (_BOTH, _BLOCKED_BY_ME):
        keys |= user.blocked.keys()
    if direction in (_BOTH, _HAS_BLOCKED_ME):
        keys |= user.blocked_by
    users = _related(call, keys)
    users.sort(
        key=lambda other: (user.blocked.get(other.key) or other.blocked[user.key], other.key)
    )
    return _page(call, users, user)


@table.delete(_BLOCKED, body=requests.UsersToBlock, returns=schemas.AcksSchema)
def unblock_users(call: Call) -> dict[str, Any]:
    """Unblock users on behalf of a user."""
    return _change_blocks(call, unblock, "has unblocked", "has not blocked the")


def _for_clients(row: Operation) -> Operation:
    """Return the operation for a client, whose auth token names the user."""
    path = row.path.removeprefix("/users/{uid}")
    may_fail = tuple(error for error in row.errors if error not in PATH_UID_ERRORS)
    return row._replace(
        path=path, access=Access.TOKEN, errors=may_fail, evidence=Evidence.DOCUMENTED
    )


table.rows += [_for_clients(row) for row in table.rows]
