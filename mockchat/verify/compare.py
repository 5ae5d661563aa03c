"""Comparison: the places where two answers differ; volatile values are compared by their form."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mockchat.core.clock import Clock
from mockchat.core.errors import mask
from mockchat.verify.side import Answer

ABSENT = "(absent)"
_DAY = 86_400  # seconds
Names = tuple[Mapping[str, str], Mapping[str, str]]  # of the values that each side may answer
# Headers of the connection, of the software behind it, and of mockchat itself.
_OF_TRANSPORT = re.compile(
    r"(?:date|content-length|content-encoding|transfer-encoding|connection|keep-alive|server|"
    r"upgrade|alt-svc|via|age|set-cookie|strict-transport-security|(?:x-mock|cf|x-amz)-.*)"
)
_CLASSES = ("10000", "20000")  # the documented limits a minute; plans may have others
_LIMIT = "x-ratelimit-limit"
_STYLES = {
    "slashes": {"escaped": r"\\/", "as they are": r"(?<!\\)/"},
    "characters beyond ASCII": {"escaped": r"\\u[0-9a-f]{4}", "as they are": r"[^\x00-\x7f]"},
    "white space after `:`": {"there": r'":\s', "none": r'":\S'},
}
_OF_SETTINGS = "ADMIN_API_HOST"  # a key of the settings of an app, which name its hosts


class Difference(NamedTuple):
    """A place where two answers differ, and the value of each side."""

    place: str
    live: str
    mockchat: str


# --- forms ----------------------------------------------------------------------------------
def _seconds(value: Any) -> Any:
    """Return the form of a time: unix seconds of about now."""
    is_now = isinstance(value, int) and abs(value - Clock().now()) < _DAY
    return "<unix seconds>" if is_now and not isinstance(value, bool) else value


def _pattern(pattern: str, form: str) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        return re.sub(pattern, form, value) if isinstance(value, str) else value

    return of


def _type(value: Any) -> Any:
    """Return the form of a setting or a secret: its type."""
    return f"<{type(value).__name__}>"


_Pairs = list[tuple[str, str]]  # values, and the words for them
_TOKEN = _pattern(r"_[0-9]{10}[0-9a-f]{30}\Z", "_<10 digits><30 hex digits>")
_JWT = _pattern(r"\A[\w-]+\.[\w-]+\.[\w-]+\Z", "<JWT>")
_VOLATILE: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("createdAt", "updatedAt", "lastActiveAt", "deactivatedAt", "blockedAt", "blockedByMeAt"),
        _seconds,
    ),
    "authToken": _TOKEN,
    "apiKey": _pattern(r"\A[0-9a-f]{40}\Z", "<40 hex digits>"),
    "jwt": _JWT,
    "token": _JWT,
    "fat": _JWT,
    "secret": _type,
}


def replaced(text: str, values: Mapping[str, str]) -> str:
    """Return a text with other words for known values, and for their masked forms."""
    return _replaced(text, _longest_first(values))


def _longest_first(values: Mapping[str, str]) -> _Pairs:
    pairs = [*values.items(), *((mask(value), mask(other)) for value, other in values.items())]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def _replaced(text: str, pairs: _Pairs) -> str:
    for value, other in pairs:
        text = text.replace(value, other)
    return text


def _form(value: Any, names: _Pairs, key: str = "") -> Any:
    """Return a JSON document in its form: known values by name, and times and ids by pattern."""
    if isinstance(value, str):
        value = _replaced(value, names)
    if key in _VOLATILE:
        return _VOLATILE[key](value)
    if isinstance(value, dict) and _OF_SETTINGS in value:
        return {name: _type(inner) for name, inner in value.items()}
    if isinstance(value, dict):
        return {_replaced(name, names): _form(inner, names, name) for name, inner in value.items()}
    return [_form(inner, names) for inner in value] if isinstance(value, list) else value


def _own_part(body: Any, prefix: str) -> Any:
    """Return a list without the items of others; its counts become forms."""
    if not prefix or not isinstance(body, dict) or not isinstance(body.get("data"), list):
        return body
    own = [item for item in body["data"] if prefix in json.dumps(item)]
    meta = body.get("meta")
    if isinstance(meta, dict) and isinstance(meta.get("pagination"), dict):
        counts = {name: _type(it) for name, it in meta["pagination"].items()}
        body = {**body, "meta": {**meta, "pagination": counts}}
    return {**body, "data": own}


# --- comparison -----------------------------------------------------------------------------
def compare(live: Answer, mock: Answer, names: Names, prefix: str = "") -> list[Difference]:
    """Return the differences of two answers; `prefix` leaves out the things of others."""
    found = list(_headers(live.headers, mock.headers))
    if live.status != mock.status:
        found.insert(0, Difference("status", str(live.status), str(mock.status)))
    theirs, ours = _own_part(live.body, prefix), _own_part(mock.body, prefix)
    if theirs is None or ours is None:
        texts = replaced(live.text, names[0]), replaced(mock.text, names[1])
        return [*found, *([Difference("body", *texts)] if texts[0] != texts[1] else [])]
    theirs = _form(theirs, _longest_first(names[0]))
    ours = _form(ours, _longest_first(names[1]))
    found += _documents("", theirs, ours)
    return found + list(_styles(live.text, mock.text))


def _headers(live: Mapping[str, str], mock: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(live.keys() | mock.keys()):
        pair = live.get(name, ABSENT), mock.get(name, ABSENT)
        by_value = name == "content-type" or (name == _LIMIT and pair[0] in _CLASSES)
        if (ABSENT in pair or by_value) and pair[0] != pair[1] and not _OF_TRANSPORT.match(name):
            shown = (one if by_value or one == ABSENT else "(there)" for one in pair)
            yield Difference(f"header {name}", *shown)


def _documents(place: str, live: Any, mock: Any) -> Iterator[Difference]:
    if isinstance(live, dict) and isinstance(mock, dict):
        for key in dict.fromkeys((*live, *mock)):
            inner = f"{place}.{key}" if place else key
            if key not in live or key not in mock:
                yield Difference(inner, _shown(live, key), _shown(mock, key))
            else:
                yield from _documents(inner, live[key], mock[key])
        order = [key for key in live if key in mock], [key for key in mock if key in live]
        if order[0] != order[1]:
            name = f"order of keys of {place or 'the body'}"
            yield Difference(name, ", ".join(order[0]), ", ".join(order[1]))
    elif isinstance(live, list) and isinstance(mock, list):
        yield from _lists(place, live, mock)
    elif live != mock or type(live) is not type(mock):
        yield Difference(place or "body", _text(live), _text(mock))


def _lists(place: str, live: list[Any], mock: list[Any]) -> Iterator[Difference]:
    place = place or "body"
    names = [_name(item) for item in live], [_name(item) for item in mock]
    if names[0] == names[1]:
        for at, (one, other) in enumerate(zip(live, mock, strict=True)):
            yield from _documents(f"{place}.{at}", one, other)
    elif sorted(names[0]) == sorted(names[1]):
        yield Difference(f"order of {place}", ", ".join(names[0]), ", ".join(names[1]))
    else:
        yield Difference(place, ", ".join(names[0]) or "[]", ", ".join(names[1]) or "[]")


def _name(item: Any) -> str:
    """Return the value that identifies an item of a list."""
    keys = ("authToken", "apiKey", "uid", "role", "name") if isinstance(item, dict) else ()
    return next((str(item[key]) for key in keys if key in item), _text(item))


def _shown(document: Mapping[str, Any], key: str) -> str:
    return _text(document[key]) if key in document else ABSENT


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _styles(live: str, mock: str) -> Iterator[Difference]:
    """Yield how the texts of two equal documents differ: escapes and white space."""
    for place, styles in _STYLES.items():
        pair = [
            next((name for name, pattern in styles.items() if re.search(pattern, text)), "")
            for text in (live, mock)
        ]
        if all(pair) and pair[0] != pair[1]:
            yield Difference(place, *pair)
