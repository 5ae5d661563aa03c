"""MockChat: the server as a library object, for an event loop of its own or the caller's."""

from __future__ import annotations  # the types of the settings are for editors only

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from aiohttp import web

from mockchat.bridge import Bridge, loop_in_thread
from mockchat.config import PER_APP, Config
from mockchat.core.changes import StateFileError
from mockchat.core.clock import Clock
from mockchat.core.journal import Exchange
from mockchat.core.seed import FixtureError
from mockchat.core.store import Store
from mockchat.core.words import AdviceError, did_you_mean
from mockchat.kit import Kit
from mockchat.wire import tls
from mockchat.wire.app import Service, create_service, rules_of, seed_of
from mockchat.wire.connection import ForgivingServer, Site
from mockchat.wire.hosts import Address, bound_address, is_live, is_loopback
from mockchat.wire.tls import TlsError

if TYPE_CHECKING:
    from mockchat.kit.names import AppSettings
    from mockchat.wire.proxy import Proxy

__tracebackhide__ = True  # a failed verb shows the line of the test
_GRACE = 0.4  # seconds; aiohttp waits twice as long for requests in flight when it stops
LONGEST_STOP = 8.0  # seconds without progress; Docker kills a container after ten
_BACKLOG = 1024


class StartError(AdviceError):
    """The server could not start; says why and what to do."""


