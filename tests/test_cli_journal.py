"""`journal` against a running server: lines, one exchange, HAR, waiting and following."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mockchat import Config, MockApp, MockChat
from mockchat.commands import journal
from mockchat.commands.remote import Remote, UnreachableError
from tests.command_line import Command, check_refusals
from tests.values import PATIENCE

Step = Callable[[], object]
FOLLOW = ("journal", "--follow", "--json", "--url")


def ask(url: str, path: str = "/users/superhero1", method: str = "GET") -> None:
    request = Request(f"{url}{path}", headers={"apikey": "REST_API_KEY"}, method=method)
    with contextlib.suppress(HTTPError):
        urlopen(request).close()


# --- lines ----------------------------------------------------------------------------------
def test_an_exchange_is_a_line_with_its_app_if_all_apps_are_listed(
    steer: Command, app: MockApp
) -> None:
    ask(app.url)

    (words,) = steer("journal").words

    (exchange,) = app.journal
    stamp = time.strftime("%H:%M:%S", time.localtime(exchange.at))
    assert words[0] == f"#{exchange.id}"
    assert words[1].startswith(f"{stamp}.")
    assert words[2:4] == ["GET", "200"]
    assert words[4].endswith("ms")
    assert words[5:] == [exchange.target, "get_user", "uid=superhero1"]
    of_all_apps = steer("journal", "--app", "", "--limit", "1000").lines
    assert any(f" {app.app_id} " in line for line in of_all_apps)


def test_a_line_shows_code_hint_and_fault_and_no_status_without_a_response(
    steer: Command, app: MockApp
) -> None:
    ask(app.url, "/usrs/superhero1")
    app.fail(503, times=1)
    ask(app.url)
    app.fail("empty", times=1)
    with pytest.raises(OSError, match="closed connection"):
        ask(app.url)

    line, hint, fault, which, silent, _ = steer("journal").lines

    assert " 404 " in line
    assert "  ERR_API_NOT_FOUND" in line
    assert hint == "        hint: the nearest is GET /users/{uid} (get_user)"
    assert "fault: error" in fault
    assert re.search(r"^ +hint: fault [0-9]+ \(error\) struck; it was added 0 s ago", which)
    assert silent.split()[2:4] == ["GET", "-"]


def test_exchanges_are_filtered(steer: Command, app: MockApp) -> None:
    for path, method in (
        *(("/users/superhero1", "GET"), ("/users/superhero1/friends", "GET")),
        *(("/users/nobody", "DELETE"), ("/users", "GET")),
    ):
        ask(app.url, path, method)

    counts = {
        "--method delete": 1,
        "--path /users/*": 2,
        "--uid SUPERHERO1": 2,
        "--status 404": 1,
        "--code ERR_UID_NOT_FOUND": 1,
        "--operation list_users": 1,
        "--operation get_user --status 404": 0,
    }
    for words, count in counts.items():
        assert steer("journal", *words.split(), "--json").json["count"] == count, words


def test_a_limit_shows_the_newest_and_an_empty_journal_is_no_failure(
    steer: Command, app: MockApp
) -> None:
    for _ in range(3):
        ask(app.url)

    done = steer("journal", "--limit", 2)
    assert len(done.lines) == 2
    assert done.lines[-1].startswith(f"#{app.journal.last().id} ")
    assert done.err == "mockchat: these are the newest of 3; --limit N prints more\n"

    assert steer("journal", "clear").lines == ["3 exchanges are forgotten."]
    assert len(app.journal) == 0
    done = steer("journal")
    assert (done.status, done.complaint) == (0, "the journal is empty")
    assert steer("journal", "--uid", "ann").complaint == "no exchange matches"


# --- one exchange, HAR ----------------------------------------------------------------------
def test_an_exchange_is_printed_in_full(steer: Command, app: MockApp) -> None:
    steer("token", "superhero1")
    exchange = app.journal.last()

    lines = steer("journal", exchange.id).lines

    assert lines[0].startswith(f"#{exchange.id} ")
    assert "> POST /v3/users/superhero1/auth_tokens" in lines
    assert "> Apikey: REST_API_KEY" in lines
    assert "< 200" in lines
    assert '<     "uid": "SUPERHERO1",' in lines
    shown = steer("journal", exchange.id, "--json").json
    assert shown["response"]["body"]["data"]["uid"] == "SUPERHERO1"


def test_the_journal_is_written_as_har(steer: Command, app: MockApp, tmp_path: Path) -> None:
    assert steer("journal", "--har", "-").json["log"]["entries"] == []
    ask(app.url)
    ask(app.url, "/users/nobody")

    done = steer("journal", "--har", tmp_path / "all.har", "--status", "404")

    log = json.loads((tmp_path / "all.har").read_text())["log"]
    assert done.err == f"mockchat: wrote {tmp_path / 'all.har'}\n"
    assert log["version"] == "1.2"
    assert [entry["response"]["status"] for entry in log["entries"]] == [404]


# --- waiting --------------------------------------------------------------------------------
def test_a_wait_ends_with_the_exchanges_or_fails(
    steer: Command, app: MockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(app.url)

    assert len(steer("journal", "--wait", "1h").lines) == 1
    told = "1 of 2 exchanges came within 0.001 s"
    check_refusals(steer, 1, {"journal --wait 1ms --count 2 --path '/users/*'": told})
    monkeypatch.setattr(journal, "_LONGEST_WAIT", 0.001)  # one of several requests to wait
    told = "1 of 2 exchanges came within 0.02 s"
    check_refusals(steer, 1, {"journal --wait 20ms --count 2": told})


def test_a_wrong_question_is_refused(steer: Command) -> None:
    one_of = "one of ID, clear, --follow, --har and --wait"
    wrong = {
        "journal --wait soon": "--wait: must be a duration like 25ms, 1.5s, 10m, 2h or 30d",
        "journal --wait 1s --count many": "--count: must be a whole number from 1 on",
        "journal --wait 1s --count 0": "--count: must be a whole number from 1 on",
        "journal --count 3": "journal --count needs --wait",
        "journal --follow --har x.har": one_of,
        "journal clear --wait 1s": one_of,
        "journal latest": "the id of an exchange or clear, not 'latest'",
        "journal ²": "the id of an exchange or clear, not '²'",
    }
    check_refusals(steer, 2, wrong)
    refused = {
        "journal 0": "There is no exchange 0. (MOCK_NOT_FOUND)",
        "journal --status teapot": "The status must be an integer",
    }
    check_refusals(steer, 1, refused)


# --- following ------------------------------------------------------------------------------
class Reader(io.StringIO):
    """Takes the next step after each line that it reads; after the last step it is Ctrl-C."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self._steps = steps

    def write(self, text: str) -> int:
        written = super().write(text)
        if not self._steps:
            raise KeyboardInterrupt
        self._steps.pop(0)()
        return written

    @property
    def targets(self) -> list[str]:
        """The end of the target in each line."""
        lines = self.getvalue().splitlines()
        return [json.loads(line)["target"].rpartition("/")[2] for line in lines]


