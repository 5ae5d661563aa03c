"""Friends and blocked users, by api key with a uid in the path, by auth token without one.

(Reference section 8; the client's paths are those of the SDKs.)
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.operation import (
    PATH_UID_ERRORS,
    Access,
    Ack,
    Call,
    Operation,
    OperationTable,
    Page,
    page_of,
)
from mockchat.api.schemas import profile
from mockchat.core import errors
from mockchat.core.entities import User, UserCaller
from mockchat.core.errors import Evidence
from mockchat.core.relations import MAX_FRIENDS, befriend, block, unblock, unfriend
from mockchat.core.state import App
from mockchat.core.user_list import UserFilter

table = OperationTable()

_BOTH, _BLOCKED_BY_ME, _HAS_BLOCKED_ME = "both", "blockedByMe", "hasBlockedMe"


def _subject(call: Call) -> User:
    """Return whose relations these are: the user of the path, else the caller."""
    if isinstance(call.caller, UserCaller):
        return call.caller.user
    return call.user_in_path()


def _each(
    app: App, uids: Iterable[str], act: Callable[[User], tuple[bool, str]]
) -> dict[str, dict[str, Any]]:
    """Return what became of each uid; `act` tells whether it did something, and what."""
    done = {}
    for uid in uids:
        user = app.find_user(uid)
        if user is None or user.deactivated_at is not None:
            text = (
                f"The uid {uid} does not exist, please make sure you have created a uid with uid "
                f"{uid}."
            )
            done[uid] = {"success": False, "message": text}
        else:
            success, text = act(user)
            done[uid] = {"success": success, "message": text}
    return done


def _page(call: Call, keys: Iterable[str], viewer: User) -> Page:
    """Return a page of a relation list, which the live service does not count."""
    wanted = UserFilter(search_key=call.query.get("search_key") or "")
    users = [user for key in keys if (user := call.app.find_user(key)) and wanted.matches(user)]
    users.sort(key=lambda user: user.order, reverse=True)
    page = page_of(users, call.query)
    return replace(
        page,
        items=[profile(user, viewer=viewer, tags=False) for user in page.items],
        total=None,
        more=page.page * page.per_page < len(users),
        cursor=call.app.newest_change(),
    )


@table.add(
    "POST",
    "/users/{uid}/friends",
    access=Access.FULL_KEY,
    body=requests.FriendsToAdd,
    returns=schemas.FriendAcksSchema,
    errors=(*PATH_UID_ERRORS, errors.SELF_FRIEND, errors.QUOTA_REACHED),
    evidence=Evidence.DOCUMENTED,
)
def add_friends(call: Call) -> dict[str, Any]:
    """Make users friends of a user."""
    app, user = call.app, _subject(call)
    if user.key in map(str.lower, call.body["uids"]):
        raise errors.SELF_FRIEND()
    others = (app.find_user(uid) for uid in call.body["uids"])
    new = sum(other is not None and other.key not in user.friends for other in others)
    if len(user.friends) + new > MAX_FRIENDS:  # all or none: a refusal changes nothing
        raise errors.QUOTA_REACHED(feature="Add Friend", limit=MAX_FRIENDS)

    def act(other: User) -> tuple[bool, str]:
        if other.key in user.friends:
            return False, f"The UID {other.uid} is already a friend of UID {user.uid}."
        if len(other.friends) >= MAX_FRIENDS:
            return False, f"The UID {other.uid} has {MAX_FRIENDS} friends and can have no more."
        befriend(app, user, other)
        return True, "Created relationship with status accepted."

    return {"accepted": _each(app, call.body["uids"], act)}


@table.add(
    "GET",
    "/users/{uid}/friends",
    access=Access.FULL_KEY,
    query=requests.FriendList,
    returns=schemas.UserSchema,
    errors=PATH_UID_ERRORS,
    evidence=Evidence.DOCUMENTED,
)
def list_friends(call: Call) -> Page:
    """List a user's friends, the newest user first."""
    user = _subject(call)
    return _page(call, user.friends, user)


@table.add(
    "DELETE",
    "/users/{uid}/friends",
    access=Access.FULL_KEY,
    body=requests.FriendsToRemove,
    returns=schemas.AckSchema,
    errors=PATH_UID_ERRORS,
    evidence=Evidence.DOCUMENTED,
)
def remove_friends(call: Call) -> Ack:
    """End friendships of a user."""
    user = _subject(call)
    for uid in call.body["uids"]:
        if other := call.app.find_user(uid):
            unfriend(call.app, user, other)
    # The slip of the pen is the vendor's.
    return Ack("Deleted the friend relations succussfully")


@table.add(
    "POST",
    "/users/{uid}/blockedusers",
    access=Access.FULL_KEY,
    body=requests.UsersToBlock,
    returns=schemas.AcksSchema,
    errors=(*PATH_UID_ERRORS, errors.SELF_BLOCK),
)
def block_users(call: Call) -> dict[str, Any]:
    """Let a user block others."""
    app, user = call.app, _subject(call)
    if user.key in map(str.lower, call.body["uids"]):
        raise errors.SELF_BLOCK(uid=user.uid)

    def act(other: User) -> tuple[bool, str]:
        done = block(app, user, other)
        verb = "has blocked" if done else "has already blocked"
        return done, f"The user with UID {user.uid} {verb} user with UID {other.uid}{_ending(done)}"

    return _each(app, call.body["uids"], act)


@table.add(
    "GET",
    "/users/{uid}/blockedusers",
    access=Access.FULL_KEY,
    query=requests.BlockedList,
    returns=schemas.UserSchema,
    errors=PATH_UID_ERRORS,
)
def list_blocked_users(call: Call) -> Page:
    """List whom a user blocked, or by whom it was blocked."""
    user = _subject(call)
    by_token = isinstance(call.caller, UserCaller)
    direction = call.query.get("direction") or (_BOTH if by_token else _BLOCKED_BY_ME)
    keys: set[str] = set()
    if direction in (_BOTH, _BLOCKED_BY_ME):
        keys |= user.blocked.keys()
    if direction in (_BOTH, _HAS_BLOCKED_ME):
        keys |= user.blocked_by
    return _page(call, keys, user)


@table.add(
    "DELETE",
    "/users/{uid}/blockedusers",
    access=Access.FULL_KEY,
    body=requests.UsersToBlock,
    returns=schemas.AcksSchema,
    errors=PATH_UID_ERRORS,
)
def unblock_users(call: Call) -> dict[str, Any]:
    """Let a user unblock others."""
    app, user = call.app, _subject(call)

    def act(other: User) -> tuple[bool, str]:
        done = unblock(app, user, other)
        verb = "has unblocked" if done else "has not blocked the"
        return done, f"The user with UID {user.uid} {verb} user with UID {other.uid}{_ending(done)}"

    return _each(app, call.body["uids"], act)


def _ending(done: bool) -> str:  # noqa: FBT001  # the one thing it is about
    return " successfully." if done else "."


def _for_clients(row: Operation) -> Operation:
    """Return the operation as a client calls it, about itself."""
    path = row.path.removeprefix("/users/{uid}")
    may_fail = tuple(error for error in row.errors if error not in PATH_UID_ERRORS)
    return row.at(row.method, path, access=Access.TOKEN, errors=may_fail)


table.rows += [_for_clients(row) for row in table.rows]
