"""pytest fixtures of the whole suite: a frozen clock and clients of served apps."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, create_app
from mockchat.core.clock import Clock
from tests.helpers import NOW, Client, Serve, note_undeclared

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test advances it."""
    clock = Clock()
    clock.freeze(NOW)
    return clock


@pytest.fixture
def serve(aiohttp_client: AiohttpClient, clock: Clock) -> Iterator[Serve]:
    """Serves an app with the given settings; every answer is held to the catalogue.

    Logins take no time unless a test says so.
    """
    wrongs: list[str] = []

    async def serve(**settings: Any) -> Client:
        config = Config(**{"login_latency": 0.0, **settings})
        app = create_app(config, clock=clock)
        app.on_response_prepare.append(note_undeclared(wrongs))
        return await aiohttp_client(app)

    yield serve

    assert not wrongs, f"answers that no operation declares: {wrongs}"


@pytest.fixture
async def client(serve: Serve) -> Client:
    """A client of an app with the default settings."""
    return await serve()
