"""The state file where servers are killed, another one uses it, or its disk fails."""

import logging
import os
import random
import resource
import signal
import sqlite3
import struct
import sys
import time
from contextlib import AbstractContextManager, closing
from pathlib import Path
from threading import Event, Thread

import pytest

from mockchat.core import state_file
from mockchat.core.state_log import _sums, lost_bytes
from mockchat.server import StartError
from tests.clients import create, log_in
from tests.processes import Process, serving, wait_until
from tests.rows import each_row
from tests.state_files import serve, state_of, users_in, wait_until_saved
from tests.values import PATIENCE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


# --- killed ---------------------------------------------------------------------------------
def process(path: Path) -> AbstractContextManager[Process]:
    words = ("--https-port", "off", "--state", str(path), "--log-level", "warning")
    return serving(*words, preexec_fn=hear_of_hangups)


def hear_of_hangups() -> None:
    """Undo what `nohup` or a CI runner did to this process."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Creating(Thread):
    """Creates users until the server is gone; has the times at which it was told so."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.url, self.next = url, first
        self.created: dict[str, float] = {}
        self.begun = Event()

    def run(self) -> None:
        try:
            while True:
                uid = f"user-{self.next}"
                assert create(self.url, uid).status == 200
                self.created[uid] = time.monotonic()
                self.next += 1
                if len(self.created) == 5:
                    self.begun.set()
        except (OSError, EOFError, ValueError):
            self.begun.set()


def kill_amid_writes(path: Path, number: signal.Signals, first: int = 0) -> tuple[Creating, float]:
    """Signal a server that creates users; return those, and the time."""
    with process(path) as server:
        client = Creating(server.url, first)
        client.start()
        assert client.begun.wait(PATIENCE)
        Event().wait(random.Random(first).random() * 0.1)  # any moment
        at = time.monotonic()
        server.popen.send_signal(number)
        client.join(4 * PATIENCE)
        assert not client.is_alive(), f"{number.name} did not end the server"
        status, _ = server.ended()
        assert status == (-number if number is signal.SIGKILL else 0)
    return client, at


def test_killed_at_any_moment_the_file_is_whole_and_lacks_100_milliseconds_at_most(
    path: Path,
) -> None:
    kept: set[str] = set()
    first = 0
    for _ in range(int(os.environ.get("MOCKCHAT_KILLS", "2"))):
        client, at = kill_amid_writes(path, signal.SIGKILL, first)
        kept |= {uid for uid, told in client.created.items() if told < at - 0.1}
        assert kept <= users_in(path)
        first = client.next + 1


