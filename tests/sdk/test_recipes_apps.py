"""The apps of `docs/sdks`, built as printed.

Those for browsers are used in headless Chromium (`recipe_runner.mjs`), the modules of the others
run in Node with the vendor's packages (`recipe_module.mjs`).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mockchat import Config, MockChat
from tests.pages import WEB_APPS, recipe
from tests.sdk.harness import HERE, Facts, environment_for, facts_from, install_locked
from tests.sdk.recipes import lay_out

RUN_LIMIT = 120
# What a project of the Angular CLI has of its own, in Vite's words.
ANGULAR_INDEX = """<!doctype html>
<title>Chat</title>
<app-root></app-root>
<script type="module" src="/src/main.ts"></script>
"""
SESSIONS = ["nobody", "Andrew Joseph", "nobody", "George Alan", "nobody"]


@pytest.fixture(scope="module")
def recipe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    """A server of their own, for all of them mean the app that the pages name."""
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")))
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, node_modules: None) -> Path:
    """A folder whose projects find the packages that npm would install for them."""
    install_locked(HERE / "uikit")
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "node_modules").symlink_to(HERE / "uikit" / "node_modules")
    return folder


@pytest.fixture(scope="module")
def web_facts(recipe_server: MockChat, workshop: Path) -> Facts:
    for name in WEB_APPS:
        lay_out(recipe(name), workshop / name, recipe_server)
    (workshop / "angular" / "index.html").write_text(ANGULAR_INDEX, encoding="utf-8")
    folders = [str(workshop / name) for name in WEB_APPS]
    environment = environment_for(recipe_server)
    facts: Facts = facts_from(["recipe_runner.mjs", *folders], environment, RUN_LIMIT)
    return facts


def test_the_app_of_each_page_logs_in_by_key_and_by_token_and_out_with_a_clean_console(
    web_facts: Facts,
) -> None:
    for name in (*WEB_APPS, "react kit"):
        assert name == "react kit" or web_facts[name]["shown"] == SESSIONS, name
        assert web_facts[name]["consoleErrors"] == [], name
        assert web_facts[name]["unhandled"] == [], name


def test_the_ui_kit_of_the_react_page_lists_the_other_users(
    web_facts: Facts, recipe_server: MockChat
) -> None:
    names = {user["name"] for user in recipe_server.users.values()}

    assert set(web_facts["react kit"]["shown"]) == names - {"Andrew Joseph"}


# --- modules in Node ------------------------------------------------------------------------
def module_facts(name: str, module: str, flow: str, mock: MockChat, workshop: Path) -> Facts:
    lay_out(recipe(name), workshop / name, mock)
    command = ["recipe_module.mjs", str(workshop / name), module, flow]
    facts: Facts = facts_from(command, environment_for(mock), RUN_LIMIT)
    return facts


def test_the_modules_of_the_pages_log_in_and_those_that_cannot_run_here_compile(
    recipe_server: MockChat, workshop: Path
) -> None:
    facts = module_facts("react-native", "src/chat.js", "chat", recipe_server, workshop)
    assert facts["shown"] == SESSIONS

    payload = module_facts("calls-v4", "src/calls.js", "calls", recipe_server, workshop)
    assert payload["sessionId"] == "a-session"
    assert payload["user"]["uid"] == "cometchat-uid-1"

    for name, module in (("react-native", "src/App.jsx"), ("calls-v5", "src/calls.js")):
        built = Path(module_facts(name, module, "none", recipe_server, workshop)["built"])
        assert "logInByToken" in built.read_text(encoding="utf-8"), name
