"""Resolution: a request becomes a context, which holds every fact known before it is served."""

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from aiohttp import hdrs, web

from mockchat.api.operation import Hosts, ServerFacts, Sleep
from mockchat.api.session_jwt import subject_in
from mockchat.api.validation import MAX_BODY, refuse
from mockchat.config import Config
from mockchat.control.about import DASHBOARD
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.matching import SOCKET, RequestSummary
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire import hosts
from mockchat.wire.body import MAX_CONTROL_BODY, NO_BODY, Body, answer_expectation, receive
from mockchat.wire.hosts import Address
from mockchat.wire.routing import Endpoint, Target, parse_path, route
from mockchat.wire.summary import summary_of

_parse_host = lru_cache(maxsize=1024)(lambda host, secure: hosts.parse_host(host, secure=secure))
_hosts_for = lru_cache(maxsize=1024)(hosts.hosts_for)
STEERING_PREFIX = "x-mock-"  # of headers, in lower case
_LOCAL = Address("localhost", 80, secure=False)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


class RequestContext(NamedTuple):
    """A request, its app, its endpoint and the address by which it came; nothing here changes."""

    request: web.BaseRequest
    method: str
    headers: Mapping[str, str]  # by name in any case
    body: Body
    id: int  # of the exchange; 0 for the control API, whose exchanges are in no journal
    is_control: bool  # whether the request is for the control API
    started: float  # seconds of the performance counter
    at: float  # unix seconds, by the app's clock
    target: Target
    endpoint: Endpoint | None
    path: Mapping[str, str]  # the values in the path
    address: Address
    server: str  # the URL of this server; empty if the client used a live name
    app_id: str  # that path, sub-domain or header name; empty where none does
    app: App  # that serves the request, or the default app where `refusal` says why none does
    refusal: ApiError | None
    is_steered: bool  # whether a header of it may steer mockchat
    summary: RequestSummary
    credential: str  # whose kind is in the summary


class Resolver:
    """Resolves the requests of one server; no request makes it raise."""

    def __init__(self, config: Config, store: Store, server: ServerFacts, sleep: Sleep) -> None:
        self._config = config
        self._sleep = sleep
        self._store = store
        self._server = server
        self._public: Address | None = None
        if config.public_url:
            scheme, _, netloc = config.public_url.partition("://")
            self._public = hosts.parse_host(netloc, secure=scheme == "https")
        self._public_server = self._public.server if self._public else None

    async def resolve(self, request: web.BaseRequest) -> RequestContext:
        """Return the context of a request, its body read."""
        started = time.perf_counter()
        method, headers = request.method, request.headers
        address, misread = self._address(request, headers)
        raw_path = request.rel_url.raw_path
        if self._wants_dashboard(request) and not parse_path(raw_path).segments:
            raw_path = DASHBOARD
        target, endpoint, path, server, app_in_host, unbuilt = route(method, raw_path, address)
        control = target.is_control
        exchange_id = 0 if control else self._store.journals.next_id()
        unmet = await answer_expectation(request) if hdrs.EXPECT in headers else None
        body = NO_BODY
        if request.body_exists:
            limit = endpoint.operation.max_body if endpoint else MAX_BODY
            if control:
                limit = max(limit, MAX_CONTROL_BODY)
            patience = self._config.client_timeout
            body = await receive(request, limit, control=control, patience=patience)
        fields = body.fields_or_none()
        app_id, app, refusal = self._app(method, headers, target, app_in_host)
        if app.is_draft:
            app = await self._store.filled(app, self._sleep)
        if unbuilt:
            refusal = errors.NOT_BUILT(operation=unbuilt)
        operation = endpoint.name if endpoint else None
        if not (endpoint or unbuilt or target.segments) and _is_upgrade(headers):
            operation = SOCKET  # which opens at the root
        summary, credential = summary_of(
            method, target.path, operation, path.get("uid"), headers, fields, app
        )
        if self._public_server is not None:
            server = self._public_server
        return RequestContext(
            request, method, headers, body, exchange_id, control, started, app.clock.now(), target,
            endpoint, path, address, server, app_id, app, misread or refusal or unmet,
            STEERING_PREFIX in " ".join(headers).lower(), summary, credential,
        )  # fmt: skip

    def _wants_dashboard(self, request: web.BaseRequest) -> bool:
        """Whether a request for `/` is that of a browser which opens the page."""
        return (
            self._config.dashboard
            and request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
            and "text/html" in request.headers.get(hdrs.ACCEPT, "")
            and hdrs.UPGRADE not in request.headers
        )

    def _address(
        self, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> tuple[Address, ApiError | None]:
        """Return the address by which the client came, and the refusal of one that is unreadable.

        The host in an absolute target wins over the Host header (RFC 9112, section 3.2.2).
        """
        secure, path = request.secure, request.raw_path
        source, host = "Host", headers.get(hdrs.HOST, "")
        if path[:1] != "/" and (absolute := _ABSOLUTE.match(path)):
            host = absolute[1]
        if self._config.trust_proxy:
            if forwarded := headers.get("X-Forwarded-Host", "").partition(",")[0].strip():
                source, host = "X-Forwarded-Host", forwarded
            scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
            secure = scheme == "https" if scheme else secure
        if found := _parse_host(host, secure):
            return found, None
        # HTTP/1.0 needs no Host, and an empty one means this machine, too.
        misread = refuse(source, "exists") if host else None
        return _own_address(request, secure=secure), misread

    def _app(
        self, method: str, headers: Mapping[str, str], target: Target, app_in_host: str | None
    ) -> tuple[str, App, ApiError | None]:
        """Return the app id that the request names, the app, and why no app serves it.

        The app is that of the path, the sub-domain, the header or the credential, else the
        default one. Only requests of the emulated API make an app that is new.
        """
        store = self._store
        app_id = target.app_id or app_in_host or headers.get("appId", "").strip()
        try:
            if target.app_id == "":
                raise errors.APP_ID_MISSING()
            if target.is_control or method == hdrs.METH_OPTIONS:
                return app_id, store.find(app_id) or store.default, None
            if app_id:
                return app_id, store.draft(app_id), None
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
        if subject := subject_in(headers.get("callToken", "")):
            return store.draft(subject[0])
        token, key = headers.get("authToken"), headers.get("apiKey")
        app = store.app_with_token(token) if token else None
        return app or (store.app_with_key(key) if key else None)

    def own_address(self) -> Address:
        """Return the address of the server itself."""
        scheme, _, netloc = (self._server.base_url or "http://localhost").partition("://")
        return hosts.parse_host(netloc, secure=scheme == "https") or _LOCAL

    def own_url(self) -> str:
        """Return the URL by which a client on this machine reaches the server."""
        if self._public_server is not None:
            return self._public_server
        return self._server.plain_url or self.own_address().server

    def hosts(self, address: Address, app: App, app_in_path: str | None) -> Hosts:
        """Return the hosts by which the client goes on."""
        prefix = f"/apps/{app_in_path}" if app_in_path else ""
        return _hosts_for(
            self._public or address, app.id, prefix, self._config.region, self._server.https_port
        )


def _is_upgrade(headers: Mapping[str, str]) -> bool:
    return headers.get(hdrs.UPGRADE, "").lower() == SOCKET


def _own_address(request: web.BaseRequest, *, secure: bool) -> Address:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return Address("localhost", 443 if secure else 80, secure)
    return Address(str(name[0]), int(name[1]), secure)
