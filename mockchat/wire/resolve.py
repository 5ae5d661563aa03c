"""Resolution: a request becomes a context, which holds every fact known before it is served."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from aiohttp import hdrs, web

from mockchat.api.operation import Hosts, ServerFacts
from mockchat.api.requests import only_logs_in
from mockchat.api.session_jwt import claim_in
from mockchat.api.validation import refuse
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.matching import RequestSummary
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire import hosts
from mockchat.wire.body import NO_BODY, Body, answer_expectation, receive
from mockchat.wire.hosts import Address
from mockchat.wire.routing import Endpoint, Target, route

SOCKET = "websocket"  # the operation name of the chat SDKs' WebSocket
_CREDENTIAL_IN_BODY = ("login", "logout")
_BY_JWT = "count_online_members"  # the operation that takes the session JWT
_CREDENTIAL_FIELDS = {"authKey": "key", "apiKey": "key", "authToken": "token"}
_parse_host = lru_cache(maxsize=1024)(hosts.parse_host)
_app_in = lru_cache(maxsize=1024)(hosts.app_in)
_hosts_for = lru_cache(maxsize=1024)(hosts.hosts_for)
_LOCAL = Address("localhost", 80, secure=False)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_NO_VALUES: Mapping[str, str] = {}


class RequestContext(NamedTuple):
    """A request, its app, its endpoint and the address by which it came; nothing here changes."""

    request: web.BaseRequest
    body: Body
    id: int  # of the exchange; 0 for the control API, whose exchanges are in no journal
    started: float  # seconds of the performance counter
    at: float  # unix seconds, by the app's clock
    target: Target
    endpoint: Endpoint | None
    path: Mapping[str, str]  # the values in the path
    address: Address
    app_id: str  # that path, sub-domain or header name; empty where none does
    app: App  # that serves the request, or the default app where `refusal` says why none does
    refusal: ApiError | None

    @property
    def is_control(self) -> bool:
        """Whether the request is for the control API."""
        return not self.id

    @property
    def method(self) -> str:
        """The method."""
        return self.request.method

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by name in any case."""
        return self.request.headers

    @property
    def operation(self) -> str | None:
        """The name of the operation, None where the path or method has none."""
        if self.endpoint is not None:
            return self.endpoint.name
        upgrade = self.request.headers.get(hdrs.UPGRADE, "")
        return SOCKET if not self.target.segments and upgrade.lower() == SOCKET else None

    @property
    def faulty_app_id(self) -> str | None:
        """The app whose faults strike the request.

        A WebSocket whose handshake names no app has none before it authenticates.
        """
        unnamed_socket = not self.app_id and self.operation == SOCKET
        return None if self.refusal or unnamed_socket else self.app.id

    def summary(self) -> RequestSummary:
        """Return the facts that faults and journal filters match."""
        operation = self.operation
        logs_in = operation == "login" or (
            operation == "update_me" and only_logs_in(self.body.fields_or_none())
        )
        path, (kind, _) = self.target.path, self.credential()
        return RequestSummary(self.method, path, operation, self._uid(), kind, logs_in)

    def credential(self) -> tuple[str | None, str]:
        """Return the kind of the credential, `key` or `token`, and the credential itself."""
        if self.operation in _CREDENTIAL_IN_BODY:
            fields = self.body.fields_or_none()
            for field, kind in _CREDENTIAL_FIELDS.items():
                if fields.get(field):
                    return kind, str(fields[field])
        if token := self._jwt() or self.headers.get("authToken"):
            return "token", token
        key = self.headers.get("apiKey")
        return ("key", key) if key else (None, "")

    def _uid(self) -> str | None:
        """Return the uid in the path or body, or the owner of the auth token or session JWT."""
        fields = self.body.fields_or_none()
        if uid := self.path.get("uid"):
            return uid
        if uid := fields.get("uid"):
            return str(uid).lower()
        if jwt := self._jwt():
            return claim_in(jwt, "sub")
        token = self.headers.get("authToken") or fields.get("authToken")
        found = self.app.tokens.get(str(token)) if token else None
        return found.uid if found else None

    def _jwt(self) -> str:
        return self.headers.get("Authorization", "").strip() if self.operation == _BY_JWT else ""


