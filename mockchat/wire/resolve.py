"""Resolution: which app a request means, who is asking, and by what address it came."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from aiohttp import web

from mockchat.api.operation import Access, Hosts, ServerFacts
from mockchat.api.session_jwt import app_id_in
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.entities import Caller, KeyCaller, Scope
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire import hosts
from mockchat.wire.hosts import Address
from mockchat.wire.router import Target

_parse_host = lru_cache(maxsize=1024)(hosts.parse_host)
_app_in = lru_cache(maxsize=1024)(hosts.app_in)
_hosts_for = lru_cache(maxsize=1024)(hosts.hosts_for)


class Resolver:
    """Answers the three questions for one server."""

    def __init__(self, config: Config, store: Store, server: ServerFacts) -> None:
        self._config = config
        self._store = store
        self._server = server
        self._public: Address | None = None
        if config.public_url:
            scheme, _, netloc = config.public_url.partition("://")
            self._public = hosts.parse_host(netloc, secure=scheme == "https")

    def address(self, request: web.BaseRequest) -> Address:
        """Return by what host, port and scheme the client came."""
        headers, secure = request.headers, request.secure
        host = headers.get("Host", "")
        if self._config.trust_proxy:
            host = headers.get("X-Forwarded-Host", host).partition(",")[0].strip()
            scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
            secure = scheme == "https" if scheme else secure
        # HTTP/1.0 needs no Host; whatever else is unreadable means this machine, too.
        return _parse_host(host, secure=secure) or _own_address(request, secure=secure)

    @staticmethod
    def named_app(target: Target, address: Address, headers: Mapping[str, str]) -> str:
        """Return the app id that path, sub-domain or header name, else nothing."""
        return target.app_id or _app_in(address.name) or headers.get("appId", "").strip()

    def app(self, target: Target, address: Address, headers: Mapping[str, str]) -> App:
        """Return the app: by path, sub-domain, header, credential, else the default one.

        Raises APP_ID_INVALID, and APP_ID_MISSING where apps are strict.
        """
        store = self._store
        if target.app_id == "":
            raise errors.APP_ID_MISSING()
        if app_id := self.named_app(target, address, headers):
            return store.app(app_id)
        if app := self._app_by_credential(headers):
            return app
        if store.rules.strict_apps:
            raise errors.APP_ID_MISSING()
        return store.default

    def _app_by_credential(self, headers: Mapping[str, str]) -> App | None:
        """Return the one app that knows the token or key shown: Calls SDKs name no app."""
        store = self._store
        if store.is_single and not store.rules.strict_apps:
            return store.default
        if call_app := app_id_in(headers.get("callToken", "")):
            return store.app(call_app)
        token, key = headers.get("authToken"), headers.get("apiKey")
        app = store.app_with_token(token) if token else None
        return app or (store.app_with_key(key) if key else None)

    @staticmethod
    def caller(access: Access, app: App, headers: Mapping[str, str]) -> Caller | None:
        """Return who asks; raise the KEY_*, AUTH_TOKEN_* and NO_ACCESS errors."""
        if access is Access.PUBLIC or access is Access.CONTROL:
            return None
        by_token = access is Access.TOKEN or (
            access is Access.FULL_KEY_OR_TOKEN
            and "authToken" in headers
            and "apiKey" not in headers
        )
        if by_token:
            return app.user_caller(headers.get("authToken", ""))
        caller: KeyCaller = app.key_caller(headers.get("apiKey", ""))
        if access is not Access.ANY_KEY and caller.scope is not Scope.FULL_ACCESS:
            raise errors.NO_ACCESS(key=errors.mask(caller.key))
        return caller

    def hosts(self, target: Target, address: Address, app: App) -> Hosts:
        """Return where the client is to go on."""
        prefix = f"/apps/{target.app_id}" if target.app_id else ""
        return _hosts_for(
            self._public or address, app.id, prefix, self._config.region, self._server.https_port
        )

    def own_hosts(self, app: App) -> Hosts:
        """Return where a client goes on that the server itself tells of."""
        scheme, _, netloc = (self._server.base_url or "http://localhost").partition("://")
        address = hosts.parse_host(netloc, secure=scheme == "https") or _LOCAL
        is_default = app is self._store.default
        found = self.hosts(Target((), None if is_default else app.id), address, app)
        plain = self._server.plain_url
        return replace(found, server=plain) if plain and not self._public else found


_LOCAL = Address("localhost", 80, secure=False)


def _own_address(request: web.BaseRequest, *, secure: bool) -> Address:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return Address("localhost", 443 if secure else 80, secure)
    return Address(str(name[0]), int(name[1]), secure)
