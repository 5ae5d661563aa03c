"""Validation: the sentences of refusals, and schemas that are prepared once for loading.

Known sentences of the live service are exact, the others have the wording of its PHP framework
(reference section 9.2).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing

from mockchat.core import errors
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.ids import camel
from mockchat.core.words import guess

MAX_BODY = 10 * 1024  # bytes
_MOST_REFUSED = 100  # fields that a refusal names; more unknown ones are left out


class Text(NamedTuple):
    """A sentence of `details`; `{field}` is the field's name in words."""

    text: str
    evidence: Evidence


_LIVE, _OURS = Evidence.LIVE, Evidence.ASSUMED
TEXTS = {
    "required": Text("The {field} field is required.", _LIVE),
    "filled": Text("The {field} field must have a value.", _LIVE),
    "taken": Text("The {field} has already been taken.", _LIVE),
    "url": Text("The {field} must be a valid URL.", _LIVE),
    "string": Text("The {field} must be a string.", _OURS),
    "max": Text("The {field} may not be greater than {limit} characters.", _OURS),
    "items": Text("The {field} may not have more than {limit} items.", _OURS),
    "uid": Text("The {field} may only contain letters, numbers, dashes and underscores.", _OURS),
    "spaces": Text("The {field} may not contain spaces.", _OURS),
    "boolean": Text("The {field} field must be true or false.", _OURS),
    "integer": Text("The {field} must be an integer.", _OURS),
    "between": Text("The {field} must be between {least} and {most}.", _OURS),
    "array": Text("The {field} must be an array.", _OURS),
    "object": Text("The {field} must be a JSON object.", _OURS),
    "size": Text("The {field} may not be greater than {limit} bytes.", _OURS),
    "in": Text("The selected {field} is invalid. It may be {choices}.", _OURS),
    "exists": Text("The selected {field} is invalid.", _OURS),
    "broken": Text("The {field} cannot be read: {reason}.", _OURS),
    "file": Text("The {field} may not be a file.", _OURS),
    "json": Text("The {field} is not valid JSON: {reason}.", _OURS),
    "duration": Text("The {field} must be seconds or a duration like 250ms, 2s or 1h.", _OURS),
    "instant": Text("The {field} must be unix seconds or like 2026-01-31T12:00:00Z.", _OURS),
    "fixture": Text("The {field} must be the name of a fixture or a fixture.", _OURS),
    "plain": Text("The {field} {reason}.", _OURS),
    "unknown": Text("The {field} is not known here. There are {choices}.", _OURS),
    "nested": Text("The {field} is nested too deeply.", _OURS),
}


def text(name: str, **values: object) -> str:
    """Return a sentence of the table, its `{field}` still open."""
    return TEXTS[name].text.format(field="{field}", **values)


def refuse(field: str, name: str, near: str = "", **values: object) -> ApiError:
    """Return BAD_REQUEST for one field; `near` follows the sentence."""
    return errors.BAD_REQUEST(details={field: [_closed(text(name, **values), field) + near]})


class _Unknown(str):
    """The sentence for a field that is not known, with the names of the fields that are."""

    __slots__ = ("known",)
    known: tuple[str, ...]


def _closed(sentence: str, field: str) -> str:
    words = re.sub(r"(?<=[a-z])([A-Z])", r" \1", field).lower()
    if isinstance(sentence, _Unknown):
        name = field.rpartition(".")[2]
        return sentence.replace("{field}", words) + guess(name, sentence.known)
    return sentence.replace("{field}", words)


