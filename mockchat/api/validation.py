"""Validation: the field types of requests and the one table of texts they refuse with.

The live service validates with a PHP framework; its known sentences are exact here, the others
are ours in the same wording (reference section 9.2).
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing

from mockchat.api import json_text
from mockchat.core import errors
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.state import MAX_UID_LENGTH, UID_CHARACTERS

MAX_BODY = 10 * 1024  # bytes
MAX_METADATA = 5 * 1024  # bytes of JSON
MAX_NAME = 100
MAX_URL = 3000
MAX_TAGS = 25


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
    "boolean": Text("The {field} field must be true or false.", _OURS),
    "integer": Text("The {field} must be an integer.", _OURS),
    "between": Text("The {field} must be between {least} and {most}.", _OURS),
    "array": Text("The {field} must be an array.", _OURS),
    "object": Text("The {field} must be a JSON object.", _OURS),
    "size": Text("The {field} may not be greater than {limit} bytes.", _OURS),
    "in": Text("The selected {field} is invalid. It may be {choices}.", _OURS),
    "exists": Text("The selected {field} is invalid.", _OURS),
    "broken": Text("The {field} cannot be read: {reason}.", _OURS),
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


def refuse(field: str, name: str, **values: object) -> ApiError:
    """Return BAD_REQUEST for one field."""
    return errors.BAD_REQUEST(details={field: [_closed(text(name, **values), field)]})


def _closed(sentence: str, field: str) -> str:
    words = re.sub(r"(?<=[a-z])([A-Z])", r" \1", field).lower()
    return sentence.replace("{field}", words)


def _details(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Flatten marshmallow's messages into the service's dotted keys."""
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in messages.items():
            found |= _details(inner, f"{path}.{key}" if path else str(key))
        return found
    return {path: [_closed(sentence, path) for sentence in messages]}


class Loader:
    """Loads what a schema declares: only the fields that are there, at a tenth of the price.

    A test holds it against marshmallow's own `load`. Without a schema nothing is loaded.
    """

    def __init__(self, schema: type[Schema] | None) -> None:
        declared = schema().fields if schema else {}
        self._fields = {
            alias: (name, one)
            for name, one in declared.items()
            for alias in (one.data_key or name, *one.metadata.get("aliases", ()))
        }
        self._defaults = {
            name: one.load_default
            for name, one in declared.items()
            if one.load_default is not missing
        }
        self._required = {
            name: one.data_key or name for name, one in declared.items() if one.required
        }
        self._is_strict = schema is not None and schema.Meta.unknown == RAISE
        self._has_uid = isinstance(declared.get("uid"), Uid)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values by attribute; raise BAD_REQUEST or one of the UID_* errors."""
        values = dict(self._defaults)
        refused: dict[str, Any] = {}
        for key, value in data.items():
            if key in self._fields:
                name, declared = self._fields[key]
                try:
                    values[name] = declared.deserialize(value)
                except ValidationError as error:
                    refused[key] = error.messages
            elif self._is_strict:
                refused[key] = [text("unknown", choices=", ".join(self._fields))]
        for name, key in self._required.items():
            if name not in values and key not in refused:
                refused[key] = [text("required")]
        if refused:
            raise self._refusal(data, _details(refused))
        return values

    def _refusal(self, data: Mapping[str, Any], details: dict[str, list[str]]) -> ApiError:
        if not (self._has_uid and "uid" in details):
            return errors.BAD_REQUEST(details=details)
        uid = data.get("uid")
        spaced = isinstance(uid, str) and uid.strip() and any(map(str.isspace, uid))
        return (errors.UID_WITH_SPACE if spaced else errors.UID_INVALID)(details=details)


class RequestSchema(Schema):
    """What a request holds; what it holds beyond that is ignored, as the live service does."""

    class Meta:
        """marshmallow's options."""

        unknown = EXCLUDE


def _escaped(name: str) -> str:
    return text(name).replace("{", "{{").replace("}", "}}")  # marshmallow formats once more


_REQUIRED = _escaped("required")


class Field(fields.Field[Any]):
    """A field that refuses in the table's words; an absent optional one stays absent."""

    def __init__(self, *, required: bool = False, **options: Any) -> None:
        super().__init__(required=required, allow_none=not required, **options)
        self.error_messages = {"required": _REQUIRED, "null": _REQUIRED}

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return the value as Python has it; None stays None where that is allowed."""
        if value is None or value is missing:
            return super().deserialize(value)
        return self._deserialize(value, None, None)

    @staticmethod
    def no(name: str, **values: object) -> ValidationError:
        """Return the refusal with a sentence of the table."""
        return ValidationError(text(name, **values))


class String(Field):
    """A text; numbers count as texts, blanks as empty.

    `filled` refuses an empty one, which otherwise reads as "" for an operation to unset.
    """

    def __init__(self, *, maximum: int | None = None, filled: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.maximum = maximum
        self.filled = filled
        if filled:
            self.allow_none = False
            self.error_messages["null"] = _escaped("filled")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("string")
        given = value if isinstance(value, str) else str(_number(value))
        if not given.strip():
            if self.required or self.filled:
                raise self.no("required" if self.required else "filled")
            return ""
        # An emoji counts two: the service counts as UTF-16 does.
        if self.maximum and len(given.encode("utf-16-le")) > 2 * self.maximum:
            raise self.no("max", limit=self.maximum)
        return given


class Choice(String):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        word = str(super()._deserialize(value))
        if word and word not in self.choices:
            raise self.no("in", choices=" or ".join(self.choices))
        return word


class Uid(String):
    """A uid: letters, digits, dashes and underscores, read in lower case."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        uid = str(super()._deserialize(value))
        if len(uid) > MAX_UID_LENGTH:
            raise self.no("max", limit=MAX_UID_LENGTH)
        if not UID_CHARACTERS.issuperset(uid):
            raise self.no("uid")
        return uid.lower()


