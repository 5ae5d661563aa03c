"""`examples/js-kit` in the real test runners: the files of docs/javascript, as they are printed."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from mockchat import MockChat, __version__
from tests.pages import Page
from tests.scale import free_ports
from tests.sdk.harness import BROWSERS, HERE, install_locked, npm, tool
from tests.sdk.recipes import PATH

ROOT = HERE.parent.parent
KIT = ROOT / "examples" / "js-kit"
PAGES = ROOT / "docs" / "javascript"
OWN = HERE / "runners"
RUN_LIMIT = 120

VITEST = "node_modules/vitest/vitest.mjs"
JEST = "node_modules/jest/bin/jest.js"
PLAYWRIGHT = "node_modules/@playwright/test/cli.js"
TSC = "node_modules/typescript/bin/tsc"


@pytest.fixture(scope="module")
def packages(node_modules: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `node_modules` with the runners, the newest chat SDK, and the kit as npm packs it."""
    install_locked(OWN)
    folder = tmp_path_factory.mktemp("packages") / "node_modules"
    folder.mkdir()
    for package in (OWN / "node_modules").iterdir():
        (folder / package.name).symlink_to(package)
    packed = npm("pack", "--silent", str(KIT), folder=folder.parent)  # as its page says
    with tarfile.open(folder.parent / packed.strip()) as archive:
        archive.extractall(folder.parent, filter="data")
    (folder.parent / "package").rename(folder / "mockchat-kit")
    return folder


