"""`mockchat verify`: what it asks before, prints and writes, and with which exit status it ends."""

import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mockchat import Config, MockChat
from mockchat.verify.table import GROUPS
from tests.command_line import Command, check_refusals

REST_KEY, AUTH_KEY = "rest1-0123456789-tail1", "auth1-0123456789-tail2"


@pytest.fixture(scope="module")
def live() -> Iterator[MockChat]:
    """A mockchat that stands in for the live service."""
    config = Config(
        port=0, https_port=None, errors="live", strict_apps=True, login_latency=0, app_id="app123",
        rest_api_key=(REST_KEY,), auth_key=(AUTH_KEY,),
    )  # fmt: skip
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.fixture
def account(live: MockChat, monkeypatch: pytest.MonkeyPatch) -> str:
    """The words that name the app; its keys are in variables."""
    monkeypatch.setenv("COMETCHAT_REST_API_KEY", REST_KEY)
    monkeypatch.setenv("COMETCHAT_AUTH_KEY", AUTH_KEY)
    monkeypatch.setenv("COMETCHAT_APP_ID", "app123")
    return f"--base-url {live.url}/v3"


def test_verify_tells_that_the_same_service_is_the_same_and_shows_no_key_anywhere(
    command: Command, account: str, tmp_path: Path
) -> None:
    words = shlex.split(f"verify {account} --only refusals --only users --yes")
    page, text = tmp_path / "report.html", tmp_path / "report.md"

    done = command(*words, "--report", page, "--record", tmp_path / "cassettes")

    assert done.status == 0, done
    assert "No answer differs." in done.out
    assert "Nothing is left on the app." in done.out
    assert "requests go to the app app123 at http://127.0.0.1" in done.err
    found = command(*words, "--json", "--report", text).json
    assert found["counts"]["differs"] == 0
    assert len(found["probes"]) == len(GROUPS["refusals"]) + len(GROUPS["users"])
    cassettes = [path.read_text() for path in sorted((tmp_path / "cassettes").glob("*.yaml"))]
    written = [done.out, json.dumps(found), page.read_text(), text.read_text(), *cassettes]
    for one in written:
        for secret in ("rest1", "tail1", "auth1", "tail2", "app123"):
            assert secret not in one
    for path in (page, text):
        assert "No answer differs." in path.read_text()
    [exchange, *_] = yaml.safe_load(cassettes[1])["interactions"]
    assert exchange["request"]["method"] == "POST"
    assert exchange["request"]["headers"]["apikey"] == ["REST_API_KEY"]
    assert exchange["response"]["status"] == {"code": 200, "message": "OK"}
    assert json.loads(exchange["response"]["body"]["string"])["data"]["name"] == "Verify A"


def test_verify_ends_with_status_1_and_names_both_sides_if_an_answer_differs(
    command: Command, account: str, live: MockChat
) -> None:
    with live.fault("error", path="/userss", code="ERR_OTHER", status=404):
        done = command(*shlex.split(f"verify {account} --only refusals --yes"))

    assert done.status == 1
    assert "ERR_OTHER" in done.out
    assert "ERR_API_NOT_FOUND" in done.out


def test_a_dry_run_prints_a_curl_command_for_each_probe_and_sends_nothing(
    command: Command, account: str, live: MockChat
) -> None:
    before = len(live.journal)

    done = command(*shlex.split(f"verify {account} --dry-run"))

    words = shlex.split(done.out, comments=True)
    probes = [probe for group in GROUPS.values() for probe in group]
    assert words.count("curl") == sum(probe.method != "WS" for probe in probes)
    assert words[:4] == ["curl", "--globoff", "--request", "GET"]
    assert "apikey: $COMETCHAT_REST_API_KEY" in words
    assert "" in words  # the empty form
    assert REST_KEY not in done.out
    assert len(live.journal) == before


def test_what_verify_cannot_do_is_refused_in_words(
    command: Command, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        f"verify {account}": "nobody can be asked: pass --yes",
        f"verify {account} --only nothing": "--only nothing: there are refusals, create, ",
        f"verify {account} --remove users": "--remove users: must be mockchat-verify- and what",
        f"verify {account} --timeout soon": "--timeout: must be a duration",
        f"verify {account} --region mars": "region must be one of us, eu, in",
        f"verify {account} --app-id x/y": "app_id must be 1 to 64 letters",
        f"verify {account} --auth-key {REST_KEY}": "must be two keys",
        "verify --base-url ftp://x": "--base-url ftp://x: must be like https://host/v3",
    }
    check_refusals(command, 2, rows)
    done = command(*shlex.split(f"verify {account} --yes --only refusals --record /dev/null/x"))
    assert (done.status, "/dev/null/x: cannot be written: " in done.err) == (2, True)
    monkeypatch.delenv("COMETCHAT_REST_API_KEY")
    check_refusals(command, 2, {f"verify {account} --yes": "must be the app's REST key"})
    monkeypatch.delenv("COMETCHAT_APP_ID")
    check_refusals(command, 2, {f"verify {account} --yes": "must name the app"})


def test_on_a_terminal_missing_keys_and_the_consent_are_asked_for(
    command: Command, account: str, live: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMETCHAT_REST_API_KEY")
    monkeypatch.delenv("COMETCHAT_AUTH_KEY")
    keys = {"REST API key of the app: ": REST_KEY, "Auth Key of the app (or nothing): ": ""}
    monkeypatch.setattr("getpass.getpass", keys.pop)
    stdin = io.StringIO("no\n")
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", stdin)
    before = len(live.journal)

    done = command(*shlex.split(f"verify {account}"))

    assert (done.status, done.out, keys) == (1, "", {})
    assert done.err.endswith("Go on? [y/N] mockchat: nothing was done\n")
    assert len(live.journal) == before


def test_verify_says_what_to_install_if_the_extra_is_missing(
    command: Command, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    done = command(*shlex.split(f"verify {account} --yes"))
    assert (done.status, done.complaint) == (1, "this needs rich: pip install 'mockchat[verify]'")


def test_what_an_earlier_run_has_left_can_be_removed(
    command: Command, account: str, live: MockChat
) -> None:
    for uid in ("mockchat-verify-1-a", "mockchat-verify-12-a"):
        live.create_user(uid)

    done = command(*shlex.split(f"verify {account} --remove mockchat-verify-1"))

    assert (done.status, done.complaint) == (0, "nothing is left on the app")
    left = [uid for uid in live.users if uid.startswith("mockchat")]
    assert left == ["mockchat-verify-12-a"]
    words = f"verify {account} --rest-api-key {AUTH_KEY} --auth-key x --remove mockchat-verify-2"
    check_refusals(command, 1, {words: "--rest-api-key: the key has no full access"})
