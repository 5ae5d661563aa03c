"""Routing: a method and a raw path to an endpoint, which is an operation made ready to serve."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple
from urllib.parse import unquote

from mockchat.api import MANAGEMENT, OPERATIONS, UNBUILT
from mockchat.api.operation import CONTROL_PREFIX, Operation
from mockchat.api.plain import AnySchema
from mockchat.api.schemas import compile_print
from mockchat.api.validation import Loader
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import NOT_BUILT
from mockchat.core.matching import VERSION
from mockchat.wire.hosts import MANAGEMENT_SERVICE, Address

_NO_VALUES: Mapping[str, str] = {}
_APPS = "apps"
_CONTROL = CONTROL_PREFIX.strip("/")


class Endpoint:
    """An operation with its schemas, each prepared when it is first used: a start needs few."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.name = operation.id
        self.is_control = operation.is_control
        self.caller = operation.access.caller
        self.takes_query = operation.query is not None
        self.takes_body = operation.body is not None
        self.writes = operation.method != "GET" and not operation.only_reads
        self.makes_no_app = self.is_control and operation.method in ("GET", "DELETE")
        is_built = NOT_BUILT not in operation.errors
        self.unbuilt = "" if is_built else f"{operation.method} {operation.path}"
        self.handler = operation.handler
        self.is_async = inspect.iscoroutinefunction(operation.handler)

    @cached_property
    def load_query(self) -> Loader:
        """The loader of its query."""
        return Loader(self.operation.query)

    @cached_property
    def load_body(self) -> Loader:
        """The loader of its body."""
        return Loader(self.operation.body)

    @cached_property
    def printed(self) -> Callable[[Any, str], Any]:
        """The function that prints its result, for the client of a server."""
        return compile_print(self.operation.returns or AnySchema)


class Target(NamedTuple):
    """The segments of a path, and the app id of an `/apps/{appId}` in front."""

    segments: tuple[str, ...]
    app_id: str | None
    path: str  # that the segments make
    is_control: bool  # whether the path belongs to the control API


def parse_path(raw_path: str) -> Target:
    """Return the path's segments without prefixes, empty ones and percent-encoding.

    An SDK may double slashes and versions (`/v3.0//v3.0/me`); all versions are one API.
    """
    segments = [segment for segment in raw_path.split("/") if segment]
    app_id = None
    if len(segments) > 1 and segments[0] == _APPS:
        named = not VERSION.fullmatch(segments[1])  # `/apps//v3/…` names no app
        app_id = unquote(segments[1]) if named else ""
        del segments[: 1 + named]
    start = 0
    while start < len(segments) and VERSION.fullmatch(segments[start]):
        start += 1
    meant = tuple(_decoded(one) if "%" in one else one for one in segments[start:])
    return Target(meant, app_id, "/" + "/".join(meant), meant[:1] == (_CONTROL,))


def _decoded(segment: str) -> str:
    return unquote(segment, errors="surrogateescape")  # bytes that are no UTF-8 survive a re-encode


Found = tuple[Endpoint, Mapping[str, str]]


class Router:
    """Finds the endpoint of a method and path; a literal segment wins over a variable one."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.by_name: dict[str, Endpoint] = {}  # the first row of each name
        self._rows: dict[tuple[str, int], list[tuple[list[str], Endpoint]]] = {}
        for operation in operations:
            endpoint = Endpoint(operation)
            self.by_name.setdefault(endpoint.name, endpoint)
            parts = operation.path.strip("/").split("/")
            self._rows.setdefault((operation.method, len(parts)), []).append((parts, endpoint))
        for rows in self._rows.values():
            rows.sort(key=lambda row: [part.startswith("{") for part in row[0]])

    def find(self, method: str, segments: tuple[str, ...]) -> Found | None:
        """Return the endpoint and the path's variables, or None."""
        key = ("GET" if method == "HEAD" else method, len(segments))
        for parts, endpoint in self._rows.get(key, ()):
            pairs = list(zip(parts, segments, strict=True))
            if all(part == segment or part.startswith("{") for part, segment in pairs):
                return endpoint, {part[1:-1]: one for part, one in pairs if part.startswith("{")}
        return None


@cache
def router() -> Router:
    """Return the one router, which holds nothing of a server: tests make many servers."""
    return Router((*CONTROL_OPERATIONS, *OPERATIONS, *UNBUILT))


def route(
    method: str, raw_path: str, address: Address
) -> tuple[Target, Endpoint | None, Mapping[str, str], str]:
    """Return a path as a target, its endpoint and the values in it.

    The last is the name of a request to a service that is not built, else empty.
    """
    target = parse_path(raw_path)
    service = None if target.is_control else address.unbuilt
    unbuilt = _named(service, method, raw_path) if service else ""
    found = None if unbuilt else router().find(method, target.segments)
    return (target, *(found or (None, _NO_VALUES)), unbuilt)


@cache
def _management() -> Router:
    return Router(MANAGEMENT)


def _named(service: str, method: str, raw_path: str) -> str:
    """Return the name of a request to a service that is not built, or of the service."""
    if service == MANAGEMENT_SERVICE:
        segments = tuple(segment for segment in raw_path.split("/") if segment)
        if found := _management().find(method, segments):
            return f"{found[0].unbuilt} of the service {service}"
    return f"The service {service}"
