"""The pytest plugin: `def test_x(mockchat):` and there is a server with an app of its own.

pytest loads it in every project where mockchat is installed, so it imports nothing heavy until a
test asks for a fixture.
"""

import os
import re
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockchat.config import Config
    from mockchat.core.journal import Exchange
    from mockchat.server import MockApp, MockChat

_NAME = "mockchat"  # of the pytest fixture and of the marker
_MAX_NAME = 40  # characters of a test's name that its app id shows: sub-domains are short
_MAX_SHOWN = 50  # exchanges in a report
_MAX_BODY = 2000  # characters of a body in a report


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker and bring in the pytest fixtures."""
    config.addinivalue_line(
        "markers",
        "mockchat(**settings): settings of the test's own app: fixture, errors, tokens, token_ttl, "
        "any_key, rate_limit, max_users, unbuilt, webhook, "
        "login_latency",
    )
    config.pluginmanager.register(_Fixtures(), "mockchat-fixtures")


@pytest.fixture(scope="session")
def mockchat_config() -> "Iterator[Config]":
    """Return the settings of the session's server: any free ports; override it for others.

    The CA is the one that `mockchat serve` has, or a passing one where none can be kept.
    """
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from mockchat.config import Config  # noqa: PLC0415

    with TemporaryDirectory() as passing:
        yield Config(port=0, https_port=0, ca_dir=None if _can_keep_a_ca() else passing)


def _can_keep_a_ca() -> bool:
    from mockchat.wire.tls import TlsError, folder  # noqa: PLC0415

    try:
        place = folder()  # there is none for a user without a home
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, TlsError):
        return False
    return os.access(place, os.W_OK)


@pytest.fixture(scope="session")
def mockchat_server(mockchat_config: "Config") -> "Iterator[MockChat]":
    """Serve for the session, in a thread: all tests share the server, each with its own app."""
    from mockchat.server import MockChat  # noqa: PLC0415

    with MockChat(mockchat_config).in_thread() as mock:
        yield mock


class _Fixtures:
    """The pytest fixture of the test that runs.

    An argument of a pytest fixture costs every test time, and `request` as much as all this work:
    so a hook notes the request. The server is an argument: pytest must know it to parametrize it.
    """

    def __init__(self) -> None:
        self._request: pytest.FixtureRequest | None = None
        self._parent: object = None  # of the newest test
        self._marks: list[pytest.Mark] = []  # of that parent
        self._numbers = count(1)
        self._item: pytest.Item | None = None
        self._app: MockApp | None = None
        self._reached: list[Exchange] | None = None  # known once the app is closed

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest
    ) -> None:
        if fixturedef.argname == _NAME:
            self._request = request

    @pytest.fixture
    def mockchat(self, mockchat_server: "MockChat") -> "Iterator[MockApp]":
        """Return an app of the test's own, with the seed users: URLs, keys and a test's verbs.

        The end of the test removes it with its faults and held logins; a frozen clock ticks again.
        A failure of mockchat itself is the test's error. The report of a failed test has the app's
        exchanges. A fault that never struck is a warning, `mockchat.UnstruckFault`.
        """
        assert self._request is not None  # noqa: S101  # the hook came first
        self._item = item = self._request.node
        server = mockchat_server
        if item.parent is not self._parent:
            self._look_around(self._request)
        app_id = f"{_label(item.name.partition('[')[0])}-{next(self._numbers)}"
        marks = [mark for mark in item.own_markers if mark.name == _NAME] + self._marks
        self._reached = self._app = None  # a set-up that fails now has no exchanges to show
        self._app = app = _made(server, app_id, item, marks) if marks else server.app(app_id)
        yield app
        unstruck = app.take_unstruck_faults()
        self._reached = app.close()
        if server.clock.moved:
            server.clock.resume()
        server.check()
        if unstruck:
            _warn_of(unstruck, item)

    def _look_around(self, request: pytest.FixtureRequest) -> None:
        self._parent = parent = request.node.parent
        self._marks = list(parent.iter_markers(_NAME))  # the nearest first
        plugins = request.config.pluginmanager
        if not plugins.has_plugin(_Reporter.__name__):
            plugins.register(_Reporter(self), _Reporter.__name__)

    def reached(self, item: pytest.Item) -> "tuple[str, list[Exchange]] | None":
        """Return the id and the exchanges of the test's app, if the test has one."""
        if self._app is None or item is not self._item:
            return None
        exchanges = self._app.journal.find() if self._reached is None else self._reached
        return self._app.app_id, exchanges


