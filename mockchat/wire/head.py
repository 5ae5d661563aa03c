"""Heads: the facts that follow from the line and the headers of a request alone."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import hdrs, web

from mockchat.api import json_text
from mockchat.api.validation import MAX_BODY, refuse
from mockchat.config import Config
from mockchat.control.about import DASHBOARD
from mockchat.core.errors import ApiError
from mockchat.core.matching import SOCKET
from mockchat.wire.hosts import Address, parse_host
from mockchat.wire.routing import Endpoint, Target, parse_path, route

MAX_CONTROL_BODY = 16 * 2**20  # bytes: a seed of 100,000 users
MAX_CONTROL_DEPTH = 2 * json_text.MAX_DEPTH  # that of an emulated body, and a snapshot around it
STEERING_PREFIX = "x-mock-"  # of headers, in lower case
_NO_CODINGS = ("", "identity", "none")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_MOST = 512  # heads that are kept
_LONGEST = 2048  # bytes of a path and headers that are kept


class Head(NamedTuple):
    """The facts that follow from the line and the headers of a request alone."""

    method: str
    headers: Mapping[str, str]  # by name in any case
    address: Address
    misread: ApiError | None  # the refusal of a host that is unreadable
    server: str  # the URL of this server; empty if the client used a live name
    target: Target
    is_control: bool  # whether the request is for the control API
    endpoint: Endpoint | None
    operation: str | None  # its name
    path: Mapping[str, str]  # the values in the path
    query: str  # as it was sent
    app_id: str  # that path, sub-domain or header name; empty where none does
    unbuilt: str  # the name of a request to a service that is not built, else empty
    is_steered: bool  # whether one of its headers may steer mockchat
    content_type: str  # of its body
    coding: str  # in which its body is packed; empty for none
    max_body: int  # bytes
    max_depth: int  # levels of its JSON


class Heads:
    """Reads the heads of one server's requests; a head that comes again is read once."""

    def __init__(self, config: Config, public: Address | None) -> None:
        self._has_dashboard = config.dashboard
        self._trusts_proxy = config.trust_proxy
        self._public_server = public and public.server
        self._kept: dict[Any, Head] = {}

    def read(self, request: web.BaseRequest) -> Head:
        """Return the head of a request."""
        raw = tuple(request.raw_headers)  # a dict for bytes that are no request
        key = (request.method, request.raw_path, raw, request.secure)
        if head := self._kept.get(key):
            return head
        head = self._read(request)
        size = len(request.raw_path) + sum(len(name) + len(value) for name, value in raw)
        # A head without a host has the address of its connection.
        may_come_again = head.endpoint and not head.misread and head.headers.get(hdrs.HOST)
        if may_come_again and size <= _LONGEST:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = head
        return head

    def _read(self, request: web.BaseRequest) -> Head:
        method, headers = request.method, request.headers
        address, misread = self._address(request)
        raw_path = request.rel_url.raw_path
        if self._wants_dashboard(request) and not parse_path(raw_path).segments:
            raw_path = DASHBOARD
        target, endpoint, path, unbuilt = route(method, raw_path, address)
        operation = endpoint.name if endpoint else None
        is_upgrade = headers.get(hdrs.UPGRADE, "").lower() == SOCKET
        if is_upgrade and not (endpoint or unbuilt or target.segments):
            operation = SOCKET  # which opens at the root
        coding = headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
        limit = endpoint.operation.max_body if endpoint else MAX_BODY
        return Head(
            method=method,
            headers=headers,
            address=address,
            misread=misread,
            server=address.server if self._public_server is None else self._public_server,
            target=target,
            is_control=target.is_control,
            endpoint=endpoint,
            operation=operation,
            path=path,
            query=request.rel_url.raw_query_string,
            app_id=target.app_id or address.app_id or headers.get("appId", "").strip(),
            unbuilt=unbuilt,
            is_steered=STEERING_PREFIX in " ".join(headers).lower(),
            content_type=headers.get(hdrs.CONTENT_TYPE, ""),
            coding="" if coding in _NO_CODINGS else coding,
            max_body=max(limit, MAX_CONTROL_BODY) if target.is_control else limit,
            max_depth=MAX_CONTROL_DEPTH if target.is_control else json_text.MAX_DEPTH,
        )

    def _wants_dashboard(self, request: web.BaseRequest) -> bool:
        """Whether a request for `/` is that of a browser which opens the page."""
        return (
            self._has_dashboard
            and request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
            and "text/html" in request.headers.get(hdrs.ACCEPT, "")
            and hdrs.UPGRADE not in request.headers
        )

    def _address(self, request: web.BaseRequest) -> tuple[Address, ApiError | None]:
        """Return the address by which the client came, and the refusal of one that is unreadable.

        The host in an absolute target wins over the Host header (RFC 9112, section 3.2.2).
        """
        secure, path, headers = request.secure, request.raw_path, request.headers
        source, host = "Host", headers.get(hdrs.HOST, "")
        if path[:1] != "/" and (absolute := _ABSOLUTE.match(path)):
            host = absolute[1]
        if self._trusts_proxy:
            if forwarded := headers.get("X-Forwarded-Host", "").partition(",")[0].strip():
                source, host = "X-Forwarded-Host", forwarded
            scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
            secure = scheme == "https" if scheme else secure
        if found := parse_host(host, secure=secure):
            return found, None
        # HTTP/1.0 needs no Host, and an empty one means this machine, too.
        misread = refuse(source, "exists") if host else None
        return _own_address(request, secure=secure), misread


def _own_address(request: web.BaseRequest, *, secure: bool) -> Address:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return Address("localhost", 443 if secure else 80, secure)
    return Address(str(name[0]), int(name[1]), secure)
