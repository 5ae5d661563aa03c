"""Snapshots: the contents of an app as plain data for JSON, and back.

They have no sockets, journal, faults or counted requests.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from mockchat.core.changes import SECTIONS
from mockchat.core.entities import DEFAULT_ROLE, ApiKey, AuthToken, Role, User, by_order
from mockchat.core.ids import camel
from mockchat.core.steps import Steps, pieces

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
def plain_of(entity: Any) -> Plain:
    """Return a copy of all that is kept of an entity."""
    plain: Plain = {}
    for column in columns(entity.__class__):
        value = getattr(entity, column.attribute)
        if value != column.default:
            plain[column.key] = _dumped(value)
    return plain


def _dumped(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    return copied(value)


def copied(value: Any) -> Any:
    """Return a copy of a JSON value, in a tenth of the time of `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: one if one.__class__ is str else copied(one) for key, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


# --- back -----------------------------------------------------------------------------------
@dataclass(slots=True, eq=False, repr=False)
class Contents:
    """The contents of an app, by id, as App.replace takes them."""

    secret: str
    serial: int
    keys: dict[str, ApiKey] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, AuthToken] = field(default_factory=dict)
    listed: list[User] = field(default_factory=list)  # the active ones, oldest first
    online: list[User] = field(default_factory=list)  # those of clients without a WebSocket


def reading(plain: Plain, place: str) -> Steps[Contents]:
    """Return the contents of a dump whose types are right.

    Raises SnapshotError, which begins with `place`, for users, roles, keys and tokens that do not
    belong together.
    """
    held: list[list[Any]] = []
    for kind, (section, _) in SECTIONS.items():
        held.append([])
        for piece in pieces(plain[section]):
            held[-1] += _entities(kind, piece)
            yield
    try:
        return (yield from relating(plain["secret"], plain["serial"], *held))
    except SnapshotError as error:
        raise SnapshotError(f"{place}: {error}") from None


def _entities(kind: type, rows: Sequence[Plain]) -> list[Any]:
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
        return copied
    return kind if kind is set or issubclass(kind, Enum) else _same


def _same(value: Any) -> Any:
    return value


def relating(
    secret: str,
    serial: int,
    keys: Sequence[ApiKey],
    roles: Sequence[Role],
    users: Sequence[User],
    tokens: Sequence[AuthToken],
) -> Steps[Contents]:
    """Return entities that belong together, with friends, blocks and tokens on both sides.

    Raises SnapshotError for any others.
    """
    new = Contents(secret, serial)
    yield from _indexing("users", "uid", "key", users, new.users)
    yield from _indexing("users", "serial", "serial", users, {})
    yield from _indexing("roles", "role", "role", roles, new.roles)
    yield from _indexing("apiKeys", "value", "value", keys, new.keys)
    yield from _indexing("authTokens", "value", "value", tokens, new.tokens)
    if DEFAULT_ROLE not in new.roles:
        raise SnapshotError(f"there is no role {DEFAULT_ROLE!r}")
    yield from _each(users, lambda user: _check(user, new))
    yield from _each(tokens, lambda token: _give(token, new))
    yield from _each(users, lambda user: _join(user, new))
    return new


def _each(entities: Sequence[Any], do: Callable[[Any], None]) -> Steps[None]:
    for piece in pieces(entities):
        for one in piece:
            do(one)
        yield


def _indexing(
    section: str, key: str, attribute: str, entities: Sequence[Any], found: dict[Any, Any]
) -> Steps[None]:
    def add(one: Any) -> None:
        value = getattr(one, attribute)
        if value in found:
            raise SnapshotError(f"{section}: the {key} {value!r:.80} stands there twice")
        found[value] = one

    return _each(entities, add)


def _check(user: User, new: Contents) -> None:
    if not user.uid:
        raise SnapshotError("a uid is empty")
    if user.role not in new.roles:
        raise SnapshotError(f"{user.uid!r} has the role {user.role!r}, which is not there")
    for other in (*user.friends, *user.blocked):
        if other not in new.users or other == user.key:
            whom = "itself" if other == user.key else f"{other!r}, but there is no such user"
            raise SnapshotError(f"{user.uid!r} knows {whom}")
    if user.serial > new.serial:
        raise SnapshotError("serial is lower than that of a user")


def _give(token: AuthToken, new: Contents) -> None:
    owner = new.users.get(token.uid.lower())
    if owner is None:
        raise SnapshotError(f"an auth token is of {token.uid!r}, but there is no such user")
    if owner.deactivated_at is not None:
        raise SnapshotError(f"an auth token is of {token.uid!r}, but that user is deactivated")
    owner.tokens[token.value] = token
    if token.online_since is not None:
        new.online.append(owner)


def _join(user: User, new: Contents) -> None:
    for friend in user.friends:
        new.users[friend].friends.add(user.key)
    for blocked in user.blocked:
        new.users[blocked].blocked_by.add(user.key)
    if user.deactivated_at is None:
        insort(new.listed, user, key=by_order)
