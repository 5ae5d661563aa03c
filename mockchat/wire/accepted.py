"""Accepted: what each field of a request takes, as JSON Schema."""

import inspect
from collections.abc import Callable
from typing import Any

from marshmallow import fields, missing

from mockchat.api import validation
from mockchat.control import fields as control
from mockchat.control.state import SNAPSHOT_NAME
from mockchat.core.clock import SHORT
from mockchat.core.errors import CATALOGUE
from mockchat.core.faults import BOUNDS
from mockchat.core.state import MAX_UID_LENGTH
from mockchat.wire import ranges

Json = dict[str, Any]
AnyField = fields.Field[Any]

MODULES = (validation.__name__, control.__name__)  # where the field types of requests live
_APP = f"^{control.AppId.PATTERN}$"
_UID = f"^[A-Za-z0-9_-]{{1,{MAX_UID_LENGTH}}}$"
_FILLED = r"[^\s\x1c-\x1f\x85]"  # white space as both JavaScript and Python know it
_BLANK: Json = {"type": "string", "pattern": r"^[ \t\r\n]*$"}
_WORD = r"^[ \t\r\n]*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|0|1)?[ \t\r\n]*$"
_URL = rf"^([ \t\r\n]*|{validation.Url.PATTERN.pattern})$"
_INTEGERS = {"minimum": -(2**63), "maximum": 2**64 - 1}  # beyond them JSON's integers are rounded


def in_path(name: str) -> Json:
    """Return the schema of a path's variable."""
    patterns = {"uid": _UID, "name": f"^{SNAPSHOT_NAME.pattern}$"}
    patterns |= dict.fromkeys(("exchange", "fault"), "^[0-9]+$")
    return {"type": "string", **({"pattern": patterns[name]} if name in patterns else {})}


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
    if "$ref" in taken:
        return {"anyOf": [taken, {"type": "null"}]}
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
    signed = rf"\+?({ranges.whole(field.least, field.most)}){'|-0' * (field.least == 0)}"
    return {"anyOf": [_whole(field), _text(f"({signed}){'' if field.required else '?'}")]}


def _text(pattern: str) -> Json:
    return {"type": "string", "pattern": rf"^[ \t\r\n]*({pattern})[ \t\r\n]*$"}


def _number(most: float, text: str) -> Json:
    return {"anyOf": [{"type": "number", "minimum": 0, "maximum": most}, _text(text)]}


def _error_code(_field: control.ErrorCode) -> Json:
    faces = (face for row in CATALOGUE.values() for face in (row.documented, row.live))
    codes = {*CATALOGUE, *(face.code for face in faces)}
    least, most = BOUNDS["status"]
    status = {"minimum": least, "maximum": most, "pattern": f"^({ranges.whole(least, most)})$"}
    return {"anyOf": [{"enum": sorted(codes)}, {"type": ["string", "integer"], **status}]}


def _shape(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


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
    control.AppId: lambda _: {"type": ["string", "integer"], "pattern": _APP, **_INTEGERS},
    control.Span: lambda field: _number(field.longest, SHORT),
    control.Share: lambda field: _number(1, field.PATTERN),
    control.Instant: lambda field: _number(control.LATEST_WISH, f"{field.NUMBER}|{field.DATE}"),
    control.State: lambda _: _shape("AppStates"),
    control.ErrorCode: _error_code,
    control.Fixture: lambda _: {
        "anyOf": [{"type": "string", "pattern": _FILLED}, _shape("Fixture")]
    },
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
    least = {} if field.below is not None else {"minimum": field.least}
    return {"type": "integer", **least, "maximum": field.most}


def _time_span(field: validation.TimeSpan) -> Json:
    second = _whole(field.second)
    return {"type": "object", "properties": {"from": second, "to": second}}


_IN_QUERY: dict[type, Callable[[Any], Json]] = {
    validation.String: lambda field: {"type": "string", **_length(field)},
    validation.Choice: lambda field: {"type": "string", "enum": ["", *field.choices]},
    validation.Flag: lambda _: {"type": "boolean"},
    validation.Whole: _whole,
    control.AppId: lambda _: {"type": "string", "pattern": _APP},
    control.Span: lambda field: {"type": "number", "minimum": 0, "maximum": field.longest},
    validation.Strings: _listed,
    validation.TimeSpan: _time_span,
}
