"""Runs CometChat's own packages against one mock server: once a session, side by side.

Every run is a process of its own (`node_runner.mjs`, `browser_runner.mjs`) that prints facts as
JSON; the tests compare the facts. A missing tool fails the suite, for a green run has to mean
that everything ran.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockchat import Config, MockChat
from tests.sdk.harness import (
    HERE,
    Facts,
    MissingToolError,
    app_id_for,
    environment_for,
    facts_from,
    install_locked,
    need_tools,
)

# One of each minor version, and the ends of the lines.
IN_NODE = ("chat-4.2.0", "chat-4.1.13", "chat-4.0.0", "ionic-4.0.4", "native-4.0.21", "pro-3.0.13")
IN_BROWSER = ("chat-4.2.0", "pro-3.0.0", "pro-2.4.1", "pro-2.3.6", "pro-2.2.1", "pro-2.1.3")
CALLS = ("calls-4.2.6", "calls-native-4.4.1")
CALLS_FLOWS = ("calls-by-http", "calls-by-https")
LONG_SESSIONS = ("chat-4.2.0", "pro-3.0.13")
NODE_RUNS = {
    **{f"{package}-node": (package, "steps") for package in IN_NODE},
    **{f"{package}-long-session": (package, "long-session") for package in LONG_SESSIONS},
    **{f"{package}-faults": (package, "faults") for package in LONG_SESSIONS},
    **{f"{package}-{flow}": (package, flow) for package in CALLS for flow in CALLS_FLOWS},
    "chat-4.2.0-snippets": ("chat-4.2.0", "snippets"),
}
BROWSER_RUNS = {f"{package}-browser": package for package in IN_BROWSER}

UIKITS = ("react-7", "react-7-by-override", "react-6", "vue", "vue-by-override")
UIKIT_APP = "uikits"  # part of host names
ARTEFACTS = HERE / ".artefacts"

RUN_LIMIT = 90


@pytest.fixture(scope="session")
def sdk_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")), errors="auto")
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.fixture(scope="session")
def node_modules() -> None:
    """The vendor's packages as `package-lock.json` pins them, and the tools to run them."""
    try:
        need_tools()
    except MissingToolError as missing:
        pytest.fail(str(missing), pytrace=False)
    install_locked(HERE)


@pytest.fixture(scope="session")
def facts_of(
    request: pytest.FixtureRequest, sdk_server: MockChat, node_modules: None
) -> Iterator[Callable[[str], Facts]]:
    """Starts the runs at once and hands out the facts of one of them, waiting if need be."""
    environment = environment_for(sdk_server)
    wanted = runs_wanted_by(request.session)
    with ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) + 1) as pool:
        browser = pool.submit(run_in_browser, environment, wanted & BROWSER_RUNS.keys())
        node = {
            name: pool.submit(run_in_node, environment, name, *NODE_RUNS[name])
            for name in NODE_RUNS
            if name in wanted
        }

        kits = pool.submit(run_uikits, environment, [kit for kit in UIKITS if kit in wanted])

        def facts(name: str) -> Facts:
            if name in node:
                return node[name].result()
            return (kits if name in UIKITS else browser).result()[name]

        yield facts


def runs_wanted_by(session: pytest.Session) -> set[str]:
    """The runs that the selected tests are about: `pytest -k` starts no more than it needs."""
    specs = [item.callspec for item in session.items if hasattr(item, "callspec")]
    return {value for spec in specs for value in spec.params.values() if isinstance(value, str)}


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-node")] + [*BROWSER_RUNS])
def run(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """The facts of one package in one place."""
    return facts_of(request.param)


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-long-session")])
def long_session(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    return facts_of(request.param)


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-faults")])
def faulty(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """The facts of a package in an app that is told to go wrong."""
    return facts_of(request.param)


@pytest.fixture(params=[name for name, (_, flow) in NODE_RUNS.items() if flow in CALLS_FLOWS])
def calls(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    return facts_of(request.param)


@pytest.fixture(params=UIKITS)
def uikit(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """What the page with a UI Kit shows, and what went wrong in it."""
    return facts_of(request.param)


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-snippets")])
def snippets(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """The steps of the vendor's JavaScript snippets, in the app their placeholders name."""
    steps: Facts = facts_of(request.param)["steps"]
    return steps


def run_in_node(environment: dict[str, str], name: str, package: str, flow: str) -> Facts:
    app_id = "APP_ID" if flow == "snippets" else app_id_for(name)
    facts: Facts = facts_from(
        ["node_runner.mjs", package, flow], {**environment, "MOCKCHAT_APP_ID": app_id}, RUN_LIMIT
    )
    return facts


def run_uikits(environment: dict[str, str], kits: list[str]) -> dict[str, Facts]:
    if not kits:
        return {}
    install_locked(HERE / "uikit")
    ARTEFACTS.mkdir(exist_ok=True)
    rules = {"MOCKCHAT_HOST_RULES": chromium_flag(environment["MOCKCHAT_HTTPS_URL"])}
    command = ["uikit_runner.mjs", UIKIT_APP, str(ARTEFACTS), *kits]
    facts: dict[str, Facts] = facts_from(command, environment | rules, 2 * RUN_LIMIT)
    return facts


def chromium_flag(https_url: str) -> str:
    """The flag that leads the live host names of the kits' app to a server, and no other name."""
    port = https_url.rpartition(":")[2]
    words = ["hosts", "--app-id", UIKIT_APP, "--https-port", port, "--format", "chromium"]
    done = subprocess.run(
        [sys.executable, "-m", "mockchat", *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def run_in_browser(environment: dict[str, str], names: Iterable[str]) -> dict[str, Facts]:
    """One browser for all packages, for its start is what takes long."""
    jobs = {name: f"{BROWSER_RUNS[name]}={app_id_for(name)}" for name in names}
    if not jobs:
        return {}
    runs: list[Facts] = facts_from(["browser_runner.mjs", *jobs.values()], environment, RUN_LIMIT)
    return dict(zip(jobs, runs, strict=True))