Read = Callable[[list[Step]], Reader]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Makes a reader the other end of stdout."""

    def start(steps: list[Step]) -> Reader:
        reader = Reader(steps)
        monkeypatch.setattr("sys.stdout", reader)
        return reader

    return start


def test_exchanges_are_printed_as_they_come(steer: Command, app: MockApp, read: Read) -> None:
    ask(app.url)
    reader = read([lambda: ask(app.url, "/users/superhero2"), lambda: ask(app.url, "/users")])

    done = steer("journal", "--follow", "--json")

    assert done.status == 130
    assert reader.targets == ["superhero1", "superhero2", "users"]
    reader = read([])
    steer("journal", "--follow")
    assert reader.getvalue().endswith("uid=superhero1\n")


def test_following_begins_with_the_newest_that_match(
    steer: Command, app: MockApp, read: Read
) -> None:
    def two() -> None:
        ask(app.url, "/users")
        ask(app.url, "/users/superhero4")

    for number in range(4):
        ask(app.url, f"/users/superhero{number}")
    reader = read([lambda: None, two])

    steer("journal", "--follow", "--json", "--limit", 2, "--path", "/users/*")

    assert reader.targets == ["superhero2", "superhero3", "superhero4"]


def test_a_reset_does_not_hide_later_exchanges(steer: Command, app: MockApp, read: Read) -> None:
    def reset() -> None:
        app.reset()
        ask(app.url, "/users")

    ask(app.url)
    reader = read([reset])

    steer("journal", "--follow", "--json")

    assert reader.targets == ["superhero1", "users"]


Later = Callable[..., None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Takes a step before each request of the command."""
    real = Remote.control

    def plan(*steps: Step) -> None:
        left = iter(steps)

        def control(remote: Remote, *words: Any, **options: Any) -> Any:
            next(left, lambda: None)()
            return real(remote, *words, **options)

        monkeypatch.setattr(Remote, "control", control)

    return plan


