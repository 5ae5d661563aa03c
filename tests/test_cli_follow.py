"""`journal --follow`: live, each exchange once, whatever becomes of the server."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from mockchat import Config, MockApp, MockChat
from mockchat.commands import following
from mockchat.commands.remote import Remote, UnreachableError
from tests.command_line import Command
from tests.helpers import PATIENCE

Step = Callable[[], object]


def ask(url: str, path: str = "/users/superhero1") -> None:
    urlopen(Request(f"{url}{path}", headers={"apikey": "REST_API_KEY"})).close()


class Reader(io.StringIO):
    """Reads along: at each line it takes the next step; when there is none left it is Ctrl-C."""

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
    def paths(self) -> list[str]:
        """What was asked for in each line that was read."""
        return [json.loads(line)["path"] for line in self.getvalue().splitlines()]


Read = Callable[[list[Step]], Reader]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Puts a reader at the other end of stdout."""

    def start(steps: list[Step]) -> Reader:
        reader = Reader(steps)
        monkeypatch.setattr("sys.stdout", reader)
        return reader

    return start


def test_exchanges_are_shown_as_they_come(steer: Command, app: MockApp, read: Read) -> None:
    ask(app.url)
    reader = read([lambda: ask(app.url, "/users/superhero2"), lambda: ask(app.url, "/users")])

    done = steer("journal", "--follow", "--json")

    assert done.status == 130
    assert reader.paths == ["/users/superhero1", "/users/superhero2", "/users"]


def test_lines_are_for_people_unless_json_is_wanted(
    steer: Command, app: MockApp, read: Read
) -> None:
    ask(app.url)
    reader = read([])

    steer("journal", "--follow")

    assert " GET " in reader.getvalue()
    assert reader.getvalue().endswith("uid=superhero1\n")


def test_it_begins_with_the_newest_that_are_there(steer: Command, app: MockApp, read: Read) -> None:
    for number in range(4):
        ask(app.url, f"/users?page={number + 1}")
    reader = read([lambda: None])

    steer("journal", "--follow", "--json", "--limit", 2)

    targets = [json.loads(line)["target"] for line in reader.getvalue().splitlines()]
    assert [target[-1] for target in targets] == ["3", "4"]


def test_only_what_fits_is_followed(steer: Command, app: MockApp, read: Read) -> None:
    def two() -> None:
        ask(app.url, "/users")
        ask(app.url, "/users/superhero2")

    ask(app.url)
    reader = read([two])

    steer("journal", "--follow", "--json", "--path", "/users/*")

    assert reader.paths == ["/users/superhero1", "/users/superhero2"]


def test_a_reset_does_not_hide_what_comes_after_it(
    steer: Command, app: MockApp, read: Read
) -> None:
    def reset() -> None:
        app.reset()
        ask(app.url, "/users")

    ask(app.url)
    reader = read([reset])

    steer("journal", "--follow", "--json")

    assert reader.paths == ["/users/superhero1", "/users"]


def test_idle_servers_are_asked_again(
    steer: Command, app: MockApp, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_WAIT", 0.001)
    asked, later = Remote.control, iter([None, None, None, lambda: ask(app.url, "/users")])

    def control(remote: Remote, *words: Any, **options: Any) -> Any:
        if step := next(later, None):
            step()
        return asked(remote, *words, **options)

    monkeypatch.setattr(Remote, "control", control)
    ask(app.url)
    reader = read([lambda: None])

    steer("journal", "--follow", "--json")

    assert reader.paths == ["/users/superhero1", "/users"]


# --- servers that go and come ---------------------------------------------------------------
class Restarting:
    """A server that can be stopped, and started anew where it was."""

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

    def restart(self) -> None:
        self.stop()
        self.start()
        ask(self.url, "/users/superhero2")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarting]:
    monkeypatch.setattr(following, "_PAUSE", 0)
    server = Restarting()
    server.start()
    ask(server.url)
    yield server
    server.stop()


def test_a_server_that_was_started_anew_is_followed_from_its_beginning(
    command: Command, server: Restarting, read: Read
) -> None:
    reader = read([server.restart])

    done = command("journal", "--follow", "--json", "--url", server.url)

    assert done.status == 130
    assert reader.paths == ["/users/superhero1", "/users/superhero2"]


def test_a_server_that_is_gone_is_waited_for_and_that_is_told(
    command: Command, server: Restarting, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def back() -> None:
        server.start()
        ask(server.url, "/users/superhero2")

    reader = read([server.stop])
    told = Reader([back, lambda: None])
    monkeypatch.setattr("sys.stderr", told)

    done = command("journal", "--follow", "--json", "--url", server.url)

    assert done.status == 130
    assert reader.paths == ["/users/superhero1", "/users/superhero2"]
    gone, returned = told.getvalue().splitlines()
    assert gone.startswith(f"mockchat: no server answers at {server.url}: Connection refused")
    assert gone.endswith("; waiting for it")
    assert returned == "mockchat: it is back"


def test_what_was_shown_is_not_shown_again_when_the_same_server_is_back(
    command: Command, server: Restarting, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, outages = Remote.control, iter([False, True])

    def control(remote: Remote, *words: Any, **options: Any) -> Any:
        if next(outages, False):
            ask(server.url, "/users")
            raise UnreachableError("it was away")
        return asked(remote, *words, **options)

    monkeypatch.setattr(Remote, "control", control)
    reader = read([lambda: None])

    command("journal", "--follow", "--json", "--url", server.url)

    assert reader.paths == ["/users/superhero1", "/users"]


def test_a_server_that_stays_away_is_a_failure(
    command: Command, server: Restarting, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOKS", 3)
    read([server.stop])

    done = command("journal", "--follow", "--url", server.url)

    assert done.status == 1
    assert done.err.splitlines()[-1].startswith(f"mockchat: no server answers at {server.url}")


def test_without_a_server_there_is_nothing_to_follow(command: Command, server: Restarting) -> None:
    server.stop()

    done = command("journal", "--follow", "--url", server.url)

    assert done.status == 1
    assert done.complaint.startswith(f"no server answers at {server.url}: Connection refused")
    assert "\n" not in done.complaint


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
