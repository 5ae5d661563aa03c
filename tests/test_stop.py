"""A stop ends, whatever the server waits for; tests of each kind of wait stand beside the kind."""

import asyncio
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from mockchat import Config, MockChat
from mockchat.core import state_database
from mockchat.core.state_database import Database
from mockchat.core.state_file import StateFile
from mockchat.core.sweep import Row
from tests.processes import serving
from tests.tunnels import asking, connect
from tests.values import PATIENCE


async def test_a_state_file_that_cannot_be_saved_in_time_does_not_hold_up_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = StateFile.close

    async def hang(file: StateFile, _on_progress: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await close(file)

    monkeypatch.setattr("mockchat.server.LONGEST_STOP", 0.1)
    monkeypatch.setattr(StateFile, "close", hang)
    mock = MockChat(Config(port=0, https_port=None, state=str(tmp_path / "state")))
    await mock.start()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mock.stop(), PATIENCE)


async def test_a_stop_goes_on_for_as_long_as_it_saves_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, disk, write, saved = 0.5, threading.Event(), Database.write, []

    def write_slowly(database: Database, rows: Iterable[Row], *, last: bool) -> None:
        disk.wait(limit / 20)
        write(database, rows, last=last)

    mock = MockChat(Config(port=0, https_port=None, state=str(tmp_path / "state")))
    await mock.start()
    monkeypatch.setattr("mockchat.server.LONGEST_STOP", limit)
    monkeypatch.setattr("mockchat.core.state_file._LAST_PIECE", 1)
    monkeypatch.setattr(Database, "write", write_slowly)
    for number in range(30):
        mock.create_user(f"u{number}")

    await mock.stop(lambda: saved.append(1))

    assert len(saved) > 30


def test_a_stop_sees_progress_while_a_large_app_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = state_database._DELETE_SOME.replace("5000", "1")  # noqa: SLF001
    monkeypatch.setattr(state_database, "_DELETE_SOME", one)
    database, told = Database(tmp_path / "state"), []
    database.on_progress = lambda: told.append(1)
    database.open()
    database.begin()
    users = [Row("a", "users", str(number), {}) for number in range(5)]

    database.write([*users, Row("a")], last=True)

    assert len(told) == len(users) + 1
    assert database.read() == ({}, set())
    database.close()


# A name server that does not answer; a thread waits for it.
HANGING = """
import socket, sys, time
look_up = socket.getaddrinfo
def hang(host, *rest, **options):
    if host == "hang.test":
        time.sleep(60)
    return look_up(host, *rest, **options)
socket.getaddrinfo = hang
sys.modules["uvloop"] = None
import mockchat.serve
mockchat.serve.LONGEST_STOP = 0.3
from mockchat.cli import main
sys.exit(main(sys.argv[1:]))
"""


async def test_a_thread_that_hangs_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    ports = ("--https-port", "0", "--proxy-port", "0", "--ca-dir", str(tmp_path))
    with serving(*ports, code=("-c", HANGING)) as server:
        port = int(server.facts["Proxy"].split()[0].rpartition(":")[2])
        async with (
            asking(port, connect("hang.test:443")),
            asking(port, connect("127.0.0.1:1")) as end,
        ):
            assert b"502" in await end.head()  # so the look-up has begun
            started = time.monotonic()
            status, told = await asyncio.to_thread(server.end, signal.SIGTERM)
        assert time.monotonic() - started < PATIENCE

    assert status == 1
    assert "the stop got no further for 0.3 seconds and was cut short" in told