def test_an_idle_server_is_asked_again(
    steer: Command, app: MockApp, read: Read, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_LONGEST_WAIT", 0.001)
    later(*[lambda: None] * 3, lambda: ask(app.url, "/users"))
    ask(app.url)
    reader = read([lambda: None])

    steer("journal", "--follow", "--json")

    assert reader.targets == ["superhero1", "users"]


# --- servers that stop and start ------------------------------------------------------------
class Restarting:
    """A server that can be stopped and started again at the same address."""

    def __init__(self) -> None:
        self._end = contextlib.ExitStack()
        self._port = 0
        self.url = ""

    def start(self) -> None:
        config = Config(port=self._port, https_port=None)
        mock = self._end.enter_context(MockChat(config).in_thread())
        self.url = str(mock.url)
        self._port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        self._end.close()

    def start_and_ask(self) -> None:
        self.start()
        ask(self.url, "/users/superhero2")

    def restart(self) -> None:
        self.stop()
        self.start_and_ask()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarting]:
    monkeypatch.setattr(journal, "_PAUSE", 0)
    server = Restarting()
    server.start()
    ask(server.url)
    yield server
    server.stop()


def test_a_restarted_server_is_followed_from_its_beginning(
    command: Command, server: Restarting, read: Read
) -> None:
    reader = read([server.restart])

    assert command(*FOLLOW, server.url).status == 130
    assert reader.targets == ["superhero1", "superhero2"]


def test_a_lost_server_has_time_to_come_back(
    command: Command, server: Restarting, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = read([server.stop])
    told = Reader([server.start_and_ask, lambda: None])
    monkeypatch.setattr("sys.stderr", told)

    assert command(*FOLLOW, server.url).status == 130
    assert reader.targets == ["superhero1", "superhero2"]
    lost, back = told.getvalue().splitlines()
    assert lost.startswith(f"mockchat: no server answers at {server.url}: Connection refused")
    assert lost.endswith("; waiting for it")
    assert back == "mockchat: the server is back"


def test_exchanges_are_printed_once_if_only_the_connection_was_lost(
    command: Command, server: Restarting, read: Read, later: Later
) -> None:
    def lose() -> None:
        ask(server.url, "/users")
        raise UnreachableError("the server was away")

    later(lambda: None, lose)
    reader = read([lambda: None])

    command(*FOLLOW, server.url)

    assert reader.targets == ["superhero1", "users"]


def test_a_server_that_stays_away_is_a_failure(
    command: Command, server: Restarting, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ATTEMPTS", 3)
    read([server.stop])

    done = command(*FOLLOW, server.url)

    assert done.status == 1
    assert done.err.splitlines()[-1].startswith(f"mockchat: no server answers at {server.url}")


# --- the real process -----------------------------------------------------------------------
def test_ctrl_c_ends_it_with_130_and_no_traceback(app: MockApp) -> None:
    command = [sys.executable, "-m", "mockchat", "journal", "--follow", "--json"]
    environ = {**os.environ, "MOCKCHAT_URL": str(app.server.url), "MOCKCHAT_APP": app.app_id}
    ask(app.url)

    with subprocess.Popen(
        command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        ask(app.url, "/users")
        second = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=PATIENCE * 4)

    assert json.loads(first)["path"] == "/users/superhero1"
    assert json.loads(second)["path"] == "/users"
    assert (process.returncode, complaint) == (130, "")
