"""Schemas of the bodies and queries that operations take."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from marshmallow import Schema
from marshmallow.fields import Raw

from mockchat.api import fields
from mockchat.api.fields import MAX_NAME, MAX_TAGS
from mockchat.api.operation import DEFAULT_PER_PAGE
from mockchat.api.validation import RequestSchema, declared
from mockchat.core.entities import DEFAULT_PREFERENCES, Scope
from mockchat.core.state import MAX_UID_LENGTH

MAX_PER_PAGE = 1000
MAX_DESCRIPTION = 255
MAX_FRIENDS_AT_ONCE = 25
MAX_IMPORTED = 50  # users in one request
MAX_UIDS = 25  # as `setUIDs` of the SDKs says
MAX_PUSH_TOKEN = 4096
_MANY = 10**9

_request = partial(declared, RequestSchema)
_second = partial(fields.Whole, 0, 10**11)


class Anything(RequestSchema):
    """The fields of an operation that mockchat does not build: all of them, as they are."""

    AS_SENT: ClassVar = True


class Paging(RequestSchema):
    """Which page of a list; SDKs send `per_page`, back ends `perPage`.

    Android SDKs ask for page -1 first, and an app's `setLimit(0)` for no entries at all.
    """

    page = fields.Whole(1, _MANY, below=1, load_default=1)
    per_page = fields.Whole(
        1,
        MAX_PER_PAGE,
        below=DEFAULT_PER_PAGE,
        load_default=DEFAULT_PER_PAGE,
        metadata={"aliases": ("per_page",)},
    )


TimeSpan = _request(
    "TimeSpan", "A span of unix seconds.", **{key: _second() for key in ("from", "to")}
)


class UserList(Paging):
    """The query of a user list; all its filters must hold."""

    search_key = fields.String()
    search_in = fields.Strings(commas=True, choices=("uid", "name"))
    status = fields.Strings(commas=True, choices=("available", "online", "offline"))
    role = fields.String()
    roles = fields.Strings(commas=True)
    tags = fields.Strings(commas=True)
    uids = fields.Strings(commas=True, longest=MAX_UID_LENGTH, most=MAX_UIDS)
    with_tags = fields.Flag(load_default=False)
    with_deactivated = fields.Flag(load_default=False)
    only_deactivated = fields.Flag(load_default=False)
    friends_only = fields.Flag(load_default=False)
    hide_blocked = fields.Flag(data_key="hideBlockedUsers", load_default=False)
    created = fields.Object(TimeSpan, data_key="createdAt")
    updated = fields.Object(TimeSpan, data_key="updatedAt")
    sort_by = fields.Choice(("name", "status"))
    sort_order = fields.Choice(("asc", "desc"))
    count = fields.Flag(load_default=False)


class ApiKeyList(Paging):
    """The query of an api key list; a scope that does not exist finds nothing."""

    search_key = fields.String()
    scope = fields.String()


class ApiKeyUpdate(RequestSchema):
    """The body that changes an api key."""

    name = fields.String(filled=True, maximum=MAX_NAME)
    scope = fields.Choice(tuple(Scope), filled=True)


class ApiKeyCreate(RequestSchema):
    """The body that creates an api key."""

    name = fields.String(required=True, maximum=MAX_NAME)
    scope = fields.Choice(tuple(Scope), filled=True, load_default=Scope.AUTH_ONLY)


class _RoleDetails(RequestSchema):
    """The details of a role."""

    description = fields.String(maximum=MAX_DESCRIPTION)
    metadata = fields.Metadata()
    settings = fields.Metadata()


class RoleUpdate(_RoleDetails):
    """The body that changes a role; `unset` removes fields by name."""

    name = fields.String(filled=True, maximum=MAX_NAME)
    unset = fields.Strings(choices=("settings", "description", "metadata"))


class RoleCreate(_RoleDetails):
    """The body that creates a role."""

    role = fields.Uid(required=True)
    name = fields.String(required=True, maximum=MAX_NAME)


class FriendList(Paging):
    """The query of a friend list."""

    search_key = fields.String()


class BlockedList(FriendList):
    """The query of a blocked-user list."""

    direction = fields.Choice(("both", "blockedByMe", "hasBlockedMe"))


def _users(name: str, note: str, key: str, most: int | None = None) -> type[Schema]:
    """Return the schema of a body that lists users."""
    return _request(
        name, note, uids=fields.Strings(required=True, once=True, data_key=key, most=most)
    )


FriendsToAdd = _users(
    "FriendsToAdd", "The body that makes friends.", "accepted", MAX_FRIENDS_AT_ONCE
)
FriendsToRemove = _users("FriendsToRemove", "The body that ends friendships.", "friends")
UsersToBlock = _users("UsersToBlock", "The body that blocks or unblocks users.", "blockedUids")
UsersToDeactivate = _users(
    "UsersToDeactivate", "The body that deactivates users.", "uidsToDeactivate"
)
UsersToReactivate = _users(
    "UsersToReactivate", "The body that reactivates users.", "uidsToActivate"
)
UserDelete = _request(
    "UserDelete", "The body that deletes a user.", permanent=fields.Flag(load_default=False)
)


class _Profile(RequestSchema):
    """The profile of a user; the empty value of a field removes it."""

    avatar = fields.Url()
    link = fields.Url()
    status_message = fields.String()
    metadata = fields.Metadata()
    tags = fields.Strings(most=MAX_TAGS)


class UserCreate(_Profile):
    """The body that creates a user."""

    UID_ERRORS: ClassVar = True
    uid = fields.Uid(required=True)
    name = fields.String(required=True, maximum=MAX_NAME)
    role = fields.String(maximum=MAX_NAME)
    with_auth_token = fields.Flag(load_default=False)


class UserImport(UserCreate):
    """A user of an import, which may bring its times."""

    created_at = fields.Whole(1, 10**11)
    last_active_at = fields.Whole(1, 10**11)


UsersToImport = _request(
    "UsersToImport",
    "The body that imports users, by their uids.",
    users=fields.ObjectsByKey(MAX_IMPORTED, required=True),
)


class UserUpdate(_Profile):
    """The body that changes a user; `unset` removes fields by name."""

    name = fields.String(filled=True, maximum=MAX_NAME)
    role = fields.String(filled=True, maximum=MAX_NAME)
    unset = fields.Strings(choices=("avatar", "link", "metadata"))


class Device(RequestSchema):
    """A client's description of itself."""

    platform = fields.String()
    user_agent = fields.String()
    device_id = fields.String()
    app_info = fields.AnyJson()


