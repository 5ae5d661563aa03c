"""Hints: the nearest right request to a refused one, which the error itself may not say."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from mockchat.api import OPERATIONS
from mockchat.api.operation import CONTROL_PREFIX
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.store import Store
from mockchat.wire.resolve import RequestContext
from mockchat.wire.routing import router

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NEAR = 0.6  # how alike two paths must be, of 1
# The header that is read, and wrong headers that people send.
_ASTRAY = {
    errors.KEY_MISSING: ("apikey", ("x-api-key", "api-key", "api_key", "authorization", "key")),
    errors.AUTH_TOKEN_MISSING: (
        "authToken",
        ("x-auth-token", "auth-token", "auth_token", "authorization", "token"),
    ),
}
_UNKNOWN = (errors.AUTH_TOKEN_UNKNOWN, errors.KEY_UNKNOWN)
_REQUIRED = "field is required."  # how a sentence of `details` ends that misses a field
# Beyond these, mockchat looks for no hint: a client must not make it work.
_MAX_PATH, _MAX_KEYS = 200, 100
_MAX_LENGTH = 300


def hint(context: RequestContext, error: ApiError, store: Store) -> str | None:
    """Return the nearest right request, in one line of ASCII, or None."""
    row, target = error.definition, context.head.target
    found: str | None = None
    if row is errors.API_NOT_FOUND and len(target.path) <= _MAX_PATH:
        found = _nearest(context.head.method, target.segments)
    elif row in _ASTRAY:
        found = _header(context, *_ASTRAY[row])
    elif row in _UNKNOWN:
        found = _elsewhere(context, store)
    elif row is errors.AUTH_TOKEN_WITH_SPACE and _is_bearer(context.credential):
        found = "authToken takes the auth token alone, without Bearer"
    elif error.details:
        found = _field(context, error.details)
    plain = (found or "").encode("ascii", "backslashreplace").decode()
    return "".join(filter(str.isprintable, plain))[:_MAX_LENGTH] or None


@lru_cache(maxsize=1024)
def _nearest(method: str, segments: tuple[str, ...]) -> str | None:
    if methods := [one for one in _METHODS if router().find(one, segments)]:
        return f"this path has {' and '.join(methods)}, no {method}"
    from difflib import SequenceMatcher  # noqa: PLC0415  # a start needs no hints

    asked = [segment.lower() for segment in segments]
    matcher = SequenceMatcher(None, b="/".join(asked), autojunk=False)
    best, nearest = _NEAR, ""
    is_ours = segments[:1] == (CONTROL_PREFIX.strip("/"),)
    for row in CONTROL_OPERATIONS if is_ours else OPERATIONS:
        matcher.set_seq1(_filled(row.path.strip("/").split("/"), asked))
        bonus = 0.01 * (row.method == method)
        # As in difflib's own get_close_matches, the quick ratios spare most of the slow ones.
        ratios = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
        if all(ratio() + bonus > best for ratio in ratios):
            best, nearest = matcher.ratio() + bonus, f"{row.method} {row.path} ({row.id})"
    return f"the nearest is {nearest}" if nearest else None


def _filled(path: list[str], asked: list[str]) -> str:
    return "/".join(
        asked[place] if segment.startswith("{") and place < len(asked) else segment.lower()
        for place, segment in enumerate(path)
    )


def _header(context: RequestContext, wanted: str, astray: Iterable[str]) -> str:
    headers = context.head.headers
    if sent := next((name for name in astray if name in headers), None):
        bare = ", without Bearer" if _is_bearer(headers[sent]) else ""
        return f"the header {sent} was sent, but {wanted} is the one that is read{bare}"
    other = "authToken" if wanted == "apikey" else "apikey"
    if headers.get(other, "").strip():
        return f"the header {other} was sent, but this operation asks for {wanted}"
    return f"the header {wanted} is missing"


def _is_bearer(credential: str) -> bool:
    return credential.lower().startswith("bearer ")


def _elsewhere(context: RequestContext, store: Store) -> str | None:
    """Return the app that knows the credential of a request for another app."""
    kind, credential = context.summary.credential, context.credential
    found = (store.app_with_token if kind == "token" else store.app_with_key)(credential)
    what = "auth token" if kind == "token" else "api key"
    told = f"this {what} is one of the app {{}}, and the request is for the app {context.app.id}"
    return told.format(found.id) if found else None


def _field(context: RequestContext, details: Mapping[str, Iterable[str]]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415

    sent = list(context.body.known)
    endpoint = context.head.endpoint
    if endpoint is None or not endpoint.takes_body or not sent:
        return None
    missing = [
        field
        for field, said in details.items()
        if "." not in field and any(one.endswith(_REQUIRED) for one in said) and field not in sent
    ]
    if not missing:
        return None
    by_form = {_plain(key): key for key in sent[:_MAX_KEYS]}
    near = get_close_matches(_plain(missing[0]), by_form, n=1)
    but = f", but {by_form[near[0]]} was sent" if near else ""
    return f"the field {missing[0]} is missing{but}"


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
