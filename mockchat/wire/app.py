"""The application: everything wired together once."""

import asyncio
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from mockchat.api.operation import ServerFacts, Sleep
from mockchat.api.session_jwt import SessionJwts
from mockchat.config import ROWS, SECRET, Config, shown
from mockchat.control.stored import check_apps, load_seed
from mockchat.core.clock import Clock
from mockchat.core.entities import Scope
from mockchat.core.ids import Ids
from mockchat.core.journal import Journals
from mockchat.core.limits import Rules
from mockchat.core.seed import Seed
from mockchat.core.store import Store
from mockchat.wire.handler import RequestHandler

STORE: web.AppKey[Store] = web.AppKey("mockchat.store", Store)
HANDLER: web.AppKey[RequestHandler] = web.AppKey("mockchat.handler", RequestHandler)


class Service(NamedTuple):
    """A store and the request handler that serves it, wired together."""

    store: Store
    facts: ServerFacts
    handler: RequestHandler

    async def save(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Save the state for the last time, once all requests are answered.

        Raises StateFileError if it cannot be saved.
        """
        if self.facts.state_file is not None:
            await self.facts.state_file.close(on_progress)


def _document() -> dict[str, Any]:
    from mockchat.wire.openapi import document  # noqa: PLC0415  # a start needs none of it

    return document()


def create_service(config: Config, clock: Clock, sleep: Sleep = asyncio.sleep) -> Service:
    """Return the service that a config asks for, with the state of its state file.

    Raises FixtureError where a fixture cannot be used, StateFileError where the state file
    cannot. Late answers wait by `sleep`.
    """
    store = create_store(config, clock)
    state_file, key_file = None, None
    if config.state:
        from mockchat.core.state_file import StateFile  # noqa: PLC0415  # loads SQLite

        state_file = StateFile(Path(config.state), store, check_apps)
        state_file.load()
        key_file = state_file.path.with_name(f"{state_file.path.name}.jwt-key")
    jwts = SessionJwts(config.region, key_file)
    facts = ServerFacts(
        store, jwts, fixtures=config.fixture, openapi=_document, state_file=state_file
    )
    facts.dashboard, facts.settings = config.dashboard, partial(settings_of, config)
    return Service(store, facts, RequestHandler(config, store, facts, sleep))


def create_app(
    config: Config | None = None, *, clock: Clock | None = None, sleep: Sleep = asyncio.sleep
) -> web.Application:
    """Return the emulated service as an aiohttp application, for aiohttp's own test tools.

    Raises FixtureError where a fixture cannot be used, StateFileError where the state file
    cannot. Late answers wait by `sleep`.
    """
    service = create_service(config or Config(), clock or Clock(), sleep)
    handle = service.handler.handle

    @web.middleware
    async def answer_all(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the requests that the route below cannot match: `OPTIONS *` and the like."""
        return await (handler if request.match_info.http_exception is None else handle)(request)

    async def expect_nothing(_request: web.Request) -> None:
        """Leave the `Expect` header to the request handler."""

    app = web.Application(middlewares=[answer_all])
    app[STORE], app[HANDLER] = service.store, service.handler
    app.router.add_route("*", r"/{path:[\s\S]*}", handle, expect_handler=expect_nothing)
    app.on_shutdown.append(lambda _app: service.handler.close())
    app.on_cleanup.append(lambda _app: service.save())
    return app


def create_store(config: Config, clock: Clock) -> Store:
    """Return the state that a config asks for, its default app seeded."""
    # The ids of exchanges begin at the real time, after those of any earlier server.
    sequence = int(Clock().now() * 1e6)
    journals = Journals(config.journal_size, config.journal_bytes, sequence)
    seed, ids = seed_of(config).planting, Ids(config.random_seed)
    return Store(config.app_id, seed, rules_of(config), clock, ids, journals)


def seed_of(config: Config) -> Seed:
    """Return the seed of new apps; raise FixtureError."""
    keys = [(key, "Auth Key", Scope.AUTH_ONLY) for key in config.auth_key]
    keys += [(key, "Rest API Key", Scope.FULL_ACCESS) for key in config.rest_api_key]
    return load_seed(config.fixture, keys)


def rules_of(config: Config) -> Rules:
    """Return the rules that a config asks for."""
    names = set(Rules._fields) & {one.name for one in fields(config)}
    return Rules(**{name: getattr(config, name) for name in names})


def settings_of(config: Config) -> list[dict[str, str]]:
    """Return the name, value and help of each setting, without secrets."""
    found = []
    for name, row in ROWS.items():
        value = getattr(config, name)
        text = "set" if name in SECRET and value else shown(name, value)
        found.append({"name": name.replace("_", "-"), "value": text, "help": row.help})
    return found
