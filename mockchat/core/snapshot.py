"""Snapshots: the contents of an app as plain data for JSON, and back.

They have no sockets, journal, faults or counted requests.
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
    """The data is no snapshot of an app; the message has the place and the reason."""


class Column(NamedTuple):
    """An attribute of an entity: its key and its type in a dump."""

    attribute: str
    key: str
    kind: type  # without the types of items
    item: Any  # the type of the items of a list, set or dict; None for any
    optional: bool  # whether None is a value
    default: Any  # the value that is left out; MISSING if the key is always there


@cache
def columns(entity: Any) -> tuple[Column, ...]:
    """Return the columns of a class of entities."""
    hints = get_type_hints(entity)
    kept = (one for one in fields(entity) if one.name not in _DERIVED)
    return tuple(_column(one, hints[one.name]) for one in kept)


def _column(one: "Field[Any]", hint: Any) -> Column:
    optional = isinstance(hint, UnionType)
    if optional:
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    *_, item = get_args(hint) or (Any,)
    default = one.default if one.default_factory is MISSING else one.default_factory()
    kind = get_origin(hint) or hint
    return Column(one.name, camel(one.name), kind, None if item is Any else item, optional, default)


# --- out ------------------------------------------------------------------------------------
def dump(app: App) -> Plain:
    """Return a copy of all contents of an app."""
    return {
        "id": app.id,
        "secret": app.secret,
        "serial": app.serial,
        **{section: [plain_of(one) for one in found] for section, found in sections(app).items()},
    }


def sections(app: App) -> dict[str, list[Any]]:
    """Return the entities of an app by section."""
    return {
        "apiKeys": list(app.keys.values()),
        "roles": list(app.roles.values()),
        "users": app.all_users(),
        "authTokens": list(app.tokens.values()),
    }


def plain_of(entity: Any) -> Plain:
    """Return a copy of all that is kept of an entity."""
    plain: Plain = {}
    for column in columns(entity.__class__):
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
    readers = {one.key: (one.attribute, _reader(one.kind)) for one in columns(kind)}
    entities = []
    for row in rows:
        values = {}
        for key, value in row.items():
            attribute, read_ = readers[key]
            values[attribute] = value if value is None else read_(value)
        entities.append(kind(**values))
    return entities


def _reader(kind: type) -> Callable[[Any], Any]:
    """Return the function that makes a value of this type from a JSON value."""
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
            whom = "itself" if other == user.key else f"{other!r}, but there is no such user"
            return f"{user.uid!r} knows {whom}"
    return ""


def _wrong_token(token: AuthToken, known: Mapping[str, User]) -> str:
    owner = known.get(token.uid.lower())
    if owner is None:
        return f"an auth token is of {token.uid!r}, but there is no such user"
    if owner.deactivated_at is not None:
        return f"an auth token is of {token.uid!r}, but that user is deactivated"
    return ""
