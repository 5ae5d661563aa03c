"""The application: everything wired together once."""

import asyncio
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from mockchat.api.operation import ServerFacts
from mockchat.api.validation import MAX_BODY
from mockchat.config import Config
from mockchat.core.clock import Clock
from mockchat.core.entities import Scope
from mockchat.core.ids import Ids
from mockchat.core.journal import Journals
from mockchat.core.limits import Rules
from mockchat.core.seed import Seed, load_seed
from mockchat.core.state_file import StateFile
from mockchat.core.store import Store
from mockchat.wire.http import RequestHandler
from mockchat.wire.line import Sleep
from mockchat.wire.openapi import document

STORE: web.AppKey[Store] = web.AppKey("mockchat.store", Store)
HANDLER: web.AppKey[RequestHandler] = web.AppKey("mockchat.handler", RequestHandler)
SERVER: web.AppKey[ServerFacts] = web.AppKey("mockchat.server", ServerFacts)


def create_app(
    config: Config | None = None, *, clock: Clock | None = None, sleep: Sleep = asyncio.sleep
) -> web.Application:
    """Return the emulated service as a plain aiohttp application.

    It serves wherever aiohttp applications do: in `aiohttp_client(create_app())` as well as in
    an own runner. Raises FixtureError where a fixture of the config is no good, StateFileError
    where the state file cannot be used. What answers late waits by `sleep`.
    """
    config = config or Config()
    store = create_store(config, clock or Clock())
    server = ServerFacts(store, fixtures=config.fixture, openapi=document)
    edge = RequestHandler(config, store, server, sleep)

    @web.middleware
    async def answer_all(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the edge answer what the route below cannot match: `OPTIONS *` and the like."""
        if request.match_info.http_exception is None:
            return await handler(request)
        return await edge.handle(request)

    app = web.Application(client_max_size=MAX_BODY, middlewares=[answer_all])
    app[STORE], app[SERVER], app[HANDLER] = store, server, edge
    app.router.add_route("*", r"/{path:[\s\S]*}", edge.handle, expect_handler=edge.expect)

    async def let_go(_app: web.Application) -> None:
        await edge.close()

    app.on_shutdown.append(let_go)
    if config.state:
        _keep_state(app, StateFile(Path(config.state), store))
    return app


def _keep_state(app: web.Application, file: StateFile) -> None:
    """Load the state and save it from now on."""
    file.load()

    async def close(_app: web.Application) -> None:
        await file.close()

    app[HANDLER].changed = file.changed
    app[STORE].listeners.append(lambda _event: file.changed())
    app.on_cleanup.append(close)


def create_store(config: Config, clock: Clock) -> Store:
    """Return the state that a config asks for, its default app seeded."""
    # Counted from the real time on, sequence are later than those of a server that was here before.
    sequence = int(Clock().now() * 1e6)
    journals = Journals(config.journal_size, config.journal_bytes, sequence)
    seed, ids = seed_of(config).apply, Ids(config.random_seed)
    return Store(config.app_id, seed, rules_of(config), clock, ids, journals)


def seed_of(config: Config) -> Seed:
    """Return what a config plants new apps with; raise FixtureError."""
    keys = [(key, "Auth Key", Scope.AUTH_ONLY) for key in config.auth_key]
    keys += [(key, "Rest API Key", Scope.FULL_ACCESS) for key in config.rest_api_key]
    return load_seed(config.fixture, keys)


def rules_of(config: Config) -> Rules:
    """Return what a config changes of the rules."""
    return Rules(
        single_use_tokens=config.tokens == "single-use",
        token_ttl=config.token_ttl,
        any_key=config.any_key,
        strict_apps=config.strict_apps,
        rate_limit=config.rate_limit,
        login_latency=config.login_latency,
        errors=config.errors,
    )
