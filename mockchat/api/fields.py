"""The field types of requests; the metadata of each is its JSON Schema in the OpenAPI document.

A field reads more than the document says, as the live service does. It takes numbers as texts and
words as booleans. It takes lists and objects as JSON text or as the fields of a form.
"""

import re
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from mockchat.api import json_text
from mockchat.api.validation import Prepared, text
from mockchat.core.state import MAX_UID_LENGTH, UID_CHARACTERS
from mockchat.core.words import guess

MAX_METADATA = 5 * 1024  # bytes of JSON
MAX_NAME = 100
MAX_URL = 3000
MAX_TAGS = 25
FILLED = r"[^\s\x1c-\x1f\x85]"  # a character that is white space in no language


class Field(fields.Field[Any]):
    """A field that refuses with a sentence of the table; an absent optional one stays absent.

    `says` is its JSON Schema; keywords without a value are left out.
    """

    SAYS: ClassVar[dict[str, Any]] = {}
    of_null = "required"  # the sentence that refuses null

    def __init__(
        self, *, required: bool = False, says: dict[str, Any] | None = None, **options: Any
    ) -> None:
        options.setdefault("allow_none", not required)
        note = {"description": (type(self).__doc__ or "").partition("\n")[0]}
        said = {key: value for key, value in (says or {}).items() if value is not None}
        metadata = note | self.SAYS | said | options.pop("metadata", {})
        super().__init__(required=required, metadata=metadata, **options)

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """Return the refusal of a value that is missing or null."""
        return self.no(self.of_null if key == "null" else "required")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self._read(value)

    def _read(self, value: Any) -> Any:
        """Return a value that is not None as Python has it; raise ValidationError."""
        return value

    @staticmethod
    def no(name: str, **values: object) -> ValidationError:
        """Return a refusal with a sentence of the table."""
        return ValidationError(text(name, **values))


class String(Field):
    """A text; numbers count as texts, blanks as empty.

    `filled` refuses an empty text, which otherwise is "" and unsets the value.
    """

    SAYS: ClassVar = {"type": "string"}

    def __init__(self, *, maximum: int | None = None, filled: bool = False, **options: Any) -> None:
        must_be_filled = filled or options.get("required", False)
        if filled:
            options.setdefault("allow_none", False)
        said = {"maxLength": maximum, "pattern": FILLED if must_be_filled else None}
        super().__init__(**{**options, "says": said | options.pop("says", {})})
        self.maximum, self.filled = maximum, filled
        self.of_null = "filled" if filled else "required"

    def _read(self, value: Any) -> str:
        given: str = value
        most = self.maximum
        if not isinstance(value, str):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self.no("string")
            given = str(_number(value))
        if not given.strip():
            if self.required or self.filled:
                raise self.no("required" if self.required else "filled")
            return ""
        # The service counts UTF-16 units: two for an emoji.
        if most and 2 * len(given) > most and _units(given) > most:
            raise self.no("max", limit=most)
        return given


class Choice(String):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], **options: Any) -> None:
        super().__init__(says={"enum": list(choices), "pattern": None}, **options)
        self.choices = choices

    def _read(self, value: Any) -> str:
        word = super()._read(value)
        if word and word not in self.choices:
            raise self.refusal(word)
        return word

    def refusal(self, word: str) -> ValidationError:
        """Return the refusal of another word."""
        refused = text("in", choices=" or ".join(self.choices))
        return ValidationError(f"{guess(word, self.choices)} {refused}".strip())  # the list is long


class Uid(String):
    """A uid: letters, digits, dashes and underscores, read in lower case."""

    PATTERN = f"^[A-Za-z0-9_-]{{1,{MAX_UID_LENGTH}}}$"

    def __init__(self, **options: Any) -> None:
        super().__init__(says={"pattern": self.PATTERN}, **options)

    def _read(self, value: Any) -> str:
        uid = super()._read(value)
        if len(uid) > MAX_UID_LENGTH:
            raise self.no("max", limit=MAX_UID_LENGTH)
        if not UID_CHARACTERS.issuperset(uid):
            raise self.no("uid")
        return uid.lower()


class Url(String):
    """An absolute URL of up to 3,000 characters."""

    PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20/?#]+[^\x00-\x20]*")

    def __init__(self, **options: Any) -> None:
        super().__init__(maximum=MAX_URL, says={"pattern": f"^{self.PATTERN.pattern}$"}, **options)

    def _read(self, value: Any) -> str:
        url = super()._read(value)
        if url and not self.PATTERN.fullmatch(url):
            raise self.no("url")
        return url


