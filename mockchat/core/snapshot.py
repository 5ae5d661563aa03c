"""Snapshots: the contents of an app as plain data for JSON, and back.

They have no sockets, journal, faults or counted requests.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from mockchat.core.changes import SECTIONS
from mockchat.core.entities import DEFAULT_ROLE, ApiKey, AuthToken, Role, User
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
            plain[column.key] = _copied(value)
    return plain


def _copied(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    return _copy(value)


def _copy(value: Any) -> Any:
    """Return a copy of a JSON value, in a tenth of the time of `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


# --- back -----------------------------------------------------------------------------------
class Contents(NamedTuple):
    """The contents of an app, as App.replace takes them."""

    secret: str
    serial: int
    keys: list[ApiKey]
    roles: list[Role]
    users: list[User]
    tokens: list[AuthToken]


def reading(plain: Plain, place: str) -> Steps[Contents]:
    """Return the contents of a dump whose types are right.

    Raises SnapshotError, which begins with `place`, for users, roles, keys and tokens that do not
    belong together.
    """
    contents = Contents(plain["secret"], plain["serial"], [], [], [], [])
    held: tuple[list[Any], ...] = contents[2:]
    for (kind, (section, _)), entities in zip(SECTIONS.items(), held, strict=True):
        for piece in pieces(plain[section]):
            entities.extend(_entities(kind, piece))
            yield
    try:
        yield from _relating(contents)
    except SnapshotError as error:
        raise SnapshotError(f"{place}: {error}") from None
    return contents


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
        return _copy
    return kind if kind is set or issubclass(kind, Enum) else _same


def _same(value: Any) -> Any:
    return value


def _relating(contents: Contents) -> Steps[None]:
    """Check the entities against each other, and note friends and blocks on both sides."""
    known = yield from _indexing("users", "uid", "key", contents.users)
    yield from _indexing("users", "serial", "serial", contents.users)
    roles = yield from _indexing("roles", "role", "role", contents.roles)
    yield from _indexing("apiKeys", "value", "value", contents.keys)
    yield from _indexing("authTokens", "value", "value", contents.tokens)
    if DEFAULT_ROLE not in roles:
        raise SnapshotError(f"there is no role {DEFAULT_ROLE!r}")
    yield from _each(contents.users, lambda user: _check(user, known, roles))
    yield from _each(contents.tokens, lambda token: _check_token(token, known))
    yield from _each(contents.users, lambda user: _join(user, known, contents.serial))


def _each(entities: list[Any], do: Callable[[Any], None]) -> Steps[None]:
    for piece in pieces(entities):
        for one in piece:
            do(one)
        yield


def _join(user: User, known: Mapping[str, User], serial: int) -> None:
    if user.serial > serial:
        raise SnapshotError("serial is lower than that of a user")
    for friend in user.friends:
        known[friend].friends.add(user.key)
    for blocked in user.blocked:
        known[blocked].blocked_by.add(user.key)


def _indexing(section: str, key: str, attribute: str, entities: list[Any]) -> Steps[dict[Any, Any]]:
    found: dict[Any, Any] = {}
    for piece in pieces(entities):
        for one in piece:
            value = getattr(one, attribute)
            if value in found:
                raise SnapshotError(f"{section}: the {key} {value!r:.80} stands there twice")
            found[value] = one
        yield
    return found


def _check(user: User, known: Mapping[str, User], roles: Container[str]) -> None:
    if not user.uid:
        raise SnapshotError("a uid is empty")
    if user.role not in roles:
        raise SnapshotError(f"{user.uid!r} has the role {user.role!r}, which is not there")
    for other in (*user.friends, *user.blocked):
        if other not in known or other == user.key:
            whom = "itself" if other == user.key else f"{other!r}, but there is no such user"
            raise SnapshotError(f"{user.uid!r} knows {whom}")


def _check_token(token: AuthToken, known: Mapping[str, User]) -> None:
    owner = known.get(token.uid.lower())
    if owner is None:
        raise SnapshotError(f"an auth token is of {token.uid!r}, but there is no such user")
    if owner.deactivated_at is not None:
        raise SnapshotError(f"an auth token is of {token.uid!r}, but that user is deactivated")