class TokenCreate(Device):
    """The body that creates an auth token; `force` mints another beside a valid one."""

    force = fields.Flag(load_default=False)


class MeUpdate(_Profile, Device):
    """The body of `PUT /me`: a login, a change of one's own profile, or a push token."""

    name = fields.String(filled=True, maximum=MAX_NAME)
    unset = fields.Strings(choices=("avatar", "link", "metadata"))
    push_notification = fields.AnyJson()  # no login


_OF_DEVICE = Device().fields
_CHANGES = frozenset(
    name
    for attribute, one in MeUpdate().fields.items()
    if attribute not in _OF_DEVICE
    for name in (attribute, one.data_key or attribute)
)


_OF_PUSH = frozenset(("app_info", "appInfo", "push_notification", "pushNotification"))


def only_logs_in(body: Mapping[str, Any]) -> bool:
    """Whether the body of a `PUT /me`, loaded or not, describes the client and changes nothing.

    That is the login of an SDK, or its return after a reload.
    """
    return _CHANGES.isdisjoint(body) and not push_token_in(body)


def push_token_in(body: Mapping[str, Any]) -> str | None:
    """Return the push token that a body of `PUT /me`, loaded or not, registers.

    SDKs put it into `appInfo` or beside it.
    """
    if _OF_PUSH.isdisjoint(body):
        return None
    info = body.get("app_info") or body.get("appInfo")
    beside = body.get("push_notification") or body.get("pushNotification")
    found = _object(_object(info).get("pushNotification") or beside).get("fcmDeviceToken")
    return found if isinstance(found, str) and found else None


def _object(value: Any) -> dict[str, Any]:
    """Return the JSON object that `value` is, or is the text of; else an empty one."""
    found = fields.parsed(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


JwtRequest = _request(
    "JwtRequest",
    "The body that asks for a JWT; `passthrough` travels in it.",
    passthrough=fields.Metadata(),
)
SessionReport = _request(
    "SessionReport",
    "The telemetry of a session; mockchat keeps nothing of it.",
    session_id=fields.String(),
)
CallTokenCreate = _request(
    "CallTokenCreate",
    "The body that asks for a call token.",
    session_id=fields.String(required=True),
)
OnlineMembersAsked = _request(
    "OnlineMembersAsked",
    "The body that asks for counts; `groups` are guids.",
    groups=fields.Strings(most=MAX_PER_PAGE),
)
PreferencesUpdate = _request(
    "PreferencesUpdate",
    "The body that changes notification preferences; unknown ones are ignored.",
    **{
        name: fields.Metadata() if isinstance(value, dict) else fields.Flag()
        for name, value in DEFAULT_PREFERENCES.items()
    },
)
TimeZoneUpdate = _request(
    "TimeZoneUpdate",
    "The body that sets a time zone.",
    timezone=fields.String(required=True, maximum=MAX_NAME),
)


class PushTokenOwner(RequestSchema):
    """The body that names the owner of push tokens, where the caller has an api key."""

    auth_token = fields.String()


class PushTokenCreate(PushTokenOwner):
    """The body that registers a push token; the platform decides which field holds it."""

    platform = fields.String(required=True, maximum=MAX_NAME)
    fcm_token = fields.String(maximum=MAX_PUSH_TOKEN)
    device_token = fields.String(maximum=MAX_PUSH_TOKEN)
    voip_token = fields.String(maximum=MAX_PUSH_TOKEN)


# Credentials may be numbers, and a wrong one is refused as a credential, not as a field.
_credential = partial(Raw, allow_none=True, metadata=fields.String().metadata)


class LogoutRequest(RequestSchema):
    """The body of a logout."""

    auth_token = _credential()


class LoginRequest(LogoutRequest, Device):
    """The body of a login; the operation decides which of its fields count."""

    uid = Raw(allow_none=True, metadata=fields.Uid().metadata)
    auth_key = _credential()
    api_key = _credential()


class LoginUid(RequestSchema):
    """The rules for the uid of a login."""

    UID_ERRORS: ClassVar = True
    uid = fields.Uid(required=True)
