"""Schemas of the bodies and queries that operations take."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from mockchat.api import json_text
from mockchat.api.fields import (
    MAX_NAME,
    MAX_TAGS,
    AnyJson,
    Choice,
    Flag,
    Metadata,
    Object,
    String,
    Strings,
    Uid,
    Url,
    Whole,
)
from mockchat.api.operation import DEFAULT_PER_PAGE
from mockchat.api.validation import RequestSchema
from mockchat.core import preferences
from mockchat.core.entities import Scope
from mockchat.core.state import MAX_UID_LENGTH

MAX_PER_PAGE = 1000
MAX_DESCRIPTION = 255
MAX_FRIENDS_AT_ONCE = 25
MAX_PUSH_TOKEN = 4096
_MANY = 10**9


class Paging(RequestSchema):
    """Which page of a list; SDKs send `per_page`, back ends `perPage`.

    Android SDKs ask for page -1 first, and an app's `setLimit(0)` for no entries at all.
    """

    page = Whole(1, _MANY, below=1, load_default=1)
    per_page = Whole(
        1,
        MAX_PER_PAGE,
        below=DEFAULT_PER_PAGE,
        data_key="perPage",
        load_default=DEFAULT_PER_PAGE,
        metadata={"aliases": ("per_page",)},
    )


_SECOND = Whole(0, 10**11)
TimeSpan = RequestSchema.from_dict({"from": _SECOND, "to": _SECOND}, name="TimeSpan")
TimeSpan.__doc__ = "A span of unix seconds."


class UserList(Paging):
    """The query of a user list; all its filters must hold."""

    search_key = String(data_key="searchKey")
    search_in = Strings(commas=True, data_key="searchIn", choices=("uid", "name"))
    status = Strings(commas=True, choices=("available", "online", "offline"))
    role = String()
    roles = Strings(commas=True)
    tags = Strings(commas=True)
    uids = Strings(commas=True, longest=MAX_UID_LENGTH)
    with_tags = Flag(data_key="withTags", load_default=False)
    with_deactivated = Flag(data_key="withDeactivated", load_default=False)
    only_deactivated = Flag(data_key="onlyDeactivated", load_default=False)
    friends_only = Flag(data_key="friendsOnly", load_default=False)
    hide_blocked = Flag(data_key="hideBlockedUsers", load_default=False)
    created = Object(TimeSpan, data_key="createdAt")
    updated = Object(TimeSpan, data_key="updatedAt")
    sort_by = Choice(("name", "status"), data_key="sortBy")
    sort_order = Choice(("asc", "desc"), data_key="sortOrder")
    count = Flag(load_default=False)


class ApiKeyList(Paging):
    """The query of an api key list; a scope that does not exist finds nothing."""

    search_key = String(data_key="searchKey")
    scope = String()


class ApiKeyUpdate(RequestSchema):
    """The body that changes an api key."""

    name = String(filled=True, maximum=MAX_NAME)
    scope = Choice(tuple(Scope), filled=True)


class ApiKeyCreate(RequestSchema):
    """The body that creates an api key."""

    name = String(required=True, maximum=MAX_NAME)
    scope = Choice(tuple(Scope), filled=True, load_default=Scope.AUTH_ONLY)


class RoleUpdate(RequestSchema):
    """The body that changes a role; `unset` removes fields by name."""

    name = String(filled=True, maximum=MAX_NAME)
    description = String(maximum=MAX_DESCRIPTION)
    metadata = Metadata()
    settings = Metadata()
    unset = Strings(choices=("settings", "description", "metadata"))


class RoleCreate(RequestSchema):
    """The body that creates a role."""

    role = Uid(required=True)
    name = String(required=True, maximum=MAX_NAME)
    description = String(maximum=MAX_DESCRIPTION)
    metadata = Metadata()
    settings = Metadata()


class FriendList(Paging):
    """The query of a friend list."""

    search_key = String(data_key="searchKey")


class BlockedList(FriendList):
    """The query of a blocked-user list."""

    direction = Choice(("both", "blockedByMe", "hasBlockedMe"))


class FriendsToAdd(RequestSchema):
    """The body that makes friends."""

    uids = Strings(required=True, once=True, data_key="accepted", most=MAX_FRIENDS_AT_ONCE)


class FriendsToRemove(RequestSchema):
    """The body that ends friendships."""

    uids = Strings(required=True, once=True, data_key="friends")


class UsersToBlock(RequestSchema):
    """The body that blocks or unblocks users."""

    uids = Strings(required=True, once=True, data_key="blockedUids")


class _Profile(RequestSchema):
    """The profile of a user; the empty value of a field removes it."""

    avatar = Url()
    link = Url()
    status_message = String(data_key="statusMessage")
    metadata = Metadata()
    tags = Strings(most=MAX_TAGS)


class UserCreate(_Profile):
    """The body that creates a user."""

    UID_ERRORS: ClassVar = True
    uid = Uid(required=True)
    name = String(required=True, maximum=MAX_NAME)
    role = String(maximum=MAX_NAME)
    with_auth_token = Flag(data_key="withAuthToken", load_default=False)


class UserUpdate(_Profile):
    """The body that changes a user; `unset` removes fields by name."""

    name = String(filled=True, maximum=MAX_NAME)
    role = String(filled=True, maximum=MAX_NAME)
    unset = Strings(choices=("avatar", "link", "metadata"))


class UserDelete(RequestSchema):
    """The body that deletes a user."""

    permanent = Flag(load_default=False)


class UsersToDeactivate(RequestSchema):
    """The body that deactivates users."""

    uids = Strings(required=True, once=True, data_key="uidsToDeactivate")


class UsersToReactivate(RequestSchema):
    """The body that reactivates users."""

    uids = Strings(required=True, once=True, data_key="uidsToActivate")


class Device(RequestSchema):
    """The description of a client by itself."""

    platform = String()
    user_agent = String(data_key="userAgent")
    device_id = String(data_key="deviceId")
    app_info = AnyJson(data_key="appInfo")


class TokenCreate(Device):
    """The body that creates an auth token; `force` mints another beside a valid one."""

    force = Flag(load_default=False)


class MeUpdate(_Profile, Device):
    """The body of `PUT /me`: a login, a change of one's own profile, or a push token."""

    name = String(filled=True, maximum=MAX_NAME)
    unset = Strings(choices=("avatar", "link", "metadata"))
    push_notification = AnyJson(data_key="pushNotification")  # registers a device, logs none in


