"""The pytest plugin: `def test_x(mockchat):` and there is a server with an app of its own.

pytest loads it in every project where mockchat is installed, so it imports nothing heavy until a
test asks for a fixture.
"""

import re
from collections.abc import Awaitable, Callable, Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockchat.config import Config
    from mockchat.server import MockApp, MockChat

_NUMBERS = count(1)
_MAX_NAME = 40  # characters of a test's name that its app id shows: sub-domains are short
_MAX_SHOWN = 50  # exchanges in a report
_MAX_BODY = 2000  # characters of a body in a report
_APP: "pytest.StashKey[MockApp]" = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "mockchat(**settings): settings of the test's own app: fixture, errors, tokens, token_ttl, "
        "any_key, rate_limit, login_latency",
    )


@pytest.fixture(scope="session")
def mockchat_config() -> "Config":
    """Return the settings of the session's server: any free ports; override it for others."""
    from mockchat.config import Config  # noqa: PLC0415

    return Config(port=0, https_port=0)


@pytest.fixture(scope="session")
def mockchat_server(mockchat_config: "Config", pytestconfig: pytest.Config) -> "Iterator[MockChat]":
    """Serve for the session, in a thread: all tests share the server, each with its own app."""
    from mockchat.server import MockChat  # noqa: PLC0415

    if not pytestconfig.pluginmanager.has_plugin(_Reporter.__name__):
        pytestconfig.pluginmanager.register(_Reporter(), _Reporter.__name__)
    with MockChat(mockchat_config).in_thread() as mock:
        yield mock


@pytest.fixture
def mockchat(request: pytest.FixtureRequest, mockchat_server: "MockChat") -> "Iterator[MockApp]":
    """Return an app of the test's own, with the seed users: URLs, keys and the verbs of a test.

    It is gone after the test, and so are its faults and held logins; a frozen clock ticks again.
    What mockchat itself failed with is the test's error. On failure the report has the app's
    exchanges.
    """
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:_MAX_NAME].strip("-")
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("mockchat"))):  # the nearest wins
        settings |= marker.kwargs
    app = mockchat_server.app(f"{name}-{next(_NUMBERS)}", **settings)
    request.node.stash[_APP] = app
    yield app
    app.close()
    clock = mockchat_server.clock
    if clock.moved:
        clock.resume()
    mockchat_server.check()


@pytest.fixture
def mockchat_client(aiohttp_client: Any) -> "Callable[..., Awaitable[Any]]":
    """Return what makes clients for pytest-aiohttp, each of a mockchat in the test's own loop.

    `chat = await mockchat_client(errors="live")`: the arguments are settings.
    """
    from mockchat.config import Config  # noqa: PLC0415
    from mockchat.wire.app import create_app  # noqa: PLC0415

    async def make(**settings: Any) -> Any:
        return await aiohttp_client(create_app(Config(**settings)))

    return make


class _Reporter:
    """Adds what reached a test's app to the report of its failure."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
        report = yield
        app = item.stash.get(_APP, None)
        if app is not None and call.when == "call" and report.failed:
            report.sections.append((f"mockchat, app {app.app_id}", _told(app)))
        return report


def _told(app: "MockApp") -> str:
    exchanges = list(app.journal)
    if not exchanges:
        return "no request reached this app"
    lines = [] if len(exchanges) <= _MAX_SHOWN else [f"… {len(exchanges) - _MAX_SHOWN} before"]
    for one in exchanges[-_MAX_SHOWN:]:
        lines.append(str(one))
        lines += [f"    sent: {one.request.text[:_MAX_BODY]}"] * bool(one.request.body)
        lines += [f"    answered: {one.response.text[:_MAX_BODY]}"] * bool(one.code)
        lines += [f"    hint: {one.hint}"] * bool(one.hint)
    return "\n".join(lines)