class Resolver:
    """Resolves the requests of one server; no request makes it raise."""

    def __init__(self, config: Config, store: Store, server: ServerFacts) -> None:
        self._config = config
        self._store = store
        self._server = server
        self._public: Address | None = None
        if config.public_url:
            scheme, _, netloc = config.public_url.partition("://")
            self._public = hosts.parse_host(netloc, secure=scheme == "https")

    async def resolve(self, request: web.BaseRequest) -> RequestContext:
        """Return the context of a request, its body read."""
        started = time.perf_counter()
        target, found = route(request.method, request.rel_url.raw_path)
        control = target.is_control
        exchange_id = 0 if control else self._store.journals.next_id()
        unmet = await answer_expectation(request) if hdrs.EXPECT in request.headers else None
        body = await receive(request, control=control) if request.body_exists else NO_BODY
        address, misread = self.address(request)
        app_id, app, refusal = self._app(request, target, address)
        endpoint, path = found or (None, _NO_VALUES)
        return RequestContext(
            request, body, exchange_id, started, app.clock.now(), target, endpoint, path,
            address, app_id, app, misread or refusal or unmet,
        )  # fmt: skip

    def address(self, request: web.BaseRequest) -> tuple[Address, ApiError | None]:
        """Return the address by which the client came, and the refusal of one that is unreadable.

        The host in an absolute target wins over the Host header (RFC 9112, section 3.2.2).
        """
        headers, secure = request.headers, request.secure
        source, host = "Host", headers.get("Host", "")
        if absolute := _ABSOLUTE.match(request.raw_path):
            host = absolute[1]
        if self._config.trust_proxy:
            if forwarded := headers.get("X-Forwarded-Host", "").partition(",")[0].strip():
                source, host = "X-Forwarded-Host", forwarded
            scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
            secure = scheme == "https" if scheme else secure
        found = _parse_host(host, secure=secure)
        # HTTP/1.0 needs no Host, and an empty one means this machine, too.
        misread = refuse(source, "exists") if host and found is None else None
        return found or _own_address(request, secure=secure), misread

    def _app(
        self, request: web.BaseRequest, target: Target, address: Address
    ) -> tuple[str, App, ApiError | None]:
        """Return the app id that the request names, the app, and why no app serves it.

        The app is that of the path, the sub-domain, the header or the credential, else the
        default one. Only requests of the emulated API make an app that is new.
        """
        store, headers = self._store, request.headers
        app_id = target.app_id or _app_in(address.name) or headers.get("appId", "").strip()
        try:
            if target.app_id == "":
                raise errors.APP_ID_MISSING()
            if target.is_control or request.method == hdrs.METH_OPTIONS:
                return app_id, store.find(app_id) or store.default, None
            if app_id:
                return app_id, store.app(app_id), None
            if app := self._app_by_credential(headers):
                return app_id, app, None
            if store.rules.strict_apps:
                raise errors.APP_ID_MISSING()
        except ApiError as refusal:
            return app_id, store.default, refusal
        return app_id, store.default, None

    def _app_by_credential(self, headers: Mapping[str, str]) -> App | None:
        """Return the one app that knows the token or key: Calls SDKs name no app."""
        store = self._store
        if store.is_single and not store.rules.strict_apps:
            return store.default
        if call_app := claim_in(headers.get("callToken", ""), "appId"):
            return store.app(call_app)
        token, key = headers.get("authToken"), headers.get("apiKey")
        app = store.app_with_token(token) if token else None
        return app or (store.app_with_key(key) if key else None)

    def hosts(self, context: RequestContext, app: App) -> Hosts:
        """Return the hosts by which the client goes on."""
        return self._hosts(context.address, app, context.target.app_id)

    def own_hosts(self, app: App) -> Hosts:
        """Return the hosts by which a client reaches the server itself."""
        scheme, _, netloc = (self._server.base_url or "http://localhost").partition("://")
        address = hosts.parse_host(netloc, secure=scheme == "https") or _LOCAL
        found = self._hosts(address, app, None if app is self._store.default else app.id)
        plain = self._server.plain_url
        return replace(found, server=plain) if plain and not self._public else found

    def _hosts(self, address: Address, app: App, app_in_path: str | None) -> Hosts:
        prefix = f"/apps/{app_in_path}" if app_in_path else ""
        return _hosts_for(
            self._public or address, app.id, prefix, self._config.region, self._server.https_port
        )


def _own_address(request: web.BaseRequest, *, secure: bool) -> Address:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return Address("localhost", 443 if secure else 80, secure)
    return Address(str(name[0]), int(name[1]), secure)
