"""Routing: a raw path to an operation, whatever prefixes and doubled slashes it came with."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from mockchat.api.operation import Operation
from mockchat.core.matching import VERSION
from mockchat.wire.endpoint import Endpoint

_APPS = "apps"


class Target(NamedTuple):
    """What a path means: its segments, and the app that a `/apps/{appId}` in front names."""

    segments: tuple[str, ...]
    app_id: str | None
    path: str = "/"  # that the segments make


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
    return Target(meant, app_id, "/" + "/".join(meant))


def _decoded(segment: str) -> str:
    return unquote(segment, errors="surrogateescape")  # what is no UTF-8 can be encoded again


Found = tuple[Endpoint, Mapping[str, str]]


class _Node:
    __slots__ = ("children", "endpoints", "wildcard")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wildcard: _Node | None = None
        self.endpoints: dict[str, tuple[Endpoint, tuple[tuple[int, str], ...]]] = {}


class Router:
    """Finds the endpoint of a method and path; a literal segment wins over a variable one."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node, names = self._root, []
        for place, segment in enumerate(operation.path.strip("/").split("/")):
            if segment.startswith("{"):
                names.append((place, segment.strip("{}")))
                node.wildcard = node.wildcard or _Node()
                node = node.wildcard
            else:
                node = node.children.setdefault(segment, _Node())
        node.endpoints[operation.method] = (Endpoint(operation), tuple(names))

    def find(self, method: str, segments: tuple[str, ...]) -> Found | None:
        """Return the endpoint and the path's variables, or None."""
        node: _Node | None = self._root
        for segment in segments:
            assert node is not None  # noqa: S101
            node = node.children.get(segment) or node.wildcard
            if node is None:
                return None
        assert node is not None  # noqa: S101
        found = node.endpoints.get("GET" if method == "HEAD" else method)
        if found is None:
            return None
        endpoint, names = found
        return endpoint, {name: segments[place] for place, name in names}