@each_row("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    client, _ = kill_amid_writes(path := tmp_path / number.name, number)

    assert users_in(path) >= client.created.keys()
    with serve(path) as mock:
        assert log_in(str(mock.url), "user-1").status == 200


# --- a damaged log --------------------------------------------------------------------------
def crashed(path: Path) -> Path:
    """Let there be the file and the log of a server that was killed; return the log."""
    log = path.with_name(f"{path.name}-wal")
    with serve(path) as mock:
        for number in range(10):
            mock.create_user(f"user-{number}")
            wait_until_saved(mock.url)
        contents = {one: one.read_bytes() for one in (path, log)}
    for one, content in contents.items():
        one.write_bytes(content)
    return log


def test_a_log_that_is_damaged_before_its_last_commit_is_refused_and_left(path: Path) -> None:
    log = crashed(path)
    whole, before = log.read_bytes(), path.read_bytes()
    told = (
        rf"^--state {path}: is damaged: \d+ bytes of state.db-wal cannot be read; copy both files,"
        " then `sqlite3 state.db 'PRAGMA wal_checkpoint'` keeps the state before them$"
    )
    for at in (17, 40, len(whole) // 2):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        log.write_bytes(damaged)

        with pytest.raises(StartError, match=told), serve(path):
            pass
        assert (path.read_bytes(), log.read_bytes()) == (before, bytes(damaged)), at

    with closing(sqlite3.connect(path)) as database:  # what the refusal advises
        database.execute("PRAGMA wal_checkpoint")
    assert "user-1" in users_in(path)
    with serve(path) as mock:
        assert "user-9" not in mock.users

    log.write_bytes(damaged)
    path.write_bytes(b"")  # a new file, to which this log does not belong
    with serve(path) as mock:
        assert "user-1" not in mock.users


def test_a_log_whose_last_write_was_cut_short_is_read_up_to_there(path: Path) -> None:
    log = crashed(path)
    log.write_bytes(log.read_bytes()[:-100])

    with serve(path) as mock:
        assert {"user-8", "user-9"} & set(mock.users) == {"user-8"}


def log_of(path: Path) -> bytes:
    """A log of several commits, some of many frames, and of frames from before it was reset."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for line in (
            *("PRAGMA page_size = 512", "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)"),
            *("PRAGMA cache_size = 1", "INSERT INTO t VALUES (zeroblob(10000))"),
            "PRAGMA wal_checkpoint(RESTART)",
            *("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (zeroblob(2500))") * 2,
        ):
            database.execute(line).fetchall()
        return path.with_name(f"{path.name}-wal").read_bytes()


def by_another_machine(log: bytes, size: int) -> bytes:
    """The log as a machine of the other byte order writes it: with other sums."""
    order = "><"[log[3] & 1]
    head = bytes([*log[:3], log[3] ^ 1, *log[4:24]])
    sums = _sums(head, order, (0, 0))
    found = head + struct.pack(">2I", *sums)
    for start in range(32, len(log), size):
        frame = log[start : start + size]
        sums = _sums(frame[:8] + frame[24:], order, sums)
        found += frame[:16] + struct.pack(">2I", *sums) + frame[24:]
    return found


@each_row("order", ["little", "big"])
def test_the_bytes_are_lost_from_a_damaged_frame_to_the_last_commit_behind_it(
    path: Path, order: str
) -> None:
    log = log_of(path.with_name(order))
    size = 24 + int.from_bytes(log[8:12], "big")
    if order != sys.byteorder:
        log = by_another_machine(log, size)
    frames = [at for at in range(32, len(log), size) if log[at + 8 : at + 16] == log[16:24]]
    assert len(log) > frames[-1] + size  # then frames of before
    end = frames[-1] + size
    commits = [at for at in frames if any(log[at + 4 : at + 8])]
    assert 1 < len(commits) < len(frames)

    def lost(at: int, end: int) -> int:
        return lost_bytes(log[:at] + bytes([log[at] ^ 0xFF]) + log[at + 1 : end])

    assert [lost_bytes(log), lost(17, 32), lost_bytes(b"")] == [0, 0, 0]
    assert [lost_bytes(log[:cut]) for cut in (end, end - 1, end - size)] == [0, 0, 0]
    assert [lost(at, end) for at in (0, 17, 31)] == [end] * 3
    for cut, last in ((len(log), commits[-1]), (end, commits[-1]), (end - size, commits[-2])):
        for at in (one for one in frames if one < cut):
            expected = last + size - at if at < last else 0
            found = [lost(at + one, cut) for one in (0, 9, 17, 24, size - 1)]
            assert found == [expected] * 5, (cut, at)


# --- used by another server ------------------------------------------------------------------
def test_a_second_server_on_the_file_is_refused_and_the_first_goes_on(path: Path) -> None:
    with process(path) as server:
        with pytest.raises(StartError) as refused, serve(path):
            pass
        told = "another server uses it; stop that server, or name another file"
        assert str(refused.value) == f"--state {path}: {told}"
        create(server.url, "ann")
        wait_until_saved(server.url)
    assert "ann" in users_in(path)

    with serve(path), pytest.raises(StartError, match="another server uses it"), serve(path):
        pass


# --- a disk that fails ----------------------------------------------------------------------
def test_a_full_disk_is_told_and_saved_to_as_soon_as_there_is_room(path: Path) -> None:
    def limit_files(size: int) -> None:
        resource.prlimit(server.popen.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with process(path) as server:
        url = server.url
        limit_files(8192)
        for number in range(50):
            assert create(url, f"user-{number}", "n" * 100).status == 200
        wait_until(lambda: bool(state_of(url)["error"]))
        assert not state_of(url)["saved"]
        assert create(url, "last").status == 200

        limit_files(resource.RLIM_INFINITY)
        wait_until(lambda: state_of(url) == {"saved": True, "error": None})

        limit_files(8192)
        create(url, "lost")
        status, told = server.end(signal.SIGTERM)
    assert status == 1
    assert told.count("ERROR the state is not saved") == 2
    assert f"mockchat: --state {path}: the last changes are not saved" in told
    assert users_in(path) >= {"last", *(f"user-{number}" for number in range(50))}


def test_a_file_that_is_removed_is_made_again_with_everything(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(state_file, "_RETRY", 0.001)
    with serve(path) as mock:
        mock.create_user("ann")
        wait_until_saved(mock.url)
        path.unlink()
        mock.create_user("bob")
        wait_until(lambda: f"the state is saved to {path} again" in caplog.messages)
        assert path.with_name("state.db-wal").exists()  # so that no commit waits for the disk
        path.unlink()
        path.touch()
        mock.create_user("eve")
        wait_until(lambda: bool(state_of(str(mock.url))["error"]))
        assert path.read_bytes() == b""
        path.unlink()

    assert users_in(path) >= {"cometchat-uid-1", "ann", "bob", "eve"}
    told = [one for one in caplog.record_tuples if one[1] == logging.ERROR]
    assert told == [
        ("mockchat", logging.ERROR, f"the state is not saved to {path}: {reason}")
        for reason in ("the file was removed", "another file is in its place")
    ]
