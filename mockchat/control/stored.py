"""Stored data: fixtures and the contents of apps, as files and requests hold them."""

import contextlib
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING
from enum import Enum
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from mockchat.api.fields import Choice, Field
from mockchat.api.validation import Prepared, StrictSchema, declared, details_of, text
from mockchat.core.changes import SECTIONS
from mockchat.core.entities import Scope
from mockchat.core.seed import FixtureError, Sections, Seed, fixtures_dir
from mockchat.core.snapshot import Column, SnapshotError, columns
from mockchat.core.state import MAX_UID_LENGTH
from mockchat.core.words import question

_NAMES = {str: "string", int: "integer", list: "array", dict: "object"}  # of JSON and of TEXTS
_LARGEST = 2**63 - 1  # for a whole number that all readers of JSON agree on


# --- field types ----------------------------------------------------------------------------
class Exact(Field):
    """A value of exactly one JSON type; `item` is the type of the items of a list or object.

    `then` checks or converts the value.
    """

    def __init__(
        self,
        kind: type[Any],
        item: type | None = None,
        *,
        filled: bool = False,
        then: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        said: dict[str, Any] = {"type": _NAMES[kind], "minLength": 1 if filled else None}
        if kind is int:
            said |= {"minimum": -_LARGEST, "maximum": _LARGEST}
        if item:
            said["items" if kind is list else "additionalProperties"] = {"type": _NAMES[item]}
        super().__init__(says=said, **options)
        self._kind, self._item, self._filled, self._then = kind, item, filled, then
        self._wrong_item = text(_NAMES[item]) if item else ""

    def _read(self, value: Any) -> Any:
        if self._kind is int and value.__class__ is float and value.is_integer():
            value = int(value)  # in JSON, 1.0 is the same as 1
        if value.__class__ is not self._kind:
            raise self.no(_NAMES[self._kind])
        if self._filled and not value:
            raise self.no("required")
        if self._kind is int and not -_LARGEST <= value <= _LARGEST:
            raise self.no("integer")
        for at, item in self._items(value) if self._item else ():
            if type(item) is not self._item:
                raise ValidationError({at: [self._wrong_item]})
        return self._then(value) if self._then else value

    def _items(self, value: Any) -> Iterable[tuple[Any, Any]]:
        return value.items() if self._kind is dict else enumerate(value)


class Rows(Field, fields.List[Any]):
    """A list of objects that a schema declares; the first wrong one is refused by its place.

    With `checked`, the objects stay as they are.
    """

    def __init__(self, schema: type[Schema], *, checked: bool = False, **options: Any) -> None:
        super().__init__(cls_or_instance=fields.Nested(schema), **options)
        self._prepared, self._checked = Prepared(schema), checked

    def _read(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise self.no("array")
        rows = _loading(self._prepared, enumerate(value))
        if not self._checked:
            return list(rows)
        deque(rows, maxlen=0)
        return value


def _loading(prepared: Prepared, entries: Iterable[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    for place, entry in entries:
        try:
            if not isinstance(entry, dict):
                raise Field.no("object")
            yield prepared.load(entry)
        except ValidationError as error:
            raise ValidationError({place: error.messages}) from None


# --- fixtures -------------------------------------------------------------------------------
def _uid(uid: str) -> str:
    if len(uid) > MAX_UID_LENGTH:
        raise Field.no("max", limit=MAX_UID_LENGTH)
    if any(map(str.isspace, uid)):
        raise Field.no("spaces")
    return uid


def _text(**options: Any) -> Exact:
    return Exact(str, filled=True, required=True, **options)


def _optional(kind: type, item: type | None = None, **options: Any) -> Exact:
    return Exact(kind, item, allow_none=False, **options)


class FixtureUser(StrictSchema):
    """A user of a fixture."""

    uid = _text(then=_uid, metadata={"pattern": rf"^\S{{1,{MAX_UID_LENGTH}}}$"})
    name = _text()
    avatar = _optional(str)
    link = _optional(str)
    role = _optional(str, then=str.lower)  # as the service stores roles
    status_message = _optional(str)
    metadata = _optional(dict)
    tags = _optional(list, str)
    friends = _optional(list, str, then=lambda uids: set(map(str.lower, uids)))
    created_at = _optional(int)
    last_active_at = _optional(int)
    deactivated_at = _optional(int)


class _FixtureRole(StrictSchema):
    """A role of a fixture."""

    role = _text(then=str.lower)
    name = _text()
    description = _optional(str)
    metadata = _optional(dict)
    settings = _optional(dict)


class _FixtureKey(StrictSchema):
    """An api key of a fixture."""

    value = _text(data_key="apiKey")
    name = _text()
    scope = Choice(tuple(Scope), required=True)


class Fixture(StrictSchema):
    """Users, roles and api keys at the start of an app."""

    users = Rows(FixtureUser, allow_none=False)
    roles = Rows(_FixtureRole, allow_none=False)
    keys = Rows(_FixtureKey, allow_none=False, data_key="apiKeys")


_fixture = Prepared(Fixture)


def load_seed(fixtures: Iterable[str], keys: Iterable[tuple[str, str, Scope]]) -> Seed:
    """Read fixtures, each a shipped name or a path; raise FixtureError for an invalid one."""
    return Seed.of(((str(path), _read(path)) for path in map(_find, fixtures)), keys)


def read_fixture(name: str, named: Iterable[str]) -> Sections:
    """Return a fixture that is shipped or one of `named`; raise FixtureError."""
    if name not in (*_shipped(), *named):
        raise FixtureError(
            f"{name[:80]} is neither one that the server started with nor shipped; "
            f"shipped are {', '.join(_shipped())}{question(name, (*_shipped(), *named))}"
        )
    return _read(_find(name))


def _find(fixture: str) -> Path:
    shipped = fixtures_dir() / f"{fixture}.json"
    if Path(fixture).name == fixture and shipped.is_file():
        return shipped
    path = Path(fixture)
    with contextlib.suppress(RuntimeError):  # without such a home there is no such file
        path = path.expanduser()
    if not path.is_file():
        names = ", ".join(_shipped())
        near = question(fixture, _shipped())
        raise FixtureError(f"{fixture}: no such fixture file; shipped are {names}{near}")
    return path


def _shipped() -> list[str]:
    return sorted(file.stem for file in fixtures_dir().glob("*.json"))


def _read(path: Path) -> Sections:
    content = _content(path)
    if not isinstance(content, dict):
        raise FixtureError(f'{path}: top level: must be an object like {{"users": [...]}}')
    try:
        return _fixture.load(content)
    except ValidationError as error:
        raise FixtureError(f"{path}: {_first_of(error)}") from None


def _content(path: Path) -> Any:
    try:
        return json.loads(
            path.read_bytes(),
            object_hook=lambda value: value,  # in Python: other threads have their turn
            parse_float=_number,
            parse_int=_number,
            parse_constant=_number,
        )
    except OSError as error:
        raise FixtureError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FixtureError(f"{path}: is not valid JSON: {error}") from error


def _number(text: str) -> float:
    """Return a number on which all readers of JSON agree; raise ValueError for any other."""
    whole = text.lstrip("-").isdigit()
    number = int(text) if whole else float(text)
    fits = abs(number) <= _LARGEST if whole else math.isfinite(number)
    if not fits:
        raise ValueError(f"{text} is too large")
    return number


def _first_of(error: ValidationError) -> str:
    """Return the first message and its place, like `users[0].uid: The uid field is required`."""
    place, key, found = "", "", error.messages
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        place += f"[{key}]" if isinstance(key, int) else f".{key}"
    name = "item" if isinstance(key, int) else key
    ((sentence, *_),) = details_of({name: found}).values()
    return f"{place.lstrip('.')}: {sentence}"


# --- the contents of apps -------------------------------------------------------------------
def _exact(column: Column) -> fields.Field[Any]:
    options: Any = {"required": column.default is MISSING, "allow_none": column.optional}
    if issubclass(column.kind, Enum):
        return Choice(tuple(column.kind), **options)
    return Exact(list if column.kind is set else column.kind, column.item, **options)


def _entity(kind: type) -> type[Schema]:
    note = f"{'An' if kind.__name__[0] == 'A' else 'A'} {kind.__name__} of an app."
    keys = {column.key: _exact(column) for column in columns(kind)}
    return declared(StrictSchema, f"{kind.__name__}State", note, **keys)


_ENTITIES = {section: _entity(kind) for kind, (section, _) in SECTIONS.items()}


def _rows(section: str) -> Rows:
    return Rows(_ENTITIES[section], checked=True, required=True)


class AppState(StrictSchema):
    """The contents of an app."""

    id = Exact(str)
    secret = Exact(str, required=True)
    serial = Exact(int, required=True)
    api_keys = _rows("apiKeys")
    roles = _rows("roles")
    users = _rows("users")
    auth_tokens = _rows("authTokens")


class Apps(Field, fields.Dict):
    """The contents of apps, by app id; the value stays as it is, and is not checked yet."""

    def __init__(self, **options: Any) -> None:
        super().__init__(values=fields.Nested(AppState), **options)

    def _read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.no("object")
        return value


_app = Prepared(AppState)


def validate_apps(apps: dict[str, Any]) -> None:
    """Raise ValidationError unless these are the contents of apps; for many users it takes long."""
    deque(_loading(_app, apps.items()), maxlen=0)


def check_apps(apps: dict[str, Any]) -> None:
    """Raise SnapshotError, which names the place, unless these are the contents of apps."""
    try:
        validate_apps(apps)
    except ValidationError as error:
        raise SnapshotError(_first_of(error)) from None
