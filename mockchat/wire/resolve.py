"""Resolution: a request becomes a request context, with its app, endpoint and address."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from aiohttp import hdrs, web

from mockchat.api.operation import Hosts, ServerFacts
from mockchat.api.session_jwt import claim_in
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire import hosts
from mockchat.wire.body import NO_BODY, answer_expectation, receive
from mockchat.wire.context import RequestContext
from mockchat.wire.hosts import Address
from mockchat.wire.routing import Target, route

_parse_host = lru_cache(maxsize=1024)(hosts.parse_host)
_app_in = lru_cache(maxsize=1024)(hosts.app_in)
_hosts_for = lru_cache(maxsize=1024)(hosts.hosts_for)
_LOCAL = Address("localhost", 80, secure=False)
_NO_VALUES: Mapping[str, str] = {}


class Resolver:
    """Resolves the requests of one server; never raises for what a client sends."""

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
        address = self.address(request)
        app_id, app, refusal = self._app(request, target, address)
        endpoint, path = found or (None, _NO_VALUES)
        return RequestContext(
            request, body, exchange_id, started, app.clock.now(), target, endpoint, path,
            address, app_id, app, refusal or unmet,
        )  # fmt: skip

    def address(self, request: web.BaseRequest) -> Address:
        """Return the host, port and scheme by which the client came."""
        headers, secure = request.headers, request.secure
        host = headers.get("Host", "")
        if self._config.trust_proxy:
            host = headers.get("X-Forwarded-Host", host).partition(",")[0].strip()
            scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
            secure = scheme == "https" if scheme else secure
        # HTTP/1.0 needs no Host; an unreadable one means this machine, too.
        return _parse_host(host, secure=secure) or _own_address(request, secure=secure)

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