@pytest.fixture
def mockchat_env(mockchat: "MockApp") -> "Iterator[MockApp]":
    """Return the test's app; until its end, the variables of `mockchat exec` name the app."""
    with mockchat.env():
        yield mockchat


@pytest.fixture
def mockchat_client(
    request: pytest.FixtureRequest,
) -> "Iterator[Callable[..., Awaitable[Any]]]":
    """Return a function that makes pytest-aiohttp clients, each with a mockchat in the test's loop.

    `chat = await mockchat_client(errors="live")`: the arguments are settings. A failure of
    mockchat itself is the test's error.
    """
    from mockchat.config import Config  # noqa: PLC0415
    from mockchat.wire.app import HANDLER, create_app  # noqa: PLC0415

    aiohttp_client = None
    with suppress(pytest.FixtureLookupError):
        aiohttp_client = request.getfixturevalue("aiohttp_client")
    if aiohttp_client is None:
        pytest.fail("mockchat_client needs a plugin: pip install pytest-aiohttp", pytrace=False)
    apps = []

    async def make(**settings: Any) -> Any:
        apps.append(create_app(Config(**settings)))
        return await aiohttp_client(apps[-1])

    yield make
    if crashes := [crash for app in apps for crash in app[HANDLER].crashes]:
        raise ExceptionGroup("mockchat failed to answer", crashes)


def _warn_of(unstruck: list[str], item: pytest.Item) -> None:
    """Warn in the test's line of faults that never struck: the test has not seen them."""
    import warnings  # noqa: PLC0415  # most tests need none

    from mockchat.core.faults import UnstruckFault  # noqa: PLC0415

    path, line, _ = item.location
    told = f"{', '.join(unstruck)} never struck; is its match right? (in {item.name})"
    warnings.warn_explicit(told, UnstruckFault, str(item.path or path), (line or 0) + 1)


@lru_cache
def _label(name: str) -> str:
    """Return the part of a test's name for its app id."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_MAX_NAME].strip("-") or "test"


def _made(
    server: "MockChat", app_id: str, item: pytest.Item, marks: list[pytest.Mark]
) -> "MockApp":
    """Return an app with the settings of a test's markers; the nearest, which are first, win."""
    from mockchat.config import ConfigError  # noqa: PLC0415
    from mockchat.core.seed import FixtureError  # noqa: PLC0415

    if args := [given for mark in marks for given in mark.args]:
        pytest.fail(f"@pytest.mark.mockchat takes settings by name, not {args[0]!r}", pytrace=False)
    settings = {name: mark.kwargs[name] for mark in reversed(marks) for name in mark.kwargs}
    if "fixture" in settings:
        settings["fixture"] = _found(item, settings["fixture"])
    try:
        return server.app(app_id, **settings)
    except (TypeError, ConfigError, FixtureError) as error:
        wrong = str(error)
    pytest.fail(f"@pytest.mark.mockchat: {wrong}", pytrace=False)


def _found(item: pytest.Item, fixture: Any) -> Any:
    """Return the fixtures' names, those of files beside the test as whole paths."""
    names = fixture if isinstance(fixture, list | tuple) else [fixture]
    if not all(isinstance(name, str | os.PathLike) for name in names):
        return fixture
    places = [(item.path.parent / name, name) for name in names]
    return [str(place if place.is_file() else name) for place, name in places]


class _Reporter:
    """Adds the exchanges of a test's app to the report of its failure."""

    def __init__(self, fixtures: _Fixtures) -> None:
        self._fixtures = fixtures

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
        report = yield
        if report.failed and (reached := self._fixtures.reached(item)):
            app_id, exchanges = reached
            report.sections.append((f"mockchat, app {app_id}", _told(exchanges)))
        return report


def _told(exchanges: "list[Exchange]") -> str:
    from mockchat.core.masking import Mask  # noqa: PLC0415  # a report is rare

    if not exchanges:
        return "no request reached this app"
    lines = [] if len(exchanges) <= _MAX_SHOWN else [f"… {len(exchanges) - _MAX_SHOWN} before"]
    for one in exchanges[-_MAX_SHOWN:]:
        mask = Mask(one)
        lines.append(str(one))
        lines += [f"    sent: {mask(one.request.text)[:_MAX_BODY]}"] * bool(one.request.body)
        lines += [f"    answered: {mask(one.response.text)[:_MAX_BODY]}"] * bool(one.code)
        lines += [f"    hint: {one.hint}"] * bool(one.hint)
    return "\n".join(lines)
