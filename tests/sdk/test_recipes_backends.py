"""The back ends of `docs/sdks`: their programs sign users in and out of a real server."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from mockchat import Config, MockChat
from tests.pages import BACKENDS, recipe
from tests.sdk.recipes import Shell, lay_out

TOKEN = re.compile(r"alice_\d{10}[0-9a-f]{30}\n")
ALICE = {"uid": "alice", "name": "Alice"}
DEAD_TOKEN = "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"
START = "sign-in alice Alice"
END = "sign-out alice"


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def mock(ca_dir: Path) -> Iterator[MockChat]:
    with MockChat(Config(port=0, https_port=0, ca_dir=str(ca_dir))).in_thread() as mock:
        yield mock


@pytest.fixture(params=BACKENDS)
def shell(request: pytest.FixtureRequest, mock: MockChat, ca_dir: Path, tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    (home / ".cache").mkdir(parents=True)
    (home / ".cache" / "mockchat").symlink_to(ca_dir)
    folder = tmp_path / "backend"
    lay_out(recipe(request.param), folder, mock)
    return Shell(recipe(request.param), mock, folder, home)


@pytest.fixture
def app(mock: MockChat) -> Callable[[str], object]:
    """What an app learns that logs in with a token: its user, or the code of the refusal."""

    def log_in(token: str) -> object:
        request = Request(f"{mock.url}/v3/me", method="PUT", headers={"authToken": token.strip()})
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
                me = json.load(response)["data"]
        except HTTPError as refusal:
            return json.load(refusal)["error"]["code"]
        return {key: me[key] for key in ALICE}

    return log_in


def out(shell: Shell, *lines: str) -> str:
    done = shell.run(*lines)
    assert done.returncode == 0, done.stderr
    return done.stdout


def steps(lines: list[str], end: str) -> list[str]:
    """The one line that ends so, after what the page does first: compiling, exporting."""
    (at,) = [index for index, line in enumerate(lines) if line.endswith(end)]
    return [*preparations(lines[:at]), lines[at]]


def preparations(lines: list[str]) -> list[str]:
    return [line for line in lines if " sign-" not in line and not line.startswith("pytest")]


def test_a_sign_in_prints_a_token_for_new_and_known_users_until_the_sign_out(
    shell: Shell, app: Callable[[str], object]
) -> None:
    lines = shell.commands("Log in")
    sign_in = steps(lines, START)

    token = out(shell, *sign_in).splitlines(keepends=True)[-1]
    assert TOKEN.fullmatch(token)
    assert app(token) == ALICE

    assert TOKEN.search(out(shell, *sign_in, sign_in[-1]))
    out(shell, *steps(lines, END))
    assert app(token) == DEAD_TOKEN

    bad = sign_in[-1].replace("alice Alice", "'two words' Two")
    refused = shell.run(*sign_in[:-1], bad)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].endswith("ERROR_UID_WITH_SPACE")


def test_https_works_with_the_ca_of_the_page_alone(
    shell: Shell, app: Callable[[str], object]
) -> None:
    prepared = preparations(shell.commands("Log in"))
    lines = steps(shell.commands("TLS"), START)

    ca_dir = shell.home / ".cache" / "mockchat"
    kept = ca_dir.readlink()

    ca_dir.unlink()
    without = [line for line in lines if "cert-sync" not in line]
    assert shell.run(*prepared, *without).returncode != 0

    ca_dir.symlink_to(kept)
    token = out(shell, *prepared, *lines).splitlines()[-1]
    assert app(token) == ALICE


@pytest.mark.parametrize("shell", ["curl"], indirect=True)
def test_the_log_in_without_an_sdk_answers_with_the_user_until_its_logout(shell: Shell) -> None:
    lines = shell.commands("Log in without an SDK")

    answers = out(shell, *[f"{line}; echo" for line in lines]).split("\n")

    *users, farewell = [json.loads(answer)["data"] for answer in answers if answer]
    assert [user["uid"] for user in users] == ["cometchat-uid-1"] * 3
    assert farewell["success"] is True


@pytest.mark.parametrize("shell", ["python"], indirect=True)
def test_the_tests_of_the_python_page_pass(shell: Shell) -> None:
    (line,) = [line for line in shell.commands("Log in") if line.startswith("pytest ")]

    assert "3 passed" in out(shell, line)
