"""Schemas of answers, declared in the recorded order of keys (reference 3.1).

A field that is `required` is in every answer; any other is left out where it has no value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import compress
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from marshmallow import Schema, fields

from mockchat.api.plain import AnySchema, PlainNested, WsChannelSchema
from mockchat.api.settings import SettingsSchema
from mockchat.api.validation import HooklessSchema
from mockchat.core.entities import AuthToken, Scope, User
from mockchat.core.pictures import address_for
from mockchat.core.relations import conversation_id

_WHOLE = (int, bool)
_PRIVATE = "@private"  # a key of metadata that other users do not see


class Profile(NamedTuple):
    """A user as a caller sees it."""

    user: User
    status: str
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None
    auth_token: str | None = None
    blocked_by_me: bool | None = None
    blocked_by_me_at: int | None = None
    blocked_at: int | None = None
    has_blocked_me: bool | None = None
    conversation_id: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class Me:
    """A user as a login answers it to the client."""

    user: User
    auth_token: str
    jwt: str
    ws_channel: dict[str, str]
    settings: dict[str, Any]
    status: str = "online"  # also before the WebSocket is open


# A text that every answer has, and a time.
_text = partial(fields.String, required=True)
_seconds = partial(fields.Integer, metadata={"description": "Unix seconds."})


class UserSchema(HooklessSchema):
    """A user; keys without a value are left out."""

    uid = _text(attribute="user.uid")
    name = _text(attribute="user.name")
    link = fields.String(attribute="user.link")
    avatar = fields.String(attribute="user.avatar")
    metadata = fields.Dict()
    status = fields.String(required=True, metadata={"enum": ["available", "offline", "online"]})
    role = _text(attribute="user.role")
    status_message = fields.String(attribute="user.status_message")
    last_active_at = _seconds(attribute="user.last_active_at")
    blocked_by_me = fields.Boolean()
    blocked_by_me_at = _seconds()
    blocked_at = _seconds()
    has_blocked_me = fields.Boolean()
    created_at = _seconds(attribute="user.created_at", required=True)
    updated_at = _seconds(attribute="user.updated_at")
    deactivated_at = _seconds(attribute="user.deactivated_at")
    conversation_id = fields.String()
    tags = fields.List(fields.String())
    auth_token = fields.String()


class MeSchema(UserSchema):
    """The answer of `PUT /me`: the keys that any SDK needs (sdk-wire 1.5)."""

    class Meta:
        """marshmallow's options."""

        exclude = (
            "blocked_by_me",
            "blocked_by_me_at",
            "blocked_at",
            "has_blocked_me",
            "conversation_id",
        )

    metadata = fields.Dict(attribute="user.metadata")  # with the private part
    tags = fields.List(fields.String(), attribute="user.tags")
    auth_token = _text()
    jwt = _text()
    ws_channel = PlainNested(WsChannelSchema, required=True)
    settings = PlainNested(SettingsSchema, required=True)


class TokenSchema(HooklessSchema):
    """An auth token."""

    uid = _text()
    value = _text(data_key="authToken")
    created_at = _seconds(required=True)


class TokenDetailSchema(TokenSchema):
    """An auth token and the description of its client."""

    platform = fields.String()
    user_agent = fields.String()
    app_info = fields.String(metadata={"description": "JSON text."})


class ApiKeySchema(HooklessSchema):
    """An api key."""

    value = _text(data_key="apiKey")
    name = _text()
    scope = fields.String(required=True, metadata={"enum": list(Scope)})
    created_at = _seconds(required=True)
    updated_at = _seconds()


class RoleSchema(HooklessSchema):
    """A role."""

    role = _text()
    name = _text()
    description = fields.String()
    metadata = fields.Dict()
    settings = fields.Dict()
    created_at = _seconds(required=True)
    updated_at = _seconds()


class AckSchema(HooklessSchema):
    """The answer to a command."""

    success = fields.Boolean(required=True)
    message = _text()


class AcksSchema(AnySchema):
    """The outcome for each user, by uid."""

    each: ClassVar = AckSchema


