"""The contents of an app: users, api keys, auth tokens and roles; and their events."""

from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

MAX_PUSH_TOKENS = 25  # of an auth token; there are four platforms
DEFAULT_ROLE = "default"
DEFAULT_TIMEZONE = "UTC"

_ON, _OFF = 2, 1  # `subscribe to all` and `do not subscribe`, as the SDKs number them
_MEMBER_EVENTS = ("Left", "Added", "Joined", "Kicked", "Banned", "Unbanned", "ScopeChanged")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MESSAGES = ("Messages", "Replies", "QuotedReplies", "Reactions")
# The preferences for notifications. Some SDKs read all without a check, so all are always there.
DEFAULT_PREFERENCES: dict[str, Any] = {
    "groupPreferences": {
        **{f"group{event}": _ON for event in _MESSAGES},
        **{f"groupMember{event}": _OFF for event in _MEMBER_EVENTS},
    },
    "oneOnOnePreferences": {f"oneOnOne{event}": _ON for event in _MESSAGES},
    "mutePreferences": {
        "dnd": _OFF,
        "schedule": {day: {"from": 0, "to": 2359, "dnd": False} for day in _DAYS},
    },
    "usePrivacyTemplate": True,
}


class Scope(StrEnum):
    """The rights of an api key."""

    FULL_ACCESS = "fullAccess"  # the dashboard's "REST API Key"
    AUTH_ONLY = "authOnly"  # the dashboard's "Auth Key"


class Status(StrEnum):
    """A user's presence as REST names it; SDKs show `available` as online."""

    AVAILABLE = "available"
    OFFLINE = "offline"


@dataclass(slots=True, eq=False, repr=False)
class ApiKey:
    """A credential of an app."""

    value: str
    name: str
    scope: Scope
    created_at: int
    updated_at: int | None = None


@dataclass(slots=True, eq=False, repr=False)
class Role:
    """A role of users; every app has `default`."""

    role: str
    name: str
    created_at: int
    description: str | None = None
    metadata: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    updated_at: int | None = None


@dataclass(slots=True, eq=False, repr=False)
class AuthToken:
    """A login credential of one user; `device` is the slot that it was issued for."""

    value: str
    uid: str
    created_at: int
    device: str | None = None
    platform: str | None = None
    user_agent: str | None = None
    app_info: str | None = None
    bound_to: str | None = None  # the device that used a single-use token first
    jwt: tuple[str, int] | None = None  # its session JWT, once a login issued one, and its expiry
    online_since: int | None = None  # of a client without a WebSocket; unix seconds
    push_tokens: dict[str, str] = field(default_factory=dict)  # by platform

    def add_push_token(self, platform: str, value: str) -> None:
        """Keep the push token of a platform; of too many platforms, the first is forgotten."""
        self.push_tokens[platform] = value
        if len(self.push_tokens) > MAX_PUSH_TOKENS:
            del self.push_tokens[next(iter(self.push_tokens))]


@dataclass(slots=True, eq=False, repr=False)
class User:
    """A user of an app; times are unix seconds, None means never or not set."""

    uid: str
    name: str
    created_at: int
    avatar: str | None = None
    link: str | None = None
    metadata: dict[str, Any] | None = None
    role: str = DEFAULT_ROLE
    status_message: str | None = None
    status: Status = Status.OFFLINE
    last_active_at: int | None = None
    updated_at: int | None = None
    deactivated_at: int | None = None
    tags: list[str] = field(default_factory=list)
    preferences: dict[str, Any] | None = None  # for notifications; None: the defaults
    timezone: str | None = None
    friends: set[str] = field(default_factory=set)  # keys of users
    blocked: dict[str, int] = field(default_factory=dict)  # key of a user -> unix seconds
    blocked_by: set[str] = field(default_factory=set)  # keys of users
    tokens: dict[str, AuthToken] = field(default_factory=dict)  # by value, oldest first
    sessions: int = 0  # live WebSockets, and logins of clients that open none
    serial: int = 0  # order of creation within the app

    @property
    def key(self) -> str:
        """The uid in lower case, as the live service prints it: case does not tell users apart."""
        return self.uid.lower()


by_order = attrgetter("created_at", "serial")  # the place of a user in lists, oldest first


class KeyCaller(NamedTuple):
    """The owner of an api key: a back end."""

    key: str
    scope: Scope


class UserCaller(NamedTuple):
    """The owner of an auth token: a client of `user`."""

    user: User
    token: AuthToken


Caller = KeyCaller | UserCaller
BACK_END = KeyCaller("", Scope.FULL_ACCESS)  # the tester, for operations without a request


class TokenDestroyed(NamedTuple):
    """An auth token was destroyed; the sessions that it opened end."""

    app_id: str
    token: str
    by_logout: bool = False  # whether its own client logged out


class ConnectionChanged(NamedTuple):
    """A connection of a user opened or closed."""

    app_id: str
    user: User
    token: AuthToken  # that opened it
    at: float  # unix seconds, as below
    since: float  # when it opened
    connected: bool
    presence_changed: bool  # whether it is the first to open, or the last to close


class BlocksChanged(NamedTuple):
    """A user blocked others, or unblocked them."""

    app_id: str
    user: User
    others: tuple[User, ...]
    blocked: bool


class AppRestored(NamedTuple):
    """The contents of an app were replaced; its users and tokens are new objects."""

    app_id: str


Event = TokenDestroyed | ConnectionChanged | BlocksChanged | AppRestored

Entity = ApiKey | Role | User | AuthToken
