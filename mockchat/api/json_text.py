"""JSON: parsed with a limit of depth, printed as the live service prints it."""

import json
from typing import Any

import orjson

MAX_DEPTH = 64  # far above any real body, far below where printing would fail


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


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether values are nested in more than `levels` levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
