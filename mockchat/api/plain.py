"""Schemas of answers that operations build as plain data."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from mockchat.core.preferences import DEFAULTS

_HOSTS = (
    *("REGION", "MODE", "CHAT_API_VERSION", "WS_API_VERSION", "MAIN_DOMAIN", "EXTENSION_DOMAIN"),
    *("ADMIN_API_HOST", "CLIENT_API_HOST", "CHAT_HOST", "CHAT_HOST_OVERRIDE"),
    *("CHAT_HOST_APP_SPECIFIC", "GROUP_SERVICE", "CALL_SERVICE", "WEBRTC_HOST"),
    *("WEBRTC_API_SUBDOMAIN", "ANALYTICS_HOST", "ANALYTICS_VERSION", "SECURED_MEDIA_HOST"),
    *("CHAT_WS_PORT", "CHAT_WSS_PORT", "CHAT_HTTP_BIND_PORT", "CHAT_HTTPS_BIND_PORT"),
    *("WEBRTC_WS_PORT", "WEBRTC_WSS_PORT", "WEBRTC_HTTP_BIND_PORT", "WEBRTC_HTTPS_BIND_PORT"),
    "settingsHash",
)
_SWITCHES = (
    *("CHAT_USE_SSL", "XMPP_USE_SSL", "WEBRTC_USE_SSL", "ANALYTICS_USE_SSL"),
    "ANALYTICS_PING_DISABLED",
)


class AnySchema(Schema):
    """An answer that is plain data already; the fields of a subclass only describe it."""


class PlainNested(fields.Nested):
    """An object of an answer that is plain data already."""

    def _serialize(self, nested_obj: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return nested_obj


def _text() -> fields.String:
    return fields.String(required=True)


SettingsSchema = AnySchema.from_dict(
    {
        **{name: _text() for name in _HOSTS},
        **{name: fields.Boolean(required=True) for name in _SWITCHES},
        "APP_VERSION": fields.Integer(required=True),
        "settingsHashReceivedAt": fields.Integer(required=True),
        "extensions": fields.List(fields.Raw(), required=True),
        "parameters": fields.Dict(required=True),
    },
    name="SettingsSchema",
)
SettingsSchema.__doc__ = "The app's settings: above all the hosts that a client uses next."


class WsChannelSchema(AnySchema):
    """The credentials with which older SDKs open their WebSocket."""

    identity = _text()
    secret = _text()


class CountSchema(AnySchema):
    """A count."""

    count = fields.Integer(required=True)


class OnlineMembersSchema(AnySchema):
    """How many users and members of groups are online."""

    online = fields.Integer(required=True, data_key="onlineUsersCount")
    groups = fields.Dict(required=True)


class ConversationSchema(AnySchema):
    """A conversation without messages."""

    conversation_id = fields.String(required=True, data_key="conversationId")
    kind = fields.String(
        required=True, data_key="conversationType", metadata={"enum": ["user", "group"]}
    )
    unread = fields.Integer(required=True, data_key="unreadMessageCount")
    created_at = fields.Integer(required=True, data_key="createdAt")
    updated_at = fields.Integer(required=True, data_key="updatedAt")
    other = fields.Dict(required=True, data_key="conversationWith")


PreferencesSchema = AnySchema.from_dict(
    {
        name: (fields.Dict if isinstance(value, dict) else fields.Boolean)(required=True)
        for name, value in DEFAULTS.items()
    },
    name="PreferencesSchema",
)
PreferencesSchema.__doc__ = "What a user wants to be notified of."


class TimeZoneSchema(AnySchema):
    """A user's time zone."""

    success = fields.Boolean(required=True)
    timezone = _text()


class MutedSchema(AnySchema):
    """The conversations that a user muted."""

    muted = fields.List(fields.Dict(), required=True, data_key="mutedConversations")


class PushTokensSchema(AnySchema):
    """Push tokens, each with the auth token whose client registered it."""

    tokens = fields.List(fields.Dict(), required=True, data_key="pushTokens")


class JwtSchema(AnySchema):
    """A token that mockchat signed."""

    token = _text()


class SessionSchema(AnySchema):
    """A session's id."""

    session_id = fields.String(required=True, data_key="sessionId")


class CallUserSchema(AnySchema):
    """The user that calls."""

    uid = _text()
    name = _text()
    avatar = fields.String()


class CallTokenSchema(AnySchema):
    """A call token, and its session and user."""

    call_token = fields.String(required=True, data_key="callToken")
    session_id = fields.String(required=True, data_key="sessionId")
    user = fields.Nested(CallUserSchema, required=True)
    settings = fields.Dict(required=True)
    payload = fields.Dict(required=True)


class HealthSchema(AnySchema):
    """Signs of life."""

    status = _text()
    version = _text()
    app = _text()


class FaceSchema(AnySchema):
    """An error as one dialect shows it."""

    code = _text()
    status = fields.Integer(required=True)
    message = _text()
    evidence = fields.String(required=True, metadata={"enum": ["live", "documented", "assumed"]})


class ErrorRowSchema(AnySchema):
    """A row of the error catalogue."""

    name = _text()
    when = _text()
    documented = fields.Nested(FaceSchema, required=True)
    live = fields.Nested(FaceSchema, required=True)


class DocumentSchema(AnySchema):
    """An OpenAPI document."""

    class Meta:
        """marshmallow's options: whatever OpenAPI allows."""

        unknown = EXCLUDE
