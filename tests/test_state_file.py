"""The state file: loaded at the start, whole at every moment, refused and left alone if damaged."""

import asyncio
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat import Config, MockChat
from mockchat.cli import main
from mockchat.control.stored import check_apps
from mockchat.core import state_file
from mockchat.core.clock import Clock
from mockchat.core.state_file import StateFile, StateFileError
from mockchat.server import StartError
from mockchat.wire.app import create_store
from tests.clients import create, log_in, send
from tests.helpers import PATIENCE, each_row
from tests.strategies import json_values

Json = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def config(path: Path) -> Config:
    return Config(port=0, https_port=None, login_latency=0, state=str(path))


def serve(path: Path) -> Any:
    return MockChat(config(path)).in_thread()


def users_in(path: Path) -> set[str]:
    apps = json.loads(path.read_bytes())["apps"]
    return {user["uid"] for app in apps.values() for user in app["users"]}


def wait_until_saved(path: Path, uid: str) -> None:
    """Look into the file until it holds the user."""
    deadline = time.monotonic() + 4 * PATIENCE
    pause = Event()
    while uid not in users_in(path):
        assert time.monotonic() < deadline, f"{uid} was never saved"
        pause.wait(0.01)


# --- saved and loaded -----------------------------------------------------------------------
def test_what_a_server_held_at_its_stop_another_one_holds_from_its_start(path: Path) -> None:
    with serve(path) as mock:
        assert "cometchat-uid-1" in users_in(path)
        fill(mock)
        token = mock.log_in("superhero1")["authToken"]
        before = mock.state()

    with serve(path) as mock:
        assert mock.state() == before
        assert send("GET", f"{mock.url}/v3/me", authToken=token).data["uid"] == "SUPERHERO1"
        assert mock.app("OTHER").users["ann"]["metadata"] == {"a": [1, None, "ünï\ud83d"]}


def fill(mock: MockChat) -> None:
    """Let there be something of everything that an app can hold, and another app."""

    def post(path: str, body: Json) -> None:
        assert send("POST", f"{mock.url}/v3{path}", body, apikey="REST_API_KEY").data

    post("/roles", {"role": "pro", "name": "Pro", "metadata": {"x": 1}})
    post("/apikeys", {"name": "Another", "scope": "authOnly"})
    mock.create_user("bob", "Bob", role="pro", tags=["a"], avatar="https://a.example/b.png")
    post("/users/bob/friends", {"accepted": ["superhero1"]})
    post("/users/bob/blockedusers", {"blockedUids": ["superhero2"]})
    mock.delete_user("superhero3", permanent=False)
    mock.app("OTHER").create_user("ann", metadata={"a": [1, None, "ünï\ud83d"]})


def test_a_change_is_saved_while_the_server_runs_and_reading_writes_nothing(path: Path) -> None:
    path.symlink_to(real := path.with_name("real.json"))
    with serve(path) as mock:
        create(str(mock.url), "ann")
        wait_until_saved(path, "ann")
        written = real.stat().st_mtime_ns

        send("GET", f"{mock.url}/v3/users", apikey="REST_API_KEY")

    assert real.stat().st_mtime_ns == written
    assert path.is_symlink()


def test_whatever_changes_the_state_is_saved(path: Path) -> None:
    def change_apps(mock: MockChat) -> None:
        mock.app("own", fixture="empty").create_user("new")
        mock.app("own").close()
        mock.app("new", fixture="empty")

    changes: dict[Callable[[MockChat], Any], set[str]] = {
        change_apps: {"APP_ID", "new"},
        lambda mock: mock.delete_user("ann"): {"APP_ID"},
        lambda mock: mock.restore(): {"APP_ID"},
    }
    for change, apps in changes.items():
        path.unlink(missing_ok=True)
        with serve(path) as mock:
            mock.snapshot()
            mock.create_user("ann")
            wait_until_saved(path, "ann")
            change(mock)

        assert set(json.loads(path.read_bytes())["apps"]) == apps
        assert ("ann" in users_in(path)) == ("new" in apps)


