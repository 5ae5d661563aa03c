"""JSON as it travels: parsed with care, printed as the live service prints it."""

import json
from typing import Any

import orjson

MAX_DEPTH = 64  # far above any real body, far below where printing would fail


def parse(raw: bytes | str, most: int = MAX_DEPTH) -> Any:
    """Return the value; raise ValueError with the reason for what is no JSON or too deep."""
    value = orjson.loads(raw)
    brackets = (b"[", b"{") if isinstance(raw, bytes) else ("[", "{")
    if sum(map(raw.count, brackets)) > most and _depth(value) > most:  # type: ignore[arg-type]
        raise ValueError(f"nested more than {most} levels deep")
    return value


def render(value: Any) -> bytes:
    r"""Return compact JSON with `/` escaped as `\/`, as PHP does (reference section 1.1)."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # half a surrogate pair, smuggled in by a header: printed as `?`
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return text.replace(b"/", rb"\/")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (
                outer.values()
                if isinstance(outer, dict)
                else outer
                if isinstance(outer, list)
                else ()
            )
        ]
    return depth
