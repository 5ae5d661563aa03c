"""Snapshots: the contents of an app as plain data that JSON can hold, and the way back.

Sockets, the journal, faults and counted requests are no part of it.
"""

import copy
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from mockchat.core.entities import DEFAULT_ROLE, ApiKey, AuthToken, Role, User
from mockchat.core.ids import camel
from mockchat.core.state import App

Plain = dict[str, Any]

# Attributes that follow from others, or last for a moment only.
_DERIVED = {"tokens", "sessions", "status", "blocked_by", "jwt"}


class SnapshotError(Exception):
    """Data is no snapshot of an app; the message has the place and the reason."""


class _Column(NamedTuple):
    attribute: str
    key: str
    read: Callable[[Any], Any]  # the entity's value of what JSON holds
    default: Any  # what is left out


@cache
def _columns(kind: Any) -> tuple[_Column, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Column(one.name, camel(one.name), _reader(hints[one.name]), _default(one))
        for one in fields(kind)
        if one.name not in _DERIVED
    )


def _default(one: "Field[Any]") -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def keys_of(kind: type) -> dict[str, tuple[Any, bool]]:
    """Return the keys of an entity in a dump: the type, and whether the key is always there."""
    hints = get_type_hints(kind)
    return {one.key: (hints[one.attribute], one.default is MISSING) for one in _columns(kind)}


# --- out ------------------------------------------------------------------------------------
def dump(app: App) -> Plain:
    """Return all contents of an app; the app shares nothing of them."""
    return {
        "id": app.id,
        "secret": app.secret,
        "serial": app.serial,
        "apiKeys": [_plain(key) for key in app.keys.values()],
        "roles": [_plain(role) for role in app.roles.values()],
        "users": [_plain(user) for user in app.all_users()],
        "authTokens": [_plain(token) for user in app.all_users() for token in user.tokens.values()],
    }


def _plain(entity: Any) -> Plain:
    plain: Plain = {}
    for column in _columns(entity.__class__):
        value = getattr(entity, column.attribute)
        if value != column.default:
            plain[column.key] = _copied(value)
    return plain


def _copied(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    return copy.deepcopy(value) if isinstance(value, dict | list) else value


# --- back -----------------------------------------------------------------------------------
class Contents(NamedTuple):
    """The contents of an app, as App.replace takes them."""

    secret: str
    serial: int
    keys: list[ApiKey]
    roles: list[Role]
    users: list[User]
    tokens: list[AuthToken]


def read(plain: Plain, place: str) -> Contents:
    """Return the contents of a dump whose types are right.

    Raises SnapshotError, which begins with `place`, for users, roles, keys and tokens that do not
    belong together.
    """
    contents = Contents(
        plain["secret"],
        plain["serial"],
        _entities(ApiKey, plain["apiKeys"]),
        _entities(Role, plain["roles"]),
        _entities(User, plain["users"]),
        _entities(AuthToken, plain["authTokens"]),
    )
    _relate(contents, place)
    return contents


def _entities(kind: type, rows: list[Plain]) -> list[Any]:
    columns = {column.key: (column.attribute, column.read) for column in _columns(kind)}
    entities = []
    for row in rows:
        values = {}
        for key, value in row.items():
            attribute, read_ = columns[key]
            values[attribute] = value if value is None else read_(value)
        entities.append(kind(**values))
    return entities


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return what makes a value of this type of one that JSON holds."""
    if isinstance(hint, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    kind = get_origin(hint) or hint
    if kind in (list, dict):
        return copy.deepcopy
    return kind if kind is set or issubclass(kind, Enum) else _same


def _same(value: Any) -> Any:
    return value


def _relate(contents: Contents, place: str) -> None:
    """Check the entities against each other, and note friends and blocks on both sides."""
    known = {user.key: user for user in contents.users}
    roles = {role.role for role in contents.roles}
    reason = (
        _twice("users", "uid", [user.key for user in contents.users])
        or _twice("users", "serial", [user.serial for user in contents.users])
        or _twice("roles", "role", [role.role for role in contents.roles])
        or _twice("apiKeys", "value", [key.value for key in contents.keys])
        or _twice("authTokens", "value", [token.value for token in contents.tokens])
        or ("" if DEFAULT_ROLE in roles else f"there is no role {DEFAULT_ROLE!r}")
        or next(filter(None, (_wrong(user, known, roles) for user in contents.users)), "")
        or next(filter(None, (_wrong_token(token, known) for token in contents.tokens)), "")
    )
    if not reason and any(user.serial > contents.serial for user in contents.users):
        reason = "serial is lower than that of a user"
    if reason:
        raise SnapshotError(f"{place}: {reason}")
    for user in contents.users:
        for friend in user.friends:
            known[friend].friends.add(user.key)
        for blocked in user.blocked:
            known[blocked].blocked_by.add(user.key)


def _twice(section: str, key: str, values: list[Any]) -> str:
    twice = next((one for one, count in Counter(values).items() if count > 1), None)
    return "" if twice is None else f"{section}: the {key} {twice!r:.80} stands there twice"


def _wrong(user: User, known: Mapping[str, User], roles: Container[str]) -> str:
    if not user.uid:
        return "a uid is empty"
    if user.role not in roles:
        return f"{user.uid!r} has the role {user.role!r}, which is not there"
    for other in (*user.friends, *user.blocked):
        if other not in known or other == user.key:
            whom = "itself" if other == user.key else f"{other!r}, who is no user"
            return f"{user.uid!r} knows {whom}"
    return ""


def _wrong_token(token: AuthToken, known: Mapping[str, User]) -> str:
    owner = known.get(token.uid.lower())
    if owner is None:
        return f"an auth token is of {token.uid!r}, who is no user"
    if owner.deactivated_at is not None:
        return f"an auth token is of {token.uid!r}, who is deactivated"
    return ""
