"""Routes: all operations, made ready to serve once; they hold nothing of a server."""

from functools import cache, lru_cache

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.control import CONTROL_OPERATIONS
from mockchat.wire.endpoint import Endpoint
from mockchat.wire.router import Found, Router, Target, parse_path


@cache
def router() -> Router:
    """Return the one router: tests make many servers."""
    return Router((*OPERATIONS, *UNBUILT, *CONTROL_OPERATIONS))


@cache
def endpoints() -> dict[str, Endpoint]:
    """Return the endpoints by the names of their operations."""
    rows = (*CONTROL_OPERATIONS, *OPERATIONS)
    return {row.id: Endpoint(row) for row in reversed(rows)}


@lru_cache(maxsize=4096)
def route(method: str, raw_path: str) -> tuple[Target, Found | None]:
    """Return what a path means; clients ask the same few again and again."""
    target = parse_path(raw_path)
    return target, router().find(method, target.segments)
