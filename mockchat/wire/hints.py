"""Hints: what a refused request came nearest to, beyond what the error itself may say."""

from collections.abc import Iterable
from functools import lru_cache

from mockchat.api import OPERATIONS
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.wire.body import parse_body
from mockchat.wire.router import Router
from mockchat.wire.visit import Visit

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NEAR = 0.6  # how alike two paths must be, of 1
# Where people put a credential that belongs elsewhere.
_ASTRAY = {
    errors.KEY_MISSING: ("apikey", ("x-api-key", "api-key", "api_key", "authorization", "key")),
    errors.AUTH_TOKEN_MISSING: (
        "authToken",
        ("x-auth-token", "auth-token", "auth_token", "authorization", "token"),
    ),
}
_MAX_LENGTH = 300


def hint(visit: Visit, error: ApiError, router: Router) -> str | None:
    """Return what came nearest to being right, in one printable line, if anything did."""
    row = error.definition
    if row is errors.API_NOT_FOUND:
        found = _nearest(visit.request.method, visit.target.segments, router)
    elif row in _ASTRAY:
        found = _header(visit, *_ASTRAY[row])
    elif error.details:
        found = _field(visit, error.details)
    else:
        return None
    return found and "".join(filter(str.isprintable, found))[:_MAX_LENGTH]


@lru_cache(maxsize=1024)
def _nearest(method: str, segments: tuple[str, ...], router: Router) -> str | None:
    if methods := [one for one in _METHODS if router.find(one, segments)]:
        return f"this path has {' and '.join(methods)}, no {method}"
    asked = [segment.lower() for segment in segments]
    best, nearest = _NEAR, ""
    for row in OPERATIONS:
        likeness = _likeness(asked, row.path.strip("/").split("/")) + 0.01 * (row.method == method)
        if likeness > best:
            best, nearest = likeness, f"{row.method} {row.path}"
    return f"the nearest is {nearest}" if nearest else None


def _likeness(asked: list[str], path: list[str]) -> float:
    filled = [
        asked[place] if segment.startswith("{") and place < len(asked) else segment.lower()
        for place, segment in enumerate(path)
    ]
    from difflib import SequenceMatcher  # noqa: PLC0415  # a start needs no hints

    return SequenceMatcher(None, "/".join(asked), "/".join(filled)).ratio()


def _header(visit: Visit, wanted: str, astray: Iterable[str]) -> str | None:
    headers = visit.request.headers
    sent = next((name for name in astray if name in headers), None)
    if sent:
        return f"the header {sent} was sent, but {wanted} is the one that is read"
    other = "authToken" if wanted == "apikey" else "apikey"
    if headers.get(other, "").strip():
        return f"the header {other} was sent, but this operation asks for {wanted}"
    return f"the header {wanted} is missing"


def _field(visit: Visit, details: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415

    try:
        sent = list(parse_body(visit.raw, visit.request.headers.get("Content-Type", "")))
    except ApiError:
        return None
    by_form = {_plain(key): key for key in sent}
    for field in details:
        if field in sent:
            continue
        if near := get_close_matches(_plain(field), by_form, n=1):
            return f"the field {field} is missing, but {by_form[near[0]]} was sent"
        if visit.endpoint is not None and visit.endpoint.takes_body and "." not in field:
            return f"the field {field} is missing"
    return None


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
