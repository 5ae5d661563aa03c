"""The state file, driven directly: what is saved, when, in which order, and what is not."""

import asyncio
import sqlite3
import threading
import zlib
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mockchat.control.stored import check_apps
from mockchat.core import state_file
from mockchat.core.changes import HEAD, StateFileError
from mockchat.core.clock import Clock
from mockchat.core.entities import Scope
from mockchat.core.state_database import Database, replace_json
from mockchat.core.state_file import StateFile
from mockchat.core.steps import finish
from mockchat.core.store import Store
from mockchat.core.sweep import Row
from mockchat.wire.app import create_store
from tests.state_files import config, held
from tests.values import PATIENCE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Store:
    return create_store(config(path), Clock())


@pytest.fixture
def file(path: Path, store: Store) -> StateFile:
    return StateFile(path, store, check_apps)


def refuse(_database: Database, rows: Iterable[Any] = (1,), **_options: Any) -> None:
    """Take no rows, as a full disk does."""
    if list(rows):
        raise OSError("no room")


def others() -> set[asyncio.Task[Any]]:
    """The tasks beside that of the test."""
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_a_change_is_saved_and_then_nothing_runs_until_the_next(
    store: Store, file: StateFile, path: Path
) -> None:
    file.load()
    for name in ("First", "Later"):
        assert file.is_saved
        store.default.add_key(name, Scope.AUTH_ONLY)
        assert not file.is_saved
        (saving,) = others()
        await asyncio.wait_for(saving, 0.9)  # sooner than a failed save is tried again
        assert name.encode() in path.with_name("state.db-wal").read_bytes()
    await file.close()

    store.default.add_key("Last", Scope.AUTH_ONLY)  # after the stop
    assert not others()
    with closing(sqlite3.connect(path)) as database:  # as earlier versions wrote it
        for *columns, crc in database.execute("SELECT app, kind, id, json, crc FROM entities"):
            assert crc == zlib.crc32("\0".join(columns).encode())
    assert "mockchat-state_0" not in {thread.name for thread in threading.enumerate()}


async def test_an_app_that_only_requests_named_may_make_room_after_a_start_too(
    store: Store, file: StateFile, path: Path
) -> None:
    file.load()
    store.app("named")
    with store.opening(store.draft("asked")):
        pass
    await file.close()

    again = StateFile(path, store := create_store(config(path), Clock()), check_apps)
    again.load()
    await again.close()

    stays = {app.id: app.stays for app in store.apps()}
    assert stays == {"APP_ID": True, "named": True, "asked": False}


# --- a disk that fails ----------------------------------------------------------------------
async def test_a_disk_that_takes_nothing_is_found_at_the_start(
    store: Store, file: StateFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.load()
    await file.close()
    monkeypatch.setattr(Database, "write", refuse)

    with pytest.raises(StateFileError, match="cannot be used: no room"):
        StateFile(path, store, check_apps).load()


async def test_a_failed_save_is_tried_again_later_and_at_the_stop_which_ends(
    store: Store, file: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.load()
    begin, tries = Database.begin, []

    def count(database: Database) -> None:
        tries.append(1)
        begin(database)

    monkeypatch.setattr(Database, "begin", count)
    monkeypatch.setattr(Database, "write", refuse)
    store.default.add_key("Lost", Scope.AUTH_ONLY)
    while not file.error:
        await asyncio.to_thread(int)
    for _ in range(20):
        await asyncio.to_thread(int)
    assert len(tries) == 1

    told = r"^--state \S+: the last changes are not saved: no room$"
    with pytest.raises(StateFileError, match=told):
        await asyncio.wait_for(file.close(), PATIENCE)


def test_a_file_that_was_removed_before_the_stop_is_made_again(
    store: Store, file: StateFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "_LAST_PIECE", 2)
    file.load()
    path.unlink()

    asyncio.run(file.close())

    assert held(path) == finish(store.taking())


async def test_what_a_failed_save_took_is_saved_before_later_changes(
    store: Store, file: StateFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.load()
    write = Database.write

    def fail(database: Database, rows: Iterable[Row], **_options: Any) -> None:
        write(database, rows, last=False)
        assert not file.is_saved
        monkeypatch.setattr(Database, "write", write)
        store.default.add_key("Later", Scope.AUTH_ONLY)
        raise OSError("no room")

    monkeypatch.setattr(Database, "write", fail)
    store.default.add_key("First", Scope.AUTH_ONLY)
    await file.close()

    assert held(path) == finish(store.taking())


async def refused(file: StateFile) -> None:
    with pytest.raises(StateFileError, match="no room"):
        file.load()
    assert not others()


def test_a_json_file_stays_until_a_whole_database_can_take_its_place(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(before := '{"format": "mockchat-state", "version": 1, "apps": {}}')
    for name in ("begin", "write"):
        with monkeypatch.context() as patch:
            patch.setattr(Database, name, refuse)
            asyncio.run(refused(StateFile(path, store, check_apps)))
        assert list(path.parent.iterdir()) == [path]
        assert path.read_text() == before

    replace_json(path, [Row("a", HEAD, value={"id": "A", "stays": True})])
    assert held(path)["A"]["id"] == "A"


def test_rows_are_written_in_few_statements_and_those_that_are_put_anew_are_the_last(
    path: Path,
) -> None:
    database, statements = Database(path), list[str]()
    database.open()
    database.begin()
    many = [Row("a", "users", f"u{number}", {"n": number}) for number in range(100)]
    head = {"id": "a", "stays": False}
    database.write([Row("a", HEAD, "", head), *many], last=True)
    database.begin()
    database._connection.set_trace_callback(statements.append)  # noqa: SLF001
    gone = [Row("a", "users", f"u{number}") for number in range(50)]

    anew = [Row("a", "users", "u7", {"n": -7}), Row("a", "users", "u60", {"n": -60})]
    database.write([*gone, *anew, Row("a", "users", "u99")], last=True)

    assert [text.split()[0] for text in statements] == ["WITH", "INSERT", "COMMIT"]
    expected = [{"n": -number if number == 60 else number} for number in range(50, 99)]
    assert database.read()[0]["a"]["users"] == [*expected, {"n": -7}]
    database.close()
