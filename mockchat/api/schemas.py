"""The wire shapes: marshmallow schemas of requests and answers; camelCase lives here alone.

Answers are declared in the key order that was recorded (reference section 3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from marshmallow import Schema, fields

from mockchat.api.validation import (
    MAX_NAME,
    MAX_TAGS,
    AnyJson,
    Flag,
    Metadata,
    RequestSchema,
    String,
    Strings,
    Uid,
    Url,
    Whole,
)
from mockchat.core.entities import AuthToken, User

MAX_PER_PAGE = 1000
DEFAULT_PER_PAGE = 100
_MANY = 10**9


# --- answers --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Profile:
    """A user as one caller may see it."""

    user: User
    status: str
    tags: list[str] | None = None
    auth_token: str | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """A user as a login shows it to the user's own client."""

    user: User
    auth_token: str
    jwt: str
    ws_channel: dict[str, str]
    settings: dict[str, Any]
    status: str = "online"  # what a login means, whether or not the WebSocket is up yet

    @property
    def tags(self) -> list[str]:
        """The user's tags."""
        return self.user.tags


def _seconds(attribute: str, key: str) -> fields.Integer:
    return fields.Integer(
        attribute=attribute, data_key=key, metadata={"description": "Unix seconds."}
    )


class UserSchema(Schema):
    """A user; keys without a value are left out."""

    uid = fields.String(attribute="user.uid")
    name = fields.String(attribute="user.name")
    link = fields.String(attribute="user.link")
    avatar = fields.String(attribute="user.avatar")
    metadata = fields.Dict(attribute="user.metadata")
    status = fields.String()
    role = fields.String(attribute="user.role")
    status_message = fields.String(attribute="user.status_message", data_key="statusMessage")
    last_active_at = _seconds("user.last_active_at", "lastActiveAt")
    created_at = _seconds("user.created_at", "createdAt")
    updated_at = _seconds("user.updated_at", "updatedAt")
    deactivated_at = _seconds("user.deactivated_at", "deactivatedAt")
    tags = fields.List(fields.String())
    auth_token = fields.String(data_key="authToken")


class MeSchema(UserSchema):
    """What `PUT /me` answers: the intersection of what every SDK needs (sdk-wire 1.5)."""

    jwt = fields.String()
    ws_channel = fields.Dict(data_key="wsChannel")
    settings = fields.Dict()


class TokenSchema(Schema):
    """An auth token."""

    uid = fields.String()
    value = fields.String(data_key="authToken")
    created_at = _seconds("created_at", "createdAt")


class TokenDetailSchema(TokenSchema):
    """An auth token with what its client told of itself."""

    platform = fields.String()
    user_agent = fields.String(data_key="userAgent")
    app_info = fields.String(data_key="appInfo", metadata={"description": "JSON text."})


class AckSchema(Schema):
    """The answer to a command."""

    success = fields.Boolean()
    message = fields.String()


class ActivationSchema(Schema):
    """What deactivating or reactivating users did; empty lists are left out."""

    deactivated = fields.List(fields.String(), data_key="deactivatedUids")
    already_deactivated = fields.List(fields.String(), data_key="alreadyDeactivatedUids")
    reactivated = fields.List(fields.String(), data_key="reactivatedUids")
    not_deactivated = fields.List(fields.String(), data_key="nonDeactivatedUids")
    not_found = fields.List(fields.String(), data_key="notFound")


class AnySchema(Schema):
    """An answer that is plain data already."""


def compile_dump(schema: type[Schema]) -> Callable[[Any], Any]:
    """Return a function that prints objects in the schema's shape, empty values left out.

    It reads the declaration once; marshmallow's own `dump` walks it at every answer, at thirty
    times the price. A test holds the two against each other.
    """
    if schema is AnySchema:
        return lambda value: value
    columns = [
        (column.data_key or name, attrgetter(column.attribute or name))
        for name, column in schema().fields.items()
    ]

    def dump(value: Any) -> dict[str, Any]:
        printed = {}
        for key, get in columns:
            found = get(value)
            if found or isinstance(found, int):  # 0 and False say something, "" and [] do not
                printed[key] = found
        return printed

    return dump


def profile(user: User, *, tags: bool = True, auth_token: AuthToken | None = None) -> Profile:
    """Return `user` as a caller sees it."""
    return Profile(
        user,
        user.status.value,
        user.tags if tags else None,
        auth_token.value if auth_token else None,
    )


# --- requests -------------------------------------------------------------------------------
class Paging(RequestSchema):
    """Which page of a list; SDKs send `per_page`, back ends `perPage`."""

    page = Whole(1, _MANY, load_default=1)
    per_page = Whole(
        1,
        MAX_PER_PAGE,
        data_key="perPage",
        load_default=DEFAULT_PER_PAGE,
        metadata={"aliases": ("per_page",)},
    )


class UserList(Paging):
    """The query of a user list."""

    with_tags = Flag(data_key="withTags", load_default=False)


class _Profile(RequestSchema):
    """What a user says of itself; the empty value of a field removes it."""

    avatar = Url()
    link = Url()
    status_message = String(data_key="statusMessage")
    metadata = Metadata()
    tags = Strings(most=MAX_TAGS)


class UserCreate(_Profile):
    """The body that creates a user."""

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

    uids = Strings(required=True, data_key="uidsToDeactivate")


class UsersToReactivate(RequestSchema):
    """The body that reactivates users."""

    uids = Strings(required=True, data_key="uidsToActivate")


class Device(RequestSchema):
    """What a client tells of itself."""

    platform = String()
    user_agent = String(data_key="userAgent")
    device_id = String(data_key="deviceId")
    app_info = AnyJson(data_key="appInfo")


class TokenCreate(Device):
    """The body that creates an auth token; `force` mints another beside a valid one."""

    force = Flag(load_default=False)


class MeUpdate(_Profile, Device):
    """The body of `PUT /me`: a login, a change of one's own profile, or both."""

    name = String(filled=True, maximum=MAX_NAME)
    unset = Strings(choices=("avatar", "link", "metadata"))


class JwtRequest(RequestSchema):
    """The body that asks for a JWT; `passthrough` travels in it."""

    passthrough = Metadata()


class SessionReport(RequestSchema):
    """The telemetry of a session; mockchat keeps nothing of it."""

    session_id = String(data_key="sessionId")


class LoginRequest(Device):
    """The body of `POST /login`; which of its fields count is the operation's decision."""

    uid = fields.Raw()
    auth_key = fields.Raw(data_key="authKey")
    api_key = fields.Raw(data_key="apiKey")
    auth_token = fields.Raw(data_key="authToken")


class LoginUid(RequestSchema):
    """The rules for the uid of a login."""

    uid = Uid(required=True)


class LogoutRequest(RequestSchema):
    """The body of `POST /logout`."""

    auth_token = fields.Raw(data_key="authToken")