# --- killed ---------------------------------------------------------------------------------
@contextmanager
def process(path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own process, and its address."""
    command = [sys.executable, "-m", "mockchat", "serve", "--port", "0", "--https-port", "off"]
    with subprocess.Popen(
        [*command, "--state", str(path), "--log-level", "error"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as server:
        assert server.stdout
        try:
            url = next(line.split()[-1] for line in server.stdout if "HTTP  " in line)
            yield server, url
        finally:
            server.kill()


def test_killed_at_any_moment_the_file_is_whole_and_holds_what_was_saved(path: Path) -> None:
    enough = Event()
    with process(path) as (server, url):

        def create_many() -> None:
            for number in range(100_000):
                if enough.is_set():
                    return
                create(url, f"user-{number}")

        client = Thread(target=create_many)
        client.start()
        try:
            wait_until_saved(path, "user-1")
            seen = users_in(path)
        finally:
            enough.set()
            client.join()
        os.kill(server.pid, signal.SIGKILL)
        server.wait(PATIENCE)

    assert users_in(path) >= seen
    with serve(path) as mock:
        assert log_in(str(mock.url), "user-1").status == 200


# --- refused --------------------------------------------------------------------------------
@each_row(
    ("content", "reason"),
    [
        ("", "is damaged, or no state file"),
        ("[]", "is no state file of mockchat; name another one"),
        ('{"users": []}', "is no state file of mockchat; name another one"),
        ('{"format": "mockchat-state", "version": 2}', "is of version 2, not 1"),
        ('{"format": "mockchat-state", "version": 1, "app": 1}', "'app' is not known"),
        ('{"format": "mockchat-state", "version": 1}', "apps must be an object"),
        ('{"format": "mockchat-state", "version": 1, "apps": {"a": {"id": 1}}}', "a.id: The id"),
        ('{"format": "mockchat-state", "version": 1, "apps": {"a": 1}}', "a: The a must be a JSON"),
        ('{"format": "mockchat-state", "version": 1, "sha256": "", "apps": {}}', "what was saved"),
        ("[" * 100_000, "is damaged, or no state file"),
        ("\ufeff\udcff", "is damaged, or no state file"),
    ],
)
def test_what_is_no_state_file_is_refused_and_left(path: Path, content: str, reason: str) -> None:
    path.write_bytes(before := content.encode(errors="surrogatepass"))

    with pytest.raises(StartError) as refused, serve(path):
        pass

    assert str(refused.value).startswith(f"--state {path}: ")
    assert reason in str(refused.value)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_command_refuses_it_with_status_1(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("freeze", "set_threshold"):  # what the command does to a process of its own
        monkeypatch.setattr(gc, name, lambda *_: None)
    path.write_text("{}")

    assert main(["serve", "--state", str(path)]) == 1

    reason = "is no state file of mockchat; name another one"
    assert capsys.readouterr().err == f"mockchat: --state {path}: {reason}\n"


def test_where_no_file_can_be_kept_the_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    reasons = {
        "": "is no file",
        "nowhere/state.json": "cannot be used: No such file or directory",
        "file/state.json": "cannot be used: Not a directory",
        "loop": "cannot be used: ",
    }
    for name, reason in reasons.items():
        with pytest.raises(StartError, match=reason), serve(tmp_path / name):
            pass


def test_a_file_that_was_edited_on_purpose_is_taken_without_its_sum(path: Path) -> None:
    with serve(path):
        pass
    content = json.loads(path.read_bytes())
    content["apps"]["APP_ID"]["users"][0]["name"] = "Somebody Else"
    path.write_text(json.dumps(content))

    with pytest.raises(StartError, match="take its sha256 out"), serve(path):
        pass
    del content["sha256"]
    path.write_text(json.dumps(content))
    with serve(path) as mock:
        assert "Somebody Else" in {user["name"] for user in mock.users.values()}


# --- damage ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "state.json"
    with serve(path) as mock:
        fill(mock)
        mock.log_in("bob")
    return path


def loaded(path: Path) -> Any:
    """What a server holds that has loaded a file, or the refusal."""
    store = create_store(config(path), Clock())
    before = path.read_bytes()
    try:
        StateFile(path, store, check_apps).load()
    except StateFileError as error:
        assert path.read_bytes() == before
        return error
    return store.take()


@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_means_the_same(saved: Path, data: st.DataObject) -> None:
    good = saved.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bit = data.draw(st.none() | st.integers(0, 7))
    damaged = saved.with_name("damaged.json")
    if bit is None:
        damaged.write_bytes(good[:place])
    else:
        flipped = good[place] ^ 1 << bit
        damaged.write_bytes(good[:place] + bytes([flipped]) + good[place + 1 :])

    held = loaded(damaged)

    assert isinstance(held, StateFileError) or held == json.loads(good)["apps"]


@settings(max_examples=25)
@given(data=st.data())
def test_anything_in_an_edited_file_is_refused_or_held(saved: Path, data: st.DataObject) -> None:
    content = json.loads(saved.read_bytes())
    del content["sha256"]
    row = data.draw(st.sampled_from(list(rows(content["apps"]))))
    row[data.draw(st.sampled_from([*row, "strange"]))] = data.draw(json_values)
    edited = saved.with_name("edited.json")
    edited.write_text(json.dumps(content))

    held = loaded(edited)

    assert isinstance(held, StateFileError) or json.loads(json.dumps(held)) == held


def rows(apps: Json) -> Iterator[Json]:
    """The objects that a state file consists of."""
    for app in apps.values():
        yield app
        for name in ("users", "roles", "apiKeys", "authTokens"):
            yield from app[name]


# --- a disk that fails ----------------------------------------------------------------------
def no_space(*_: Any) -> None:
    raise OSError(28, "No space left on device")


async def test_a_disk_that_fails_is_told_once_and_tried_again_until_the_stop(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(state_file, "_DELAY", 0.001)
    monkeypatch.setattr(state_file, "_RETRY", 0.001)
    tries = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def fail(*_: Any) -> None:
        loop.call_soon_threadsafe(tries.release)
        no_space()

    async with MockChat(config(path)) as mock:
        with monkeypatch.context() as broken:
            broken.setattr(Path, "replace", fail)
            mock.create_user("ann")
            async with asyncio.timeout(PATIENCE):
                for _ in range(3):
                    await tries.acquire()
        await asyncio.to_thread(wait_until_saved, path, "ann")

    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert errors == [f"the state was not saved to {path}: [Errno 28] No space left on device"]
    assert f"the state is saved to {path} again" in caplog.text

    caplog.clear()
    async with MockChat(config(path)) as mock:
        mock.create_user("bob")
        monkeypatch.setattr(Path, "replace", no_space)
    assert caplog.text.count("the state was not saved") == 1  # at the stop
