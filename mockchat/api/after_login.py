"""Requests that apps make by themselves after a login (sdk-wire section 14).

Conversations are empty and nothing is unread, as mockchat has no messages.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from mockchat.api import plain, requests
from mockchat.api.access import Access
from mockchat.api.operation import PATH_UID_ERRORS, Ack, Call, OperationTable
from mockchat.api.schemas import print_user, profile
from mockchat.api.users import viewer_of
from mockchat.api.validation import refuse
from mockchat.core import errors
from mockchat.core.entities import (
    DEFAULT_PREFERENCES,
    DEFAULT_TIMEZONE,
    AuthToken,
    User,
    UserCaller,
)
from mockchat.core.errors import Evidence
from mockchat.core.relations import conversation_id

table = OperationTable(
    access=Access.FULL_KEY_OR_TOKEN,
    errors=(*PATH_UID_ERRORS, errors.ON_BEHALF_OF_NOT_FOUND),
    evidence=Evidence.DOCUMENTED,
    headers=("onBehalfOf",),
)

_USER = "/users/{uid}/conversation"
_GROUP = "/groups/{guid}/conversation"
_PREFERENCES = ("/notifications/v1/preferences", "/notifications/push/v1/preferences")
_TIMEZONE = f"{_PREFERENCES[0]}/timezone"


def _user(call: Call) -> User:
    """Return the user that the call acts for; a caller with an api key has to name one."""
    if user := viewer_of(call):
        return user
    raise refuse("onBehalfOf", "required")


# --- users that are online ------------------------------------------------------------------
_count_row = partial(
    table.add,
    access=Access.PUBLIC,
    returns=plain.OnlineMembersSchema,
    errors=(errors.AUTH_TOKEN_MISSING, errors.AUTH_TOKEN_UNKNOWN),
    headers=("Authorization",),
)


@_count_row("GET", "/api/{version}/online-members")
@_count_row("POST", "/api/{version}/online-members", body=requests.OnlineMembersAsked)
def count_online_members(call: Call) -> dict[str, Any]:
    """Count the users that are online; a group, which has no members here, has none."""
    call.server.jwts.require(call.app, call.headers.get("Authorization", "").strip())
    online = sum(user.sessions > 0 for user in call.app.all_users())
    return {"onlineUsersCount": online, "groups": dict.fromkeys(call.body.get("groups") or (), 0)}


# --- conversations --------------------------------------------------------------------------
def _conversation(call: Call, kind: str, name: str, other: dict[str, Any]) -> dict[str, Any]:
    return {
        "conversationId": name,
        "conversationType": kind,
        "unreadMessageCount": 0,
        "createdAt": call.app.now,
        "updatedAt": call.app.now,
        "conversationWith": other,
    }


@table.get(_USER, returns=plain.ConversationSchema)
def get_user_conversation(call: Call) -> dict[str, Any]:
    """Get the conversation with a user, which is empty."""
    other, user = call.user_in_path(), _user(call)
    shown = print_user(profile(other, viewer=user), call.server_url)
    return _conversation(call, "user", conversation_id(user, other), shown)


@table.get(_GROUP, returns=plain.ConversationSchema)
def get_group_conversation(call: Call) -> dict[str, Any]:
    """Get the conversation with a group, which is empty; a group of any guid exists."""
    _user(call)
    guid = call.path["guid"]
    group = {"guid": guid, "name": guid, "type": "public", "membersCount": 0}
    return _conversation(call, "group", f"group_{guid}", group)


@table.post(*(f"{one}/{mark}" for one in (_GROUP, _USER) for mark in ("delivered", "read")))
def mark_conversation(call: Call) -> Ack:
    """Mark a conversation as read or delivered, which changes nothing."""
    if "uid" in call.path:
        call.user_in_path()
    _user(call)
    return Ack("The conversation has been marked successfully.")


@table.get("/campaigns/notification-feed/unread-count", returns=plain.CountSchema)
def count_unread_feed_items(call: Call) -> dict[str, int]:
    """Count the unread items of the notification feed: none."""
    _user(call)
    return {"count": 0}


# --- notifications --------------------------------------------------------------------------
def _preferences(user: User) -> dict[str, Any]:
    return user.preferences or DEFAULT_PREFERENCES


def _changed(current: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `current` with the changes; unknown ones and those of another type are left out."""
    fitting = {key for key in current.keys() & changes if type(current[key]) is type(changes[key])}
    return current | {
        key: _changed(current[key], changes[key])
        if isinstance(changes[key], dict)
        else changes[key]
        for key in fitting
    }