_CHANGES = frozenset(
    name
    for attribute, one in MeUpdate().fields.items()
    if attribute not in Device().fields
    for name in (attribute, one.data_key or attribute)
)


def only_logs_in(body: Mapping[str, Any]) -> bool:
    """Whether the body of a `PUT /me`, loaded or not, tells of the client at most.

    That is the login of an SDK, or its return after a reload; anything else changes the user.
    """
    return _CHANGES.isdisjoint(body) and not push_token_in(body)


def push_token_in(body: Mapping[str, Any]) -> str | None:
    """Return the push token that a body of `PUT /me`, loaded or not, registers.

    SDKs put it into `appInfo`, beside which it may stand as well.
    """
    info = _object(body.get("app_info") or body.get("appInfo"))
    beside = body.get("push_notification") or body.get("pushNotification")
    found = _object(info.get("pushNotification") or beside).get("fcmDeviceToken")
    return found if isinstance(found, str) and found else None


def _object(value: Any) -> dict[str, Any]:
    """Return the JSON object that `value` is, or is the text of; else an empty one."""
    if isinstance(value, str):
        try:
            value = json_text.parse(value)
        except ValueError:
            value = None
    return value if isinstance(value, dict) else {}


class JwtRequest(RequestSchema):
    """The body that asks for a JWT; `passthrough` travels in it."""

    passthrough = Metadata()


class SessionReport(RequestSchema):
    """The telemetry of a session; mockchat keeps nothing of it."""

    session_id = String(data_key="sessionId")


class OnlineMembersAsked(RequestSchema):
    """The body that asks for counts; `groups` are guids."""

    groups = Strings(most=MAX_PER_PAGE)


class PushTokenCreate(RequestSchema):
    """The body that registers a push token; the platform decides which field holds it."""

    auth_token = String(data_key="authToken")  # which a caller with a key names
    platform = String(required=True, maximum=MAX_NAME)
    fcm_token = String(maximum=MAX_PUSH_TOKEN, data_key="fcmToken")
    device_token = String(maximum=MAX_PUSH_TOKEN, data_key="deviceToken")
    voip_token = String(maximum=MAX_PUSH_TOKEN, data_key="voipToken")


class PushTokenOwner(RequestSchema):
    """The body that says whose push tokens are meant, where the caller shows a key."""

    auth_token = String(data_key="authToken")


# What is not known in them is ignored.
PreferencesUpdate = RequestSchema.from_dict(
    {
        name: Metadata() if isinstance(value, dict) else Flag()
        for name, value in preferences.DEFAULTS.items()
    },
    name="PreferencesUpdate",
)
PreferencesUpdate.__doc__ = "The body that changes notification preferences."


class TimeZoneUpdate(RequestSchema):
    """The body that sets a time zone."""

    timezone = String(required=True, maximum=MAX_NAME)


class CallTokenCreate(RequestSchema):
    """The body that asks for a call token."""

    session_id = String(required=True, data_key="sessionId")


class LoginRequest(Device):
    """The body of `POST /login`; which of its fields count is the operation's decision."""

    uid = fields.Raw(allow_none=True, metadata=Uid().metadata)
    auth_key = fields.Raw(allow_none=True, data_key="authKey", metadata=String().metadata)
    api_key = fields.Raw(allow_none=True, data_key="apiKey", metadata=String().metadata)
    auth_token = fields.Raw(allow_none=True, data_key="authToken", metadata=String().metadata)


class LoginUid(RequestSchema):
    """The rules for the uid of a login."""

    UID_ERRORS: ClassVar = True
    uid = Uid(required=True)


class LogoutRequest(RequestSchema):
    """The body of `POST /logout`."""

    auth_token = fields.Raw(allow_none=True, data_key="authToken", metadata=String().metadata)