class ImportedSchema(HooklessSchema):
    """The outcome for one user: the user, or the error that refused it."""

    success = fields.Boolean(required=True)
    data = fields.Nested(UserSchema)
    error = fields.Dict()


class ImportSchema(AnySchema):
    """The outcome of an import, by uid."""

    each: ClassVar = ImportedSchema


class FriendAcksSchema(AnySchema):
    """The outcome for each new friend, by uid."""

    accepted = fields.Dict(fields.String(), fields.Nested(AckSchema), required=True)


class ActivationSchema(HooklessSchema):
    """The outcome of deactivating or reactivating users; empty lists are left out."""

    deactivated = fields.List(fields.String(), data_key="deactivatedUids")
    already_deactivated = fields.List(fields.String(), data_key="alreadyDeactivatedUids")
    reactivated = fields.List(fields.String(), data_key="reactivatedUids")
    not_deactivated = fields.List(fields.String(), data_key="nonDeactivatedUids")
    not_found = fields.List(fields.String())


def compile_dump(schema: type[Schema]) -> Callable[[Any], Any]:
    """Return a function that prints objects as the schema declares, without empty values.

    It reads the declaration once. marshmallow's own `dump` takes thirty times as long, as it reads
    it for every answer. A test compares the two.
    """
    if issubclass(schema, AnySchema):
        return lambda value: value
    columns = schema().fields.items()
    keys = [column.data_key or name for name, column in columns]
    get = attrgetter(*(column.attribute or name for name, column in columns))

    def dump(value: Any) -> dict[str, Any]:
        # 0 and False are values, "" and [] are not.
        values = get(value)
        if 0 in values:
            pairs = zip(keys, values, strict=True)
            return {key: one for key, one in pairs if one or one.__class__ in _WHOLE}
        return dict(zip(compress(keys, values), filter(None, values), strict=True))

    return dump


@cache
def compile_print(schema: type[Schema]) -> Callable[[Any, str], Any]:
    """Return a function that prints objects for a client, as `compile_dump` does.

    It takes the URL by which the client reaches pictures of this server, empty where it reaches
    them by their live names.
    """
    dump = compile_dump(schema)
    if not issubclass(schema, UserSchema):
        return lambda value, _server: dump(value)

    def print_one(value: Any, server: str) -> dict[str, Any]:
        printed: dict[str, Any] = dump(value)
        if server and "avatar" in printed:
            printed["avatar"] = address_for(printed["avatar"], server)
        return printed

    return print_one


def profile(
    user: User,
    *,
    viewer: User | None = None,
    public: bool = False,
    tags: bool = True,
    auth_token: AuthToken | None = None,
) -> Profile:
    """Return `user` as a back end sees it, or as the user `viewer` sees it.

    A viewer sees the blocks between the two, but no private metadata of others; with `public`,
    nobody sees it.
    """
    shown = Profile(
        user,
        user.status,
        metadata=public_metadata(user) if public else user.metadata,
        tags=user.tags if tags else None,
        auth_token=auth_token.value if auth_token else None,
    )
    if viewer is None or viewer is user:
        return shown
    blocked = viewer.blocked.get(user.key)
    return shown._replace(
        metadata=public_metadata(user),
        blocked_by_me=(blocked is not None) or None,  # live sends no flag that is false
        blocked_by_me_at=blocked,
        blocked_at=blocked,
        has_blocked_me=(viewer.key in user.blocked) or None,
        conversation_id=conversation_id(viewer, user),
    )


def print_user(shown: Profile, server: str) -> dict[str, Any]:
    """Return a user as JSON that is part of another object, for a client as in `compile_print`."""
    printed: dict[str, Any] = compile_print(UserSchema)(shown, server)
    return printed | {"uid": shown.user.key}


def public_metadata(user: User) -> dict[str, Any] | None:
    """Return the metadata that other users see: all but `@private`."""
    if not user.metadata or _PRIVATE not in user.metadata:
        return user.metadata
    return {key: value for key, value in user.metadata.items() if key != _PRIVATE}
