"""Runs CometChat's own packages against one mock server: once a session, side by side.

Every run is a process of its own (`node_runner.mjs`, `browser_runner.mjs`) that prints facts as
JSON; the tests compare the facts. A missing tool fails the suite, for a green run has to mean
that everything ran.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mockchat import Config, MockChat

Facts = dict[str, Any]

HERE = Path(__file__).parent
IN_NODE = ("chat-4.2.0", "chat-4.0.0", "ionic-4.0.4", "pro-3.0.13")
IN_BROWSER = ("chat-4.2.0", "pro-3.0.0", "pro-2.4.1")
LONG_SESSIONS = ("chat-4.2.0", "pro-3.0.13")
NODE_RUNS = {
    **{f"{package}-node": (package, "steps") for package in IN_NODE},
    **{f"{package}-long-session": (package, "long-session") for package in LONG_SESSIONS},
    "chat-4.2.0-snippets": ("chat-4.2.0", "snippets"),
}
BROWSER_RUNS = {f"{package}-browser": package for package in IN_BROWSER}

DEBIAN_PACKAGE = {
    "node": "nodejs",
    "npm": "npm",
    "certutil": "libnss3-tools",
    "chromium": "chromium",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RUN_LIMIT = 90
INSTALL_LIMIT = 300


@pytest.fixture(scope="session")
def sdk_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")), errors="auto")
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.fixture(scope="session")
def node_modules() -> None:
    """The vendor's packages as `package-lock.json` pins them."""
    installed = HERE / "node_modules" / ".package-lock.json"
    wanted = HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([tool("npm"), "ci"], cwd=HERE, check=True, timeout=INSTALL_LIMIT)


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

        def facts(name: str) -> Facts:
            return node[name].result() if name in node else browser.result()[name]

        yield facts


def runs_wanted_by(session: pytest.Session) -> set[str]:
    """The runs that the selected tests are about: `pytest -k` starts no more than it needs."""
    specs = [item.callspec for item in session.items if hasattr(item, "callspec")]
    return {value for spec in specs for value in spec.params.values() if isinstance(value, str)}


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-node")] + [*BROWSER_RUNS])
def run(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """The facts of one package in one place."""
    return facts_of(request.param)


@pytest.fixture(params=BROWSER_RUNS)
def browser_run(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    return facts_of(request.param)


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-long-session")])
def long_session(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    return facts_of(request.param)


@pytest.fixture(params=[name for name in NODE_RUNS if name.endswith("-snippets")])
def snippets(request: pytest.FixtureRequest, facts_of: Callable[[str], Facts]) -> Facts:
    """The steps of the vendor's JavaScript snippets, in the app their placeholders name."""
    steps: Facts = facts_of(request.param)["steps"]
    return steps


def run_in_node(environment: dict[str, str], name: str, package: str, flow: str) -> Facts:
    app_id = "APP_ID" if flow == "snippets" else app_id_for(name)
    facts: Facts = facts_from(
        ["node_runner.mjs", package, flow], {**environment, "MOCKCHAT_APP_ID": app_id}
    )
    return facts


def run_in_browser(environment: dict[str, str], names: Iterable[str]) -> dict[str, Facts]:
    """One browser for all packages, for its start is what takes long."""
    jobs = {name: f"{BROWSER_RUNS[name]}={app_id_for(name)}" for name in names}
    if not jobs:
        return {}
    runs: list[Facts] = facts_from(["browser_runner.mjs", *jobs.values()], environment)
    return dict(zip(jobs, runs, strict=True))


def app_id_for(run_name: str) -> str:
    """An app of its own for each run; in capitals, as the default app's id is."""
    return "SDK_" + re.sub(r"\W", "_", run_name).upper()


def facts_from(command: list[str], environment: dict[str, str]) -> Any:
    process = subprocess.Popen(
        [tool("node"), *command],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, log = process.communicate(timeout=RUN_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with the browser it may have started
        output, log = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{log[-4000:]}")
    return json.loads(output)


def environment_for(server: MockChat) -> dict[str, str]:
    tool("certutil")
    return {
        **os.environ,
        "MOCKCHAT_HTTPS_URL": str(server.https_url),
        "MOCKCHAT_CHROMIUM": tool(*BROWSERS),
        "NODE_EXTRA_CA_CERTS": str(server.ca_path),
        "AUTH_KEY": "AUTH_KEY",
        "REST_API_KEY": "REST_API_KEY",
    }


def tool(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    package = DEBIAN_PACKAGE[names[0]]
    pytest.fail(
        f"The SDK tests need {names[0]}, which is not installed. "
        f"Debian and Ubuntu have it in a package: apt-get install {package}",
        pytrace=False,
    )
