"""pytest fixtures of the whole suite: a frozen clock and clients of served apps."""

import asyncio
import gc
import os
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from ssl import create_default_context
from typing import Any

import pytest
from hypothesis import settings
from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, MockApp, MockChat, create_app
from mockchat.api.operation import Sleep
from mockchat.cli import main
from mockchat.core.clock import Clock
from mockchat.wire.app import HANDLER
from tests.command_line import Command, Done
from tests.faulty import Wire
from tests.laws import note_undeclared
from tests.projects import Project
from tests.values import NOW, Client, Serve

_NUMBERS = count(1)
# The files whose tests take more than two seconds.
LONG_FILES = re.compile(
    "architecture|cli_exec|doc_pages|examples|fuzz|hostile_bodies|openapi|operations|packaging"
    "|pytest_plugin_async|races|rude_clients|scale|schemathesis|serve|site|snapshot_laws|state_disk"
    "|state_machine|stop|trust|turns|verify"
)

# Processes of the tests would compile the package at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell lets what it starts in the background ignore Ctrl-C, and so would processes of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("tests", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that the workers end at the same time."""
    items.sort(key=lambda item: not LONG_FILES.fullmatch(item.path.stem.removeprefix("test_")))


def pytest_collection_finish() -> None:
    """Let the garbage collector run rarely, and never look through the tests' own modules."""
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Collect garbage once, for its warnings; pytest and Python would look at the rest again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mockchat_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The settings of the plugin's server: the CA of nobody's home, logins that take no time."""
    folder = str(tmp_path_factory.mktemp("ca"))
    return Config(port=0, https_port=0, ca_dir=folder, login_latency=0)


@pytest.fixture
def project(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """A project of a user, with `calls` in it to ask and to log in."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    return Project(pytester)


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
    crashes: list[deque[Exception]] = []

    async def serve(sleep: Sleep = asyncio.sleep, **settings: Any) -> Client:
        config = Config(**{"login_latency": 0.0, **settings})
        app = create_app(config, clock=clock, sleep=sleep)
        app[HANDLER].observers.append(note_undeclared(wrongs))
        crashes.append(app[HANDLER].crashes)
        return await aiohttp_client(app)

    yield serve

    assert not wrongs, f"answers that no operation declares: {wrongs}"
    assert not any(crashes), f"mockchat itself failed: {crashes}"


@pytest.fixture
async def client(serve: Serve) -> Client:
    """A client of an app with the default settings."""
    return await serve()


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of a test run share a CA."""
    return tmp_path_factory.mktemp("ca")


@pytest.fixture(params=["http", "https"])
async def wire(request: pytest.FixtureRequest, ca_dir: Path, clock: Clock) -> AsyncIterator[Wire]:
    """A server and the way to it without and with TLS, for what happens below HTTP."""
    config = Config(port=0, https_port=0, ca_dir=str(ca_dir))
    async with MockChat(config, clock=clock) as mock:
        secure = request.param == "https"
        url = mock.https_url if secure else mock.url
        trust = create_default_context(cafile=mock.ca_path) if secure else None
        yield Wire(mock, int(str(url).rpartition(":")[2]), trust)


# --- the command line -----------------------------------------------------------------------
@pytest.fixture
def command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Runs `mockchat` in this process, away from the settings of this machine.

    What it starts is heard, too.
    """
    for name in [name for name in os.environ if name.startswith("MOCKCHAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*words: object) -> Done:
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Done(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def command_server() -> Iterator[MockChat]:
    """A server for all commands; each test steers an app of its own."""
    with MockChat(Config(port=0, https_port=None, login_latency=0.0)).in_thread() as mock:
        yield mock


@pytest.fixture
def app(command_server: MockChat) -> Iterator[MockApp]:
    """The app that a test steers."""
    app = command_server.app(f"app-{next(_NUMBERS)}")
    yield app
    app.close()


@pytest.fixture
def steer(command: Command, app: MockApp, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `mockchat`, which finds server and app by its variables."""
    monkeypatch.setenv("MOCKCHAT_URL", str(app.server.url))
    monkeypatch.setenv("MOCKCHAT_APP", app.app_id)
    return command