class Flag(Field):
    """A boolean, also as the words and digits that forms and Android send."""

    SAYS: ClassVar = {"type": "boolean"}
    _WORDS: ClassVar = {"true": True, "1": True, "false": False, "0": False, "": False}

    def _read(self, value: Any) -> bool:
        word = str(_number(value)).strip().lower() if isinstance(value, str | int | float) else None
        if word not in self._WORDS:
            raise self.no("boolean")
        return self._WORDS[word]


class Whole(Field):
    """A whole number between two bounds, also as text."""

    def __init__(self, least: int, most: int, below: int | None = None, **options: Any) -> None:
        """Make a field in which `below`, if it is given, stands for every number below 1."""
        minimum = least if below is None else None
        super().__init__(says={"type": "integer", "minimum": minimum, "maximum": most}, **options)
        self.least, self.most, self.below = least, most, below

    def _read(self, value: Any) -> int | None:
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


class Object(Field, fields.Nested):
    """A JSON object that a schema of its own declares."""

    def __init__(self, schema: type[Schema], **options: Any) -> None:
        super().__init__(nested=schema, **options)
        self._prepared = Prepared(schema)

    def _read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.no("object")
        return self._prepared.load(value)


class Metadata(Field):
    """A JSON object of up to 5 KB, also as its text; PHP's empty array is an empty object."""

    SAYS: ClassVar = {"type": "object"}

    def _read(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str) and value.strip():
            value = parsed(value)
        if value in ("", []) or (isinstance(value, str) and not value.strip()):
            return {}
        if not isinstance(value, dict):
            raise self.no("object")
        if len(json_text.render(value)) > MAX_METADATA:
            raise self.no("size", limit=MAX_METADATA)
        return value


class Strings(Field):
    """A list of texts, also as JSON; a refusal names the place of the text."""

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
        word = String(required=True, maximum=longest)
        self.item = Choice(choices, required=True) if choices else word
        items = dict(self.item.metadata)
        if commas and not choices:
            items["pattern"] = r"^[^,\[]*$"
        least = 1 if options.get("required") else None
        said = {"type": "array", "items": items, "minItems": least, "maxItems": most}
        super().__init__(says=said, **options)
        self.most, self.commas, self.once = most, commas, once

    def _read(self, value: Any) -> list[str]:
        items = self._items(value)
        if self.required and not items:
            raise self.no("required")
        if self.most and len(items) > self.most:
            raise self.no("items", limit=self.most)
        refused: dict[str | int, Any] = {}
        for place, item in enumerate(items):
            try:
                items[place] = self.item.deserialize(item)
            except ValidationError as error:
                refused[place] = error.messages
        if refused:
            raise ValidationError(refused)
        if self.once:  # the case of uids does not count; the first of two stays
            items = list({item.lower(): item for item in reversed(items)}.values())[::-1]
        return items

    def _items(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            value = self._split(value)
        if isinstance(value, dict) and all(str(key).isdigit() for key in value):
            return list(value.values())  # a form's fields, or PHP's array with gaps
        if not isinstance(value, list):
            raise self.no("array")
        return list(value)

    def _split(self, value: str) -> Any:
        if self.commas and not value.lstrip().startswith("["):
            return [item.strip() for item in value.split(",") if item.strip()]
        return parsed(value) if value.strip() else []


class ObjectsByKey(Field):
    """JSON objects by key, of which each is read by itself."""

    def __init__(self, most: int, **options: Any) -> None:
        said = {"additionalProperties": {"type": "object"}, "minProperties": 1}
        super().__init__(says={"type": "object", "maxProperties": most, **said}, **options)
        self.most = most

    def _read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.no("object")
        if not value:
            raise self.no("required")
        if len(value) > self.most:
            raise self.no("items", limit=self.most)
        return value


class AnyJson(Field):
    """Any JSON in which an SDK describes itself, kept as JSON text."""

    def _read(self, value: Any) -> str:
        return str(value) if isinstance(value, str) else json_text.render(value).decode()


def _units(value: str) -> int:
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def _number(value: Any) -> Any:
    """Return a whole number as an int: in JSON, 1.0 is the same as 1.

    A number beyond 64 bits stays the rounded float that the parser made of it.
    """
    whole = isinstance(value, float) and value.is_integer() and -(2**63) < value < 2**64
    return int(value) if whole else value


def parsed(value: str) -> Any:
    """Return the value of a JSON text, or None for any other text."""
    try:
        return json_text.parse(value)
    except ValueError:
        return None
