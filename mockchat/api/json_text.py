"""JSON: parsed with a limit of depth, printed as the live service prints it."""

import json
import math
import re
from typing import Any

import orjson

MAX_DEPTH = 64  # far above any real body, far below where printing would fail
_HALF_PAIR = re.compile(r"\\u[dD]")
_SLICE = 2**19  # characters that are searched before another thread has its turn
_LONGEST_INTEGER = 20  # characters that 64 bits need


def parse(raw: bytes | str, most: int = MAX_DEPTH) -> Any:
    """Return the value; raise ValueError if the text is no JSON or is nested too deeply."""
    value = orjson.loads(raw)
    if len(raw) <= 2 * most:  # each level takes two brackets
        return value
    brackets = (b"[", b"{") if isinstance(raw, bytes) else ("[", "{")
    if sum(map(raw.count, brackets)) > most and _is_deeper(value, most):  # type: ignore[arg-type]
        raise _too_deep(most)
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


def parse_long(raw: bytes, most: int = MAX_DEPTH) -> Any:
    """Return what `parse` returns; in a thread, it lets the other threads have their turn."""
    text = raw.decode()
    try:
        value = json.loads(
            text,
            object_hook=_same,  # a function in Python: `orjson` would block all threads
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_number,
        )
    except RecursionError:
        raise _too_deep(most) from None
    if _is_deeper(value, most):
        raise _too_deep(most)
    # Half a surrogate pair is no text for `orjson`, either.
    if any(_HALF_PAIR.search(text, at, at + _SLICE + 2) for at in range(0, len(text), _SLICE)):
        json.dumps(value, ensure_ascii=False, indent=0).encode()
    return value


def _same(value: Any) -> Any:
    return value


def _too_deep(most: int) -> ValueError:
    return ValueError(f"nested more than {most} levels deep")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _integer(text: str) -> int | float:
    """Return an integer; one that 64 bits do not hold becomes a float, as in `orjson`."""
    is_small = len(text) <= _LONGEST_INTEGER and -(2**63) <= int(text) < 2**64
    return int(text) if is_small else _number(text)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether values are nested in more than `levels` levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
