"""Accepted: what each field of a request takes, as JSON Schema."""

import inspect
from collections.abc import Callable
from typing import Any

from marshmallow import fields, missing

from mockchat.api import validation
from mockchat.control import fields as control
from mockchat.core.state import MAX_UID_LENGTH

Json = dict[str, Any]
AnyField = fields.Field[Any]

MODULES = (validation.__name__, control.__name__)  # where the field types of requests live
_UID = f"^[A-Za-z0-9_-]{{1,{MAX_UID_LENGTH}}}$"
_FILLED = r"[^\s\x1c-\x1f\x85]"  # white space as both JavaScript and Python know it
_BLANK: Json = {"type": "string", "pattern": r"^[ \t\r\n]*$"}
_WORD = r"^[ \t\r\n]*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|0|1)?[ \t\r\n]*$"
_URL = rf"^([ \t\r\n]*|{validation.Url.PATTERN.pattern})$"
_INTEGERS = {"minimum": -(2**63), "maximum": 2**64 - 1}  # beyond them JSON's integers are rounded


def in_path(name: str) -> Json:
    """Return the schema of a path's variable."""
    return {"type": "string", "pattern": _UID} if name == "uid" else {"type": "string"}


def in_body(field: AnyField) -> Json:
    """Return the schema of a field of a JSON body, which may come in other types than its own."""
    kind: AnyField = field.metadata.get("takes", field)
    taken = _IN_BODY[type(kind)](kind)
    if field.allow_none and taken:
        taken = _or_null(taken)
    return _noted(kind, field, taken)


def _or_null(taken: Json) -> Json:
    if "anyOf" in taken:
        return {"anyOf": [*taken["anyOf"], {"type": "null"}]}
    types = taken["type"]
    return taken | {"type": [*([types] if isinstance(types, str) else types), "null"]}


def in_query(field: AnyField) -> Json:
    """Return the schema of a field of a query, where all is text."""
    return _noted(field, field, _IN_QUERY[type(field)](field))


def query_style(field: AnyField) -> Json:
    """Return how a query's parameter is written; an empty number or flag is as good as none."""
    if isinstance(field, validation.Strings):
        return {"style": "form", "explode": False}
    if isinstance(field, validation.TimeSpan):
        return {"style": "deepObject", "explode": True}
    empty = isinstance(field, validation.Whole | validation.Flag)
    return {"allowEmptyValue": True} if empty else {}


def _noted(kind: AnyField, field: AnyField, taken: Json) -> Json:
    note = (inspect.getdoc(type(kind)) or "").partition("\n")[0]
    default = {} if field.load_default is missing else {"default": field.load_default}
    return {"description": note, **taken, **default}


def _length(field: validation.String) -> Json:
    return {"maxLength": field.maximum} if field.maximum else {}


def _string(field: validation.String) -> Json:
    filled = {"pattern": _FILLED} if field.required or field.filled else {}
    return {"type": ["string", "number"], **filled, **_length(field)}


def _choice(field: validation.Choice) -> Json:
    words = {"type": "string", "enum": list(field.choices)}
    return words if field.required or field.filled else {"anyOf": [words, _BLANK]}


def _flag(_field: validation.Flag) -> Json:
    return {"anyOf": [{"enum": [True, False, 1, 0]}, {"type": "string", "pattern": _WORD}]}


def _metadata(_field: validation.Metadata) -> Json:
    empty = {"type": "array", "maxItems": 0}
    return {"anyOf": [{"type": "object"}, empty, _json_text("object", {"type": "object"}), _BLANK]}


def _strings(field: validation.Strings) -> Json:
    item: Json = {"type": ["string", "integer"], "pattern": _FILLED, **_INTEGERS}
    item = {"enum": list(field.choices)} if field.choices else item | {"maxLength": field.longest}
    least, most = int(field.required), field.most
    array: Json = {"type": "array", "items": item, **_known(minItems=least, maxItems=most)}
    numbered = {
        "type": "object",
        "patternProperties": {"^[0-9]+$": item},
        "additionalProperties": False,
        **_known(minProperties=least, maxProperties=most),
    }
    blank = [] if field.required else [_BLANK]
    return {"anyOf": [array, numbered, _json_text("array", array), *blank]}


def _json_text(kind: str, schema: Json) -> Json:
    """Return the schema of a text that is JSON itself, as forms carry it."""
    content = {"contentMediaType": "application/json", "contentSchema": schema}
    return {"type": "string", "format": f"json-{kind}", **content}


def _known(**sizes: int | None) -> Json:
    return {name: size for name, size in sizes.items() if size}


def _whole_or_text(field: validation.Whole) -> Json:
    text = {"type": "string", "format": "int-text"}
    return {"anyOf": [_whole(field), text]}


def _span(field: control.Span) -> Json:
    number = {"type": "number", "minimum": 0, "maximum": field.longest}
    return {"anyOf": [number, {"type": "string", "format": "duration-text"}]}


def _instant(_field: control.Instant) -> Json:
    number = {"type": "number", "minimum": 0, "maximum": control.LATEST}
    return {"anyOf": [number, {"type": "string", "format": "instant-text"}]}


def _fixture(_field: control.Fixture) -> Json:
    return {"anyOf": [{"type": "string", "format": "fixture-name"}, {"type": "object"}]}


_IN_BODY: dict[type, Callable[[Any], Json]] = {
    validation.String: _string,
    validation.Choice: _choice,
    validation.Uid: lambda _: {"type": ["string", "integer"], "pattern": _UID, **_INTEGERS},
    validation.Url: lambda field: {"type": "string", "pattern": _URL, **_length(field)},
    validation.Flag: _flag,
    validation.Metadata: _metadata,
    validation.Strings: _strings,
    validation.AnyJson: lambda _: {},
    validation.Whole: _whole_or_text,
    control.Span: _span,
    control.Share: lambda _: {"type": "number", "minimum": 0, "maximum": 1},
    control.Instant: _instant,
    control.AnyObject: lambda _: {"type": "object"},
    control.Fixture: _fixture,
}


def _listed(field: validation.Strings) -> Json:
    # One that starts with a bracket is a list in JSON.
    item: Json = {"type": "string", "maxLength": field.longest, "pattern": r"^\s*([^\s\[,][^,]*)?$"}
    item = {"enum": list(field.choices)} if field.choices else item
    return {
        "description": "Texts between commas, or a list as JSON.",
        "type": "array",
        "items": item,
    }


def _whole(field: validation.Whole) -> Json:
    return {"type": "integer", "minimum": field.least, "maximum": field.most}


def _time_span(field: validation.TimeSpan) -> Json:
    second = _whole(field.second)
    return {"type": "object", "properties": {"from": second, "to": second}}


_IN_QUERY: dict[type, Callable[[Any], Json]] = {
    validation.String: lambda field: {"type": "string", **_length(field)},
    validation.Choice: lambda field: {"type": "string", "enum": ["", *field.choices]},
    validation.Flag: lambda _: {"type": "boolean"},
    validation.Whole: _whole,
    control.Span: lambda field: {"type": "number", "minimum": 0, "maximum": field.longest},
    validation.Strings: _listed,
    validation.TimeSpan: _time_span,
}
