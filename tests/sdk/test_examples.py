"""`examples/node-app`: its own tests pass, with the vendor's package as npm installs it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockchat import Config, MockChat
from tests.sdk.harness import HERE, tool

NODE_APP = HERE.parent.parent / "examples" / "node-app"
# What the app installs, and what it is here.
PACKAGES = {"@cometchat/chat-sdk-javascript": "chat-4.2.0", "jsdom": "jsdom", "ws": "ws"}


@pytest.fixture
def node_app(tmp_path: Path, node_modules: None) -> Path:
    """The app in a folder of its own, after `npm install`."""
    made = shutil.ignore_patterns("node_modules")
    folder = Path(shutil.copytree(NODE_APP, tmp_path / "app", ignore=made))
    for name, here in PACKAGES.items():
        link = folder / "node_modules" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(HERE / "node_modules" / here)
    return folder


def npm(folder: Path, mock: MockChat, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run npm with the environment that `mockchat exec` gives."""
    app = mock.app(mock.config.app_id)
    environment = {
        **os.environ,
        "MOCKCHAT_URL": str(mock.url),
        "MOCKCHAT_HTTPS_URL": str(mock.https_url),
        "MOCKCHAT_APP_ID": app.app_id,
        "MOCKCHAT_AUTH_KEY": app.auth_key,
        "NODE_EXTRA_CA_CERTS": str(app.ca_path),
    }
    return subprocess.run(
        [tool("npm"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[MockChat]:
    """A server of the example's own, for its tests reset every app."""
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path / "ca"))
    with MockChat(config).in_thread() as mock:
        yield mock


def test_the_app_passes_its_own_tests(node_app: Path, mock: MockChat) -> None:
    done = npm(node_app, mock, "test", "--", "--test-reporter=tap")

    assert done.returncode == 0, done.stdout
    assert "# pass 6\n" in done.stdout


def test_the_app_shows_who_is_logged_in(node_app: Path, mock: MockChat) -> None:
    done = npm(node_app, mock, "start", "--silent", "cometchat-uid-1")

    assert done.stdout == "Andrew Joseph is logged in\n"
    assert mock.app("APP_ID").journal.count(operation="create_auth_token", status=200) == 1


def test_the_app_installs_what_is_tried_here() -> None:
    package = json.loads((NODE_APP / "package.json").read_text(encoding="utf-8"))
    installed = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]

    tried = {name: "^" + installed[here].rpartition("@")[2] for name, here in PACKAGES.items()}

    assert package["dependencies"] == tried