class MockChat(Kit):
    """A mockchat server.

    `async with MockChat(config) as mock:` serves in the running loop, `with
    MockChat(config).in_thread() as mock:` in a thread with a loop of its own. Both give `url`,
    `https_url`, `ws_url`, `proxy_url` and `ca_path`, and the verbs of the testing kit. The verbs
    for users act on the default app, the others on all apps; `app("id")` has them for one.
    Starting raises
    StartError in the caller, and leaving the block an ExceptionGroup if mockchat itself failed
    meanwhile.
    """

    def __init__(self, config: Config | None = None, *, clock: Clock | None = None) -> None:
        self.config = config or Config()
        self.clock = clock or Clock()
        self.url: str | None = None
        self.https_url: str | None = None
        self.proxy_url: str | None = None
        self.proxy_hosts: tuple[str, ...] = ()  # other hosts that the proxy passes through
        self.ca_path: Path | None = None
        self.ca_renewed = ""  # why the CA is not the one that was there at the last start
        self._runner: web.ServerRunner | None = None
        self._proxy: Proxy | None = None
        self._bridged: Bridge | None = None
        self._service: Service
        self._crashes: deque[Exception] = deque()
        self._bound: list[socket.socket] = []

    @property
    def _bridge(self) -> Bridge:
        if self._bridged is None:
            raise RuntimeError("this MockChat is not started")
        return self._bridged

    @property
    def store(self) -> Store:
        """The state that it serves."""
        return self._bridge.store

    @property
    def ws_url(self) -> str | None:
        """Where WebSockets open: by TLS where there is HTTPS."""
        return (self.https_url or self.url or "").replace("http", "ws", 1) or None

    def app(self, app_id: str, **settings: Unpack[AppSettings]) -> MockApp:
        """Return one app and its verbs; it shares nothing with any other.

        Settings, those of PER_APP with the values of Config, make the app anew. Without settings
        the app stays as it is; one that is not there is made when it is first used. Raises
        TypeError for another setting, ConfigError and FixtureError for a wrong one, ApiError for
        a wrong id.
        """
        if settings and (strangers := settings.keys() - PER_APP):
            name, known = min(strangers), sorted(PER_APP)
            raise TypeError(f"an app has no {name!r} of its own; {did_you_mean(name, known)}")
        if settings or (self.config.strict_apps and not self.store.find(app_id)):
            config = replace(self.config, **settings)  # type: ignore[arg-type]  # Config parses
            self._bridge.call(self.store.open, app_id, rules_of(config), seed_of(config).planting)
        return MockApp(self, app_id)

    def facts(self, app: MockApp | None = None) -> dict[str, str | None]:
        """Return how programs find the server, or one app: the variables of `mockchat exec`."""
        own, at = self.config, app or self
        return {
            "MOCKCHAT_URL": at.url or at.https_url,
            "MOCKCHAT_HTTPS_URL": at.https_url if self.https_url else None,
            "MOCKCHAT_WS_URL": at.ws_url,
            "MOCKCHAT_PROXY_URL": self.proxy_url,
            "MOCKCHAT_APP_ID": app.app_id if app else own.app_id,
            "MOCKCHAT_REGION": own.region,
            "MOCKCHAT_AUTH_KEY": own.auth_key[0],
            "MOCKCHAT_REST_API_KEY": own.rest_api_key[0],
            "MOCKCHAT_CONTROL_TOKEN": own.control_token,
            "MOCKCHAT_CA": str(self.ca_path) if self.ca_path else None,
        }

    def env(self) -> AbstractContextManager[None]:
        """Set the variables of `mockchat exec` in this process for as long as the block runs."""
        from mockchat.kit.environment import in_environment  # noqa: PLC0415  # `serve` needs none

        return in_environment(self.facts())

    def live_names(self) -> AbstractContextManager[None]:
        """Lead the live host names to this server, in this process, while the block runs.

        requests, httpx and aiohttp follow and trust the CA; other hosts stay what they are.
        """
        from mockchat.kit.environment import live_names  # noqa: PLC0415  # `serve` needs none

        return live_names(is_live, {80: self.url, 443: self.https_url}, self.ca_path)

    def check(self) -> None:
        """Raise an ExceptionGroup of mockchat's own failures since the last check."""
        if found := tuple(self._crashes):
            self._crashes.clear()
            raise ExceptionGroup("mockchat failed to answer", found)

    async def start(self) -> None:
        """Open the listeners and serve; raise StartError where that cannot be."""
        if self._runner is not None:
            raise RuntimeError("this MockChat is started already")
        try:
            context = self._tls()
            self._service = service = create_service(self.config, self.clock)
        except (FixtureError, StateFileError, TlsError) as error:
            raise StartError(str(error)) from error
        self._runner = _Runner(service, self.config.client_timeout)
        await self._runner.setup()
        self._bridged = Bridge(service.handler, service.store)
        self._crashes = service.handler.crashes
        try:
            await self._listen(context)
        except BaseException:
            await self.stop()
            raise

    async def _listen(self, context: ssl.SSLContext | None) -> None:
        """Bind every port, tell the server its addresses, then answer on all of them."""
        assert self._runner is not None  # noqa: S101
        config, bound = self.config, {}
        if config.port is not None:
            bound[False] = self._bind(config.port, "--port")
        if config.https_port is not None:
            bound[True] = self._bind(config.https_port, "--https-port")
        addresses = {by_tls: bound_address(one, secure=by_tls) for by_tls, one in bound.items()}
        plain, secure = addresses.get(False), addresses.get(True)
        self.url, self.https_url = plain and plain.url, secure and secure.url
        facts = self._service.facts
        facts.ca_path = str(self.ca_path) if self.ca_path else None
        facts.https_port = secure and secure.port
        facts.https_url = self.https_url
        facts.base_url = self.https_url or self.url
        facts.plain_url = self.url or self.https_url
        if config.proxy_port is not None:
            await self._open_proxy(config.proxy_port, *addresses.values())
        for by_tls, one in bound.items():
            # Without files left asyncio logs as many failures at a time as its backlog says.
            site = Site(self._runner, one, ssl_context=context if by_tls else None, backlog=1)
            await site.start()
            one.listen(_BACKLOG)

    def _bind(self, port: int, flag: str) -> socket.socket:
        host = self.config.host
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except (socket.gaierror, UnicodeError) as error:
            raise StartError(f"--host {host}: there is no such address ({error})") from error
        try:
            bound = socket.create_server(
                address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=False
            )
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: f"port {port} is in use; choose another with {flag} "
                "(0 = any free port)",
                errno.EACCES: f"port {port} needs privileges; choose one from 1024 on",
            }
            other = f"cannot listen on {host}, port {port}: {error.strerror}"
            raise StartError(reasons.get(error.errno or 0, other)) from error
        self._bound.append(bound)
        return bound

    async def stop(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Answer the requests in flight, close sockets with code 1001 and stop serving.

        Raises StateFileError if the state cannot be saved, TimeoutError after LONGEST_STOP seconds
        in which nothing of it was. `on_progress` is called whenever something was.
        """
        loop = asyncio.get_running_loop()

        def go_on() -> None:
            if not limit.expired():
                limit.reschedule(loop.time() + LONGEST_STOP)
                on_progress()

        try:
            async with asyncio.timeout(LONGEST_STOP) as limit:
                if self._runner is not None:
                    await self._runner.cleanup()
                    self._runner = self._bridged = None
                    await self._service.save(go_on)
        finally:
            if self._proxy is not None:  # last: the answers in flight may go through it
                await self._proxy.stop()
                self._proxy = None
            for bound in self._bound:
                bound.close()

    def observe(self, observer: Callable[[Exchange], None]) -> None:
        """Call `observer` with every exchange from now on, those of the control API too."""
        self._bridge.handler.observers.append(observer)

    def relieve(self, by: Callable[[], None]) -> None:
        """Call `by` amid work that makes thousands of objects, which all stay for long."""
        self._service.facts.relieve = by

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        await self.stop()
        if error is None:
            self.check()

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Serve from a thread of its own for as long as the block runs."""
        with loop_in_thread() as loop:
            asyncio.run_coroutine_threadsafe(self.start(), loop).result()
            try:
                yield self
            finally:
                asyncio.run_coroutine_threadsafe(self.stop(), loop).result()
            self.check()

    def _tls(self) -> ssl.SSLContext | None:
        config = self.config
        if config.https_port is None:
            return None
        if config.tls_cert and config.tls_key:
            found = tls.brought(config.tls_cert, config.tls_key)
        else:
            # A certificate is dated by the clients' clock, which no mock can move.
            found = tls.own(tls.folder(config.ca_dir), config.tls_host, Clock().now())
        self.ca_path, self.ca_renewed = found.ca_path, found.renewed
        return found.context

    async def _open_proxy(self, port: int, *listeners: Address) -> None:
        from mockchat.wire.proxy import EVERY_HOST, Proxy  # noqa: PLC0415  # most have none

        bound = self._bind(port, "--proxy-port")
        config = self.config
        few = config.proxy_only_live or not is_loopback(config.host)
        self.proxy_hosts = config.proxy_allow if few else (EVERY_HOST,)
        self._proxy = Proxy(*listeners, allow=self.proxy_hosts)
        await self._proxy.start(bound)
        address = bound_address(bound, secure=False)
        # The URL names port 80, too: clients disagree on the default port of a proxy.
        self.proxy_url = f"http://{address.host}:{address.port}"


class MockApp(Kit):
    """One app of a server, and how clients reach it.

    `url`, `https_url` and `ws_url` lead to this app whatever else a request says. A client that
    names the app itself, by its `appId` header or sub-domain, may use those of `server` as well.
    """

    def __init__(self, server: MockChat, app_id: str) -> None:
        self.server = server
        self.app_id = app_id
        self._app_id = app_id

    def __repr__(self) -> str:
        return f"<MockApp {self.app_id}>"

    @property
    def _bridge(self) -> Bridge:
        return self.server._bridge  # noqa: SLF001  # its own apps are no strangers

    def close(self) -> list[Exchange]:
        """Remove the app and end its sessions; return the exchanges of its journal.

        It waits for no other thread: the server does so before all that it is asked later.
        """
        store = self._bridge.store
        journal = store.journals.of(self.app_id)  # refused requests may be all there is
        exchanges = list(journal)

        def close() -> None:
            store.close(self.app_id)
            journal.close()

        if exchanges or store.find(self.app_id):
            self._bridge.call_soon(close)
        return exchanges

    def take_unstruck_faults(self) -> list[str]:
        """Remove the app's faults that never struck; tell them and those removed before."""
        faults = self._bridge.store.faults
        if not (faults.rules or faults.idle):  # a test without faults waits for no other thread
            return []
        return [str(rule) for rule in self._bridge.call(faults.take_idle, self.app_id)]

    @property
    def url(self) -> str:
        """The app's base URL, by HTTP where the server has it."""
        return self._at(self.server.url or self.server.https_url)

    @property
    def https_url(self) -> str:
        """The app's base URL by HTTPS; raises RuntimeError where the server has none."""
        return self._at(self.server.https_url)

    @property
    def ws_url(self) -> str:
        """Where the app's WebSockets open."""
        return self._at(self.server.ws_url)

    @property
    def ca_path(self) -> Path:
        """The CA that clients are to trust for HTTPS; raises RuntimeError where there is none."""
        if self.server.ca_path is None:
            raise RuntimeError("this server has no CA of its own")
        return self.server.ca_path

    @property
    def auth_key(self) -> str:
        """An api key that may create users and auth tokens."""
        return self.server.config.auth_key[0]

    @property
    def rest_api_key(self) -> str:
        """An api key with full access."""
        return self.server.config.rest_api_key[0]

    @property
    def clock(self) -> Clock:
        """The clock of the app; that of the server moves the clocks of all its apps."""
        return self._bridge.call(self._app).clock

    def env(self) -> AbstractContextManager[None]:
        """Set the variables of `mockchat exec` for this app while the block runs."""
        from mockchat.kit.environment import in_environment  # noqa: PLC0415

        return in_environment(self.server.facts(self))

    def live_names(self) -> AbstractContextManager[None]:
        """Lead the live host names to the server, as that of the server does."""
        return self.server.live_names()

    def _at(self, base: str | None) -> str:
        if base is None:
            raise RuntimeError("this server has no such listener, or is not started")
        return f"{base}/apps/{self.app_id}"


class _Runner(web.ServerRunner):
    """Serves by aiohttp's low-level server: a web.Application would route everything once more."""

    def __init__(self, service: Service, patience: float) -> None:
        log = logging.getLogger("mockchat.http")
        server = ForgivingServer(service.handler, patience, access_log=None, logger=log)
        super().__init__(server, shutdown_timeout=_GRACE)
        self._service = service

    async def shutdown(self) -> None:
        """Release the requests that wait, once no new ones come."""
        await self._service.handler.close()