def details_of(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Return marshmallow's messages by the service's dotted keys."""
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in messages.items():
            found |= details_of(inner, f"{path}.{key}" if path else str(key))
        return found
    return {path: [_closed(sentence, path) for sentence in messages]}


class HooklessSchema(Schema):
    """A schema in the spelling of JSON, without hooks like `pre_load`.

    marshmallow looks for them in each class, which takes a tenth of a server's start.
    """

    @classmethod
    def resolve_hooks(cls) -> dict[str, list[Any]]:
        """Return no hooks."""
        return defaultdict(list)

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give a field its key in JSON: `created_at` is `createdAt` unless it says otherwise."""
        if field_obj.data_key is None:
            field_obj.data_key = camel(field_name)


class RequestSchema(HooklessSchema):
    """The fields of a request; other fields are ignored, as the live service does."""

    class Meta:
        """marshmallow's options."""

        unknown = EXCLUDE


class StrictSchema(HooklessSchema):
    """The fields of an object of the control API; other fields are refused."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        keys = [one.data_key or name for name, one in self.fields.items()]
        unknown = _Unknown(text("unknown", choices=", ".join(keys)))
        unknown.known = tuple(keys)
        self.error_messages["unknown"] = unknown


def declared(
    base: type[Schema], name: str, note: str, /, **columns: fields.Field[Any]
) -> type[Schema]:
    """Return a schema with the fields of `base` and `columns`, and `note` as its docstring."""
    schema = base.from_dict(dict(columns), name=name)
    schema.__doc__ = note
    return schema


class Prepared:
    """A schema that is read once; loading takes a tenth of the time of marshmallow's own `load`.

    A test compares the two: the same values, the same messages.
    """

    def __init__(self, schema: type[Schema]) -> None:
        self._schema = schema

    @cached_property
    def _read(self) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]], str | None]:
        """The fields, defaults and required ones, read at the first load: a start needs few."""
        whole = self._schema()
        fields = {
            alias: (name, one.deserialize, getattr(one, "_read", one.deserialize))
            for name, one in whole.fields.items()
            for alias in (one.data_key or name, *one.metadata.get("aliases", ()))
        }
        defaults = {
            name: one.load_default
            for name, one in whole.fields.items()
            if one.load_default is not missing
        }
        required = [
            (name, one.data_key or name) for name, one in whole.fields.items() if one.required
        ]
        unknown = whole.error_messages["unknown"] if whole.unknown == RAISE else None
        return fields, defaults, required, unknown

    def load(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values by attribute; raise ValidationError with all messages by key."""
        known, defaults, required, unknown = self._read
        values = dict(defaults)
        refused: dict[str, Any] = {}
        for key, value in data.items():
            if key in known:
                name, deserialize, read = known[key]
                try:
                    values[name] = deserialize(None) if value is None else read(value)
                except ValidationError as error:
                    refused[key] = error.messages
            elif unknown and len(refused) < _MOST_REFUSED:
                refused[key] = [unknown]
        for name, key in required:
            if name not in values and key not in refused:
                refused[key] = [text("required")]
        if refused:
            raise ValidationError(refused)
        return values


class Loader:
    """Loads the body or the query of an operation; without a schema, nothing.

    If a schema has `VARIANTS`, the `kind` of a body selects the variant that loads it. With
    `AS_SENT`, the values are those that were sent.
    """

    def __init__(self, schema: type[Schema] | None) -> None:
        self._whole = Prepared(schema or RequestSchema)
        variants: Mapping[str, type[Schema]] = getattr(schema, "VARIANTS", {})
        self._variants = {kind: Prepared(one) for kind, one in variants.items()}
        self._as_sent = bool(schema and getattr(schema, "AS_SENT", False))
        self._uid_errors = bool(schema and getattr(schema, "UID_ERRORS", False))

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values by attribute; raise BAD_REQUEST or one of the UID_* errors."""
        if self._as_sent:
            return dict(data)
        prepared = self._whole
        if self._variants and isinstance(kind := data.get("kind"), str):
            prepared = self._variants.get(kind, prepared)
        try:
            return prepared.load(data)
        except ValidationError as error:
            raise self._refusal(data, details_of(error.messages)) from None

    def _refusal(self, data: Mapping[str, Any], details: dict[str, list[str]]) -> ApiError:
        if not (self._uid_errors and "uid" in details):
            return errors.BAD_REQUEST(details=details)
        uid = data.get("uid")
        spaced = isinstance(uid, str) and uid.strip() and any(map(str.isspace, uid))
        return (errors.UID_WITH_SPACE if spaced else errors.UID_INVALID)(details=details)
