"""Schemas of answers that operations build as plain data."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from marshmallow import fields

from mockchat.api.validation import HooklessSchema, declared
from mockchat.core.entities import DEFAULT_PREFERENCES


class AnySchema(HooklessSchema):
    """An answer that is plain data already; the fields of a subclass only describe it."""

    def on_bind_field(self, *_: Any) -> None:
        """Leave the keys as they are."""


class PlainNested(fields.Nested):
    """An object of an answer that is plain data already."""

    def _serialize(self, nested_obj: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return nested_obj


answer = partial(declared, AnySchema)
text = partial(fields.String, required=True)
whole = partial(fields.Integer, required=True)
flag = partial(fields.Boolean, required=True)
an_object = partial(fields.Dict, required=True)
a_list = partial(fields.List, required=True)
_FIELDS: dict[type, Callable[[], fields.Field[Any]]] = {
    str: text,
    bool: flag,
    int: whole,
    dict: an_object,
    list: partial(a_list, fields.Raw()),
}


def like(sample: Mapping[str, Any]) -> dict[str, fields.Field[Any]]:
    """Return the fields of an answer that has the keys and the types of `sample`."""
    return {key: _FIELDS[type(value)]() for key, value in sample.items()}


_PAGINATION = ("total", "count", "per_page", "current_page", "total_pages")
PaginationSchema = answer(
    "PaginationSchema", "The place of a page in its list.", **like(dict.fromkeys(_PAGINATION, 0))
)
CursorSchema = answer(
    "CursorSchema",
    "The newest change in a list of users; empty for other lists.",
    updatedAt=fields.Integer(),
    affix=fields.String(),
)
MetaSchema = answer(
    "MetaSchema",
    "The paging of a list.",
    pagination=fields.Nested(PaginationSchema, required=True),
    cursor=fields.Nested(CursorSchema),
)
ErrorSchema = answer(
    "ErrorSchema",
    "A refusal; `details` has sentences by field, `more` (of the control API) leads to the docs.",
    **like(dict.fromkeys(("message", "devMessage", "source", "code"), "")),
    details=fields.Dict(fields.String(), fields.List(fields.String())),
    more=fields.String(),
)
WsChannelSchema = answer(
    "WsChannelSchema",
    "The credentials with which older SDKs open their WebSocket.",
    identity=text(),
    secret=text(),
)
CountSchema = answer("CountSchema", "A count.", count=whole())
OnlineMembersSchema = answer(
    "OnlineMembersSchema",
    "The number of users that are online, and that of each group's members.",
    onlineUsersCount=whole(),
    groups=an_object(),
)
ConversationSchema = answer(
    "ConversationSchema",
    "A conversation without messages.",
    conversationId=text(),
    conversationType=text(metadata={"enum": ["user", "group"]}),
    unreadMessageCount=whole(),
    createdAt=whole(),
    updatedAt=whole(),
    conversationWith=an_object(),
)
PreferencesSchema = answer(
    "PreferencesSchema", "The notification preferences of a user.", **like(DEFAULT_PREFERENCES)
)
TimeZoneSchema = answer(
    "TimeZoneSchema", "The time zone of a user.", success=flag(), timezone=text()
)
MutedSchema = answer(
    "MutedSchema", "The conversations that a user muted.", mutedConversations=a_list(fields.Dict())
)
PushTokensSchema = answer(
    "PushTokensSchema",
    "Push tokens, each with the auth token whose client registered it.",
    pushTokens=a_list(fields.Dict()),
)
JwtSchema = answer("JwtSchema", "A token that mockchat signed.", token=text())
SessionSchema = answer("SessionSchema", "The id of a session.", sessionId=text())
CallUserSchema = answer(
    "CallUserSchema", "The user that calls.", uid=text(), name=text(), avatar=fields.String()
)
CallTokenSchema = answer(
    "CallTokenSchema",
    "A call token, and its session and user.",
    callToken=text(),
    sessionId=text(),
    user=fields.Nested(CallUserSchema, required=True),
    settings=an_object(),
    payload=an_object(),
)
DocumentSchema = answer(
    "DocumentSchema",
    "An OpenAPI document.",
    **like({"openapi": "", "info": {}, "servers": [], "tags": [], "paths": {}, "components": {}}),
)
