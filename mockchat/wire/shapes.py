"""Shapes: what apps hold and what fixtures say as JSON Schema, by the tables that read them."""

from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from mockchat.core.entities import ApiKey, AuthToken, Role, Scope, User
from mockchat.core.seed import SECTIONS
from mockchat.core.snapshot import shape_of
from mockchat.core.state import MAX_UID_LENGTH
from mockchat.core.store import MAX_APPS

Json = dict[str, Any]

_INTEGER: Json = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_TEXT: Json = {"type": "string"}
_BY_KIND: dict[type, Json] = {
    str: _TEXT,
    int: _INTEGER,
    dict: {"type": "object"},
    list: {"type": "array", "items": _TEXT},
    Scope: {"enum": list(Scope)},
}
_HELD = {"apiKeys": ApiKey, "roles": Role, "users": User, "authTokens": AuthToken}


def _object(note: str, properties: Json, required: list[str]) -> Json:
    described = {"description": note, "type": "object", "properties": properties}
    return described | {"required": required, "additionalProperties": False}


def components() -> dict[str, Json]:
    """Return the schemas by name."""
    held = {
        name: {"type": "array", "items": _entity(kind, f"One of `{name}`.")}
        for name, kind in _HELD.items()
    }
    app = {"id": _TEXT, "secret": _TEXT, "serial": _INTEGER, **held}
    sections = {
        name: {"type": "array", "items": _row(shape, f"One of `{name}`.")}
        for name, shape in SECTIONS.items()
    }
    apps = {"type": "object", "maxProperties": MAX_APPS}
    apps |= {"additionalProperties": {"$ref": "#/components/schemas/AppState"}}
    return {
        "AppState": _object("Everything that an app holds.", app, [*app][1:]),
        "AppStates": {"description": "What apps hold, by app id.", **apps},
        "Fixture": _object("Users, roles and api keys to begin with.", sections, []),
    }


def _entity(kind: type, note: str) -> Json:
    shape = shape_of(kind)
    properties = {name: _held(hint) for name, (hint, _) in shape.items()}
    return _object(note, properties, [name for name, (_, needed) in shape.items() if needed])


def _held(hint: Any) -> Json:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        (inner,) = (_held(one) for one in arguments if one is not NoneType)
        return inner | {"type": [inner["type"], "null"]}
    if origin in (list, set):
        return {"type": "array", "items": _held(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _held(arguments[1])}
    if hint is Any:
        return {}
    return {"enum": list(hint)} if issubclass(hint, Enum) else _BY_KIND[hint]


def _row(shape: dict[str, tuple[str, type, bool]], note: str) -> Json:
    properties = {name: dict(_BY_KIND[kind]) for name, (_, kind, _) in shape.items()}
    required = [name for name, (_, _, needed) in shape.items() if needed]
    for name in required:
        properties[name] |= {"minLength": 1} if shape[name][1] is str else {}
    if "uid" in properties:
        properties["uid"] = {"type": "string", "pattern": rf"^\S{{1,{MAX_UID_LENGTH}}}$"}
    return _object(note, properties, required)
