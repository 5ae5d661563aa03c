"""Resolution: a request becomes a context, which holds every fact known before it is served."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import hdrs, web

from mockchat.api.operation import Hosts, ServerFacts, Sleep
from mockchat.api.session_jwt import subject_in
from mockchat.config import Config
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.matching import RequestSummary
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire.body import NO_BODY, Body, answer_expectation, receive
from mockchat.wire.head import Head, Heads
from mockchat.wire.hosts import Address, hosts_for, parse_host
from mockchat.wire.summary import summary_of

_LOCAL = Address("localhost", 80, secure=False)


class RequestContext(NamedTuple):
    """A request, its app and its body; nothing here changes."""

    request: web.BaseRequest
    head: Head
    body: Body
    id: int  # of the exchange; 0 for the control API, whose exchanges are in no journal
    started: float  # seconds of the performance counter
    at: float  # unix seconds, by the app's clock
    app: App  # that serves the request, or the default app where `refusal` says why none does
    refusal: ApiError | None
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
            self._public = parse_host(netloc, secure=scheme == "https")
        self._heads = Heads(config, self._public)

    async def resolve(self, request: web.BaseRequest) -> RequestContext:
        """Return the context of a request, its body read."""
        started = time.perf_counter()
        head = self._heads.read(request)
        exchange_id = 0 if head.is_control else self._store.journals.next_id()
        unmet = await answer_expectation(request) if hdrs.EXPECT in head.headers else None
        body = NO_BODY
        if request.body_exists:
            body = await receive(request, head, self._config.client_timeout)
        app, unserved = self._app(head)
        if app.is_draft:
            app = await self._store.filled(app, self._sleep)
        if head.unbuilt:
            unserved = errors.NOT_BUILT(operation=head.unbuilt)
        summary, credential = summary_of(head, body.known, app)
        return RequestContext(
            request, head, body, exchange_id, started, app.clock.now(), app,
            head.misread or unserved or unmet, summary, credential,
        )  # fmt: skip

    def _app(self, head: Head) -> tuple[App, ApiError | None]:
        """Return the app of a request, and why no app serves it.

        The app is that of the path, the sub-domain, the header or the credential, else the
        default one. Only requests of the emulated API make an app that is new.
        """
        store, app_id = self._store, head.app_id
        try:
            if head.target.app_id == "":
                raise errors.APP_ID_MISSING()
            if head.is_control or head.method == hdrs.METH_OPTIONS:
                return store.find(app_id) or store.default, None
            if app_id:
                return store.draft(app_id), None
            if app := self._app_by_credential(head.headers):
                return app, None
            if store.rules.strict_apps:
                raise errors.APP_ID_MISSING()
        except ApiError as refusal:
            return store.default, refusal
        return store.default, None

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
        return parse_host(netloc, secure=scheme == "https") or _LOCAL

    def own_url(self) -> str:
        """Return the URL by which a client on this machine reaches the server."""
        if self._public is not None:
            return self._public.server
        return self._server.plain_url or self.own_address().server

    def hosts(self, address: Address, app: App, app_in_path: str | None) -> Hosts:
        """Return the hosts by which the client goes on."""
        prefix = f"/apps/{app_in_path}" if app_in_path else ""
        return hosts_for(
            self._public or address, app.id, prefix, self._config.region, self._server.https_port
        )