class Url(String):
    """An absolute URL of up to 3,000 characters."""

    PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20/?#]+[^\x00-\x20]*")

    def __init__(self, **options: Any) -> None:
        super().__init__(maximum=MAX_URL, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        url = str(super()._deserialize(value))
        if url and not self.PATTERN.fullmatch(url):
            raise self.no("url")
        return url


class Flag(Field):
    """A boolean, also as the words and digits that forms and Android send."""

    _WORDS: ClassVar = {"true": True, "1": True, "false": False, "0": False, "": False}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        word = str(_number(value)).strip().lower() if isinstance(value, str | int | float) else None
        if word not in self._WORDS:
            raise self.no("boolean")
        return self._WORDS[word]


class Whole(Field):
    """A whole number between two bounds, also as text; `below` stands for one that is below 1."""

    def __init__(self, least: int, most: int, below: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.below = least, most, below

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int | None:
        if isinstance(value, str) and not value.strip():
            return None
        digits = str(_number(value)).strip()
        if self.below is not None and re.fullmatch(r"-[0-9]+|0", digits):
            return self.below
        if not re.fullmatch(r"[+-]?(0|[1-9][0-9]{0,17})", digits):
            raise self.no("integer")
        if not self.least <= int(digits) <= self.most:
            raise self.no("between", least=self.least, most=self.most)
        return int(digits)


class TimeSpan(Field):
    """A span of unix seconds, as `createdAt[from]` and `createdAt[to]` of a query say it."""

    second = Whole(0, 10**11)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, int | None]:
        if not isinstance(value, dict):
            raise self.no("object")
        bounds: dict[str, int | None] = {}
        for end in ("from", "to"):
            try:
                if end in value:
                    bounds[end] = self.second.deserialize(value[end])
            except ValidationError as error:
                raise ValidationError({end: error.messages}) from None
        return bounds


class Metadata(Field):
    """A JSON object of up to 5 KB, also as its text; PHP's empty array is an empty object."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if isinstance(value, str) and value.strip():
            value = _parsed(value)
        if value in ("", []) or (isinstance(value, str) and not value.strip()):
            return {}
        if not isinstance(value, dict):
            raise self.no("object")
        if len(json_text.render(value)) > MAX_METADATA:
            raise self.no("size", limit=MAX_METADATA)
        return value


class Strings(Field):
    """A list of texts, also as JSON; each is named by its place when refused."""

    def __init__(
        self,
        *,
        most: int | None = None,
        longest: int = MAX_NAME,
        choices: tuple[str, ...] = (),
        commas: bool = False,
        once: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.most = most
        self.once = once
        self.longest = longest
        self.choices = choices
        self.commas = commas

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        items = self._items(value)
        if self.required and not items:
            raise self.no("required")
        if self.most and len(items) > self.most:
            raise self.no("items", limit=self.most)
        refused: dict[str | int, Any] = {}
        for place, item in enumerate(items):
            try:
                items[place] = self._item(item)
            except ValidationError as error:
                refused[place] = error.messages
        if refused:
            raise ValidationError(refused)
        # Uids differ by more than case: of those named twice the first counts.
        return (
            list({item.lower(): item for item in reversed(items)}.values())[::-1]
            if self.once
            else items
        )

    def _items(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            value = self._split(value)
        if isinstance(value, dict) and all(str(key).isdigit() for key in value):
            return list(value.values())  # a form's fields, or PHP's array with gaps
        if not isinstance(value, list):
            raise self.no("array")
        return value

    def _split(self, value: str) -> Any:
        if self.commas and not value.lstrip().startswith("["):
            return [item.strip() for item in value.split(",") if item.strip()]
        return _parsed(value) if value.strip() else []

    def _item(self, item: Any) -> str:
        item = _number(item)
        if isinstance(item, bool) or not isinstance(item, str | int):
            raise self.no("string")
        given = str(item)
        if not given.strip():
            raise self.no("required")
        if len(given) > self.longest:
            raise self.no("max", limit=self.longest)
        if self.choices and given not in self.choices:
            raise self.no("in", choices=" or ".join(self.choices))
        return given


class AnyJson(Field):
    """Whatever an SDK tells of itself, kept as JSON text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return str(value) if isinstance(value, str) else json_text.render(value).decode()


def _number(value: Any) -> Any:
    """Return a whole number as an int: in JSON, 1.0 is the same as 1.

    Whatever JSON's integers cannot hold came as a float that was rounded, and stays one.
    """
    whole = isinstance(value, float) and value.is_integer() and -(2**63) < value < 2**64
    return int(value) if whole else value


def _parsed(value: str) -> Any:
    try:
        return json_text.parse(value)
    except ValueError:
        return None