class Project:
    """A folder with the files of a page and the packages that the page installs."""

    def __init__(self, page: str, folder: Path, packages: Path) -> None:
        self.folder = folder
        (folder / "node_modules").mkdir()
        for package in packages.iterdir():
            link = folder / "node_modules" / package.name
            # Vite loads no setup file from outside of the project.
            if package.is_symlink():
                link.symlink_to(package.resolve())
            else:
                shutil.copytree(package, link)
        self.write("package.json", "{}" if page == "jest" else '{"type": "module"}')
        for name, code in Page(PAGES / f"{page}.md").files.items():
            self.write(name, code)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def take(self, name: str, place: str = "") -> None:
        """Add a file of `tests/sdk/runners`."""
        shutil.copyfile(OWN / name, self.folder / place / name)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text, name
        self.write(name, text.replace(old, new))

    def run(self, script: str, *words: str, status: int = 0, **variables: str) -> str:
        """Run a script in Node; return its output, with single blanks between the words."""
        environment = {name: value for name, value in os.environ.items() if "MOCKCHAT" not in name}
        environment |= {"PATH": PATH, "XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run(
            [tool("node"), script, *words],
            cwd=self.folder,
            env={**environment, "CI": "1", "NO_COLOR": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_LIMIT,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return re.sub(r"\s+", " ", done.stdout)


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, packages: Path) -> Project:
    """The project of the page that the test names."""
    return Project(request.param, tmp_path, packages)


def of(page: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("project", [page], indirect=True)


# --- Vitest and Jest ------------------------------------------------------------------------
@of("vitest")
def test_the_vitest_page_passes_in_happy_dom_and_in_jsdom(project: Project) -> None:
    assert "Tests 3 passed (3)" in project.run(VITEST, "run")

    project.replace("vitest.config.js", '"happy-dom"', '"jsdom"')
    assert "Tests 3 passed (3)" in project.run(VITEST, "run", "--pool", "threads")


@of("vitest")
def test_vitest_without_the_kit_s_cures_shows_the_symptoms_that_the_docs_list(
    project: Project,
) -> None:
    project.take("cureless.config.js")
    project.take("referrer.js")
    vitest = (VITEST, "run", "--config", "cureless.config.js")

    said = project.run(*vitest, status=1, ENVIRONMENT="node")
    assert "window is not defined" in said
    said = project.run(*vitest, status=1, ENVIRONMENT="jsdom")
    assert "Login failed: FAILED_TO_FETCH" in said
    said = project.run(*vitest, status=1, ENVIRONMENT="jsdom", SETUP="./referrer.js")
    assert 'The "event" argument must be an instance of Event' in said


@of("jest")
def test_the_jest_page_passes_and_a_login_in_jest_s_own_jsdom_never_settles(
    project: Project,
) -> None:
    assert "Tests: 3 passed, 3 total" in project.run(JEST)

    project.replace("jest.config.js", "mockchat-kit/jest-environment", "jsdom")
    project.take("without_fetch.test.js", "test")
    assert "Tests: 1 passed, 1 total" in project.run(JEST, "without_fetch")


# --- browsers -------------------------------------------------------------------------------
@of("playwright")
def test_the_playwright_page_passes_also_by_a_made_up_host_and_a_fulfilled_route(
    project: Project,
) -> None:
    ports = free_ports()
    http, https, vite = next(ports), next(ports), next(ports)
    settings = f"mockchatServer({{ port: {http}, httpsPort: {https} }})"
    project.replace("playwright.config.js", "mockchatServer()", settings)
    project.replace("playwright.config.js", "5173", str(vite))
    project.take("suite.config.js")
    project.take("vite.config.js")
    project.take("hosts.spec.js", "e2e")

    said = project.run(PLAYWRIGHT, "test", "--config", "suite.config.js", CHROMIUM=tool(*BROWSERS))

    assert "6 passed" in said
    assert re.search(r"fault [0-9]+ \(error\) never struck", said)


@of("cypress")
def test_the_files_of_the_cypress_page_and_of_the_kit_are_javascript(project: Project) -> None:
    scripts = [*project.folder.glob("cypress*/**/*.js"), project.folder / "cypress.config.js"]

    for script in (*scripts, *KIT.glob("*.js")):
        project.run("--check", str(script))

    assert len(scripts) == 3


# --- the kit --------------------------------------------------------------------------------
@of("cypress")
def test_the_verbs_of_the_kit_act_and_refuse_with_a_reason(project: Project) -> None:
    project.take("kit.mjs")

    facts = json.loads(project.run("kit.mjs"))

    assert facts["env"]["own"] == 1
    assert facts["env"]["mockchat"]["host"].endswith("/v3.0")
    unstruck, typo, missed, late, verb = facts["said"]
    assert "struck nothing" in unstruck
    assert "oparation" in typo
    assert 'expected one or more of {"operation":"login"}, got 0' in missed
    assert "create_auth_token alice" in missed
    assert "expected 99 in 0.01" in late
    assert verb == "mockchat has no verb journal.fnd"
    assert facts["typed"]
    assert (facts["token"], facts["loggedIn"]) == ("alice", 200)
    assert facts["time"] == "2030-01-01T01:00:00.000Z"
    assert "alice" not in facts["uids"]
    assert facts["faults"] == ["APP_ID"]


@of("cypress")
def test_a_given_server_is_used_and_told_of_faults_that_are_left_there(
    project: Project, sdk_server: MockChat
) -> None:
    project.write("start.mjs", 'import { start } from "mockchat-kit";\nawait start();\n')
    with sdk_server.app("left").fault("hang", operation="login") as fault:
        said = project.run("start.mjs", MOCKCHAT_URL=str(sdk_server.url))

    assert f"fault {fault.id} (hang) is left from before; it strikes the app left" in said


@of("cypress")
def test_a_server_that_cannot_start_or_does_not_answer_is_told(project: Project) -> None:
    project.write("start.mjs", 'import { start } from "mockchat-kit";\nawait start();\n')
    nobody = f"http://127.0.0.1:{next(free_ports())}"

    said = project.run("start.mjs", status=1, MOCKCHAT_URL=nobody)
    assert f"no mockchat answers at {nobody}" in said
    said = project.run("start.mjs", status=1, PATH="/nowhere")
    assert "mockchat: there is no such command; install mockchat" in said


@of("playwright")
def test_the_types_take_right_calls_and_refuse_mistyped_ones(project: Project) -> None:
    project.take("calls.ts")
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]

    project.run(TSC, *options, "calls.ts")


@of("cypress")
def test_the_react_native_sdk_logs_in_in_plain_node(project: Project) -> None:
    project.take("native.mjs")

    assert "Andrew Joseph is logged in" in project.run("native.mjs", str(HERE))


def test_the_kit_has_the_version_of_mockchat() -> None:
    package = json.loads((KIT / "package.json").read_text(encoding="utf-8"))

    assert package["version"] == __version__
