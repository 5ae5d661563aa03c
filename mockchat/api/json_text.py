"""JSON: parsed with a limit of depth, printed as the live service prints it."""

import json
import math
import re
from typing import Any

import orjson

from mockchat.core.steps import STEP, Steps

MAX_DEPTH = 64  # far above any real body, far below where printing would fail
_LONGEST_INTEGER = 20  # characters that 64 bits need
_LONG_LEVELS = 4  # levels of a snapshot or a fixture around its users
_SPACE = re.compile(r"[ \t\r\n]*")


def parse(raw: bytes | str, most: int = MAX_DEPTH) -> Any:
    """Return the value; raise ValueError if the text is no JSON or is nested too deeply."""
    value = orjson.loads(raw)
    brackets = (b"[", b"{") if isinstance(raw, bytes) else ("[", "{")
    if sum(map(raw.count, brackets)) > most and _is_deeper(value, most):  # type: ignore[arg-type]
        raise ValueError(f"nested more than {most} levels deep")
    return value


def render(value: Any) -> bytes:
    r"""Return compact JSON with `/` escaped as `\/`, as PHP does (reference section 1.1)."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # half a surrogate pair, from a header: printed as `?`
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return text.replace(b"/", rb"\/")


def exact(value: Any) -> bytes:
    """Return compact JSON, from which `parse` makes the same value again."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()


def parsing(raw: bytes, most: int = MAX_DEPTH) -> Steps[Any]:
    """Return the value of a long text; raise ValueError as `parse` does."""
    try:
        text = raw.decode()
        value, end = yield from _parsing(text, _after_space(text, 0), _LONG_LEVELS, most)
    except RecursionError:
        raise ValueError(f"nested more than {most} levels deep") from None
    if _after_space(text, end) < len(text):
        raise ValueError(f"unexpected text: character {end}")
    return value


def _parsing(text: str, at: int, levels: int, most: int) -> Steps[tuple[Any, int]]:
    """Return the value at a place, and the place after it; only outer levels are long."""
    first = text[at : at + 1]
    if not levels or first not in ("{", "["):
        value, end = _decoder.raw_decode(text, at)
        if _is_deeper(value, most):
            raise ValueError(f"nested more than {most} levels deep")
        return value, end
    pairs: list[tuple[Any, Any]] = []
    at, closing = _after_space(text, at + 1), "}" if first == "{" else "]"
    while text[at : at + 1] != closing or pairs:
        key = None
        if first == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _expect(text, at, ":")
            if not isinstance(key, str):
                raise ValueError(f"a key must be a string: character {at}")
        value, at = yield from _parsing(text, at, levels - 1, most - 1)
        pairs.append((key, value))
        if len(pairs) % STEP == 0:
            yield
        at = _after_space(text, at)
        if text[at : at + 1] == closing:
            break
        at = _expect(text, at, ",")
    return (dict(pairs) if first == "{" else [value for _, value in pairs]), at + 1


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, character: str) -> int:
    """Return the place after a character and white space."""
    at = _after_space(text, at)
    if text[at : at + 1] != character:
        raise ValueError(f"expected {character!r}: character {at}")
    return _after_space(text, at + 1)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _integer(text: str) -> int | float:
    """Return an integer; one that 64 bits do not hold becomes a float, as in `orjson`."""
    is_small = len(text) <= _LONGEST_INTEGER and -(2**63) <= int(text) < 2**64
    return int(text) if is_small else _number(text)


_decoder = json.JSONDecoder(parse_float=_number, parse_int=_integer, parse_constant=_number)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether values are nested in more than `levels` levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