def _timezone(user: User) -> dict[str, Any]:
    # Without `success` the SDKs see a failure.
    return {"success": True, "timezone": user.timezone or DEFAULT_TIMEZONE}


@table.get(*_PREFERENCES, returns=plain.PreferencesSchema)
def get_preferences(call: Call) -> dict[str, Any]:
    """Get a user's notification preferences."""
    return _preferences(_user(call))


@table.patch(*_PREFERENCES, body=requests.PreferencesUpdate, returns=plain.PreferencesSchema)
def update_preferences(call: Call) -> dict[str, Any]:
    """Change a user's notification preferences; the others stay."""
    user = _user(call)
    user.preferences = _changed(_preferences(user), call.body)
    call.app.touch(user)
    return user.preferences


@table.delete(*_PREFERENCES, returns=plain.PreferencesSchema)
def reset_preferences(call: Call) -> dict[str, Any]:
    """Go back to the default notification preferences."""
    user = _user(call)
    user.preferences = None
    call.app.touch(user)
    return _preferences(user)


@table.get(*(f"{one}/mute" for one in _PREFERENCES), returns=plain.MutedSchema)
def list_muted_conversations(call: Call) -> dict[str, Any]:
    """List the conversations that a user muted: none."""
    _user(call)
    return {"mutedConversations": []}


@table.get(_TIMEZONE, returns=plain.TimeZoneSchema)
def get_timezone(call: Call) -> dict[str, Any]:
    """Get a user's time zone."""
    return _timezone(_user(call))


@table.patch(_TIMEZONE, body=requests.TimeZoneUpdate, returns=plain.TimeZoneSchema)
def update_timezone(call: Call) -> dict[str, Any]:
    """Set a user's time zone."""
    user = _user(call)
    user.timezone = call.body["timezone"]
    call.app.touch(user)
    return _timezone(user)


# --- push tokens ----------------------------------------------------------------------------
_TOKENS = "/notifications/push/v1/tokens"
_OF_TOKENS: Any = {
    "errors": (errors.AUTH_TOKEN_MISSING, errors.AUTH_TOKEN_WITH_SPACE, errors.AUTH_TOKEN_UNKNOWN),
    "headers": (),
}


def _login(call: Call) -> AuthToken:
    """Return the auth token that push tokens belong to: the client's, or the one in the body."""
    if isinstance(call.caller, UserCaller):
        return call.caller.token
    return call.app.user_caller(call.body.get("auth_token") or "").token


@table.get(_TOKENS, returns=plain.PushTokensSchema, **_OF_TOKENS)
def list_push_tokens(call: Call) -> dict[str, Any]:
    """List the client's push tokens, or for a key those of the whole app."""
    own = isinstance(call.caller, UserCaller)
    logins = [_login(call)] if own else list(call.app.tokens.values())
    return {
        "pushTokens": [
            {
                "authToken": one.value,
                "uid": one.uid.lower(),
                "platform": platform,
                "pushToken": token,
            }
            for one in logins
            for platform, token in one.push_tokens.items()
        ]
    }


@table.post(_TOKENS, body=requests.PushTokenCreate, **_OF_TOKENS)
def register_push_token(call: Call) -> Ack:
    """Register a push token until its client logs out; each platform has one."""
    body = call.body
    push_token = body.get("fcm_token") or body.get("device_token") or body.get("voip_token")
    if not push_token:
        raise refuse("fcmToken", "required")
    login = _login(call)
    login.add_push_token(body["platform"], push_token)
    call.app.note(login)
    return Ack("Push token registered successfully.")


@table.delete(_TOKENS, body=requests.PushTokenOwner, **_OF_TOKENS)
def unregister_push_tokens(call: Call) -> Ack:
    """Forget all push tokens of a client."""
    login = _login(call)
    login.push_tokens.clear()
    call.app.note(login)
    return Ack("Push tokens unregistered successfully.")
