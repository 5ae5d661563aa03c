"""The state file: loaded at the start, whole at every moment, refused and left alone if damaged."""

import asyncio
import gc
import hashlib
import json
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat import MockChat
from mockchat.cli import main
from mockchat.control.stored import check_apps
from mockchat.core.changes import StateFileError
from mockchat.core.clock import Clock
from mockchat.core.state_database import is_foreign
from mockchat.core.state_file import StateFile
from mockchat.core.steps import finish
from mockchat.server import StartError
from mockchat.wire.app import create_store
from tests.clients import create, send
from tests.rows import each_row
from tests.state_files import config, held, serve, state_of, users_in, wait_until_saved
from tests.strategies import json_values

Json = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


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


# --- saved and loaded -----------------------------------------------------------------------
def test_what_a_server_held_at_its_stop_another_one_holds_from_its_start(path: Path) -> None:
    with serve(path) as mock:
        fill(mock)
        token = mock.log_in("superhero1")["authToken"]
        before = mock.state()

    assert {one.name for one in path.parent.iterdir()} == {"state.db", "state.db.jwt-key"}
    assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}
    with serve(path) as mock:
        assert state_of(mock.url) == {"saved": True, "error": None}
        assert mock.state() == before
        assert send("GET", f"{mock.url}/v3/me", authToken=token).data["uid"] == "SUPERHERO1"
        assert mock.app("OTHER").users["ann"]["metadata"] == {"a": [1, None, "ünï\ud83d"]}


def test_nobody_else_may_read_a_file_that_was_there_before(path: Path) -> None:
    path.touch()
    path.chmod(0o644)

    with serve(path):
        assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}


def test_a_change_is_saved_while_the_server_runs_and_nothing_else_is_written(path: Path) -> None:
    path.symlink_to(path.with_name("real.db"))
    log = path.with_name("real.db-wal")
    with serve(path) as mock:
        create(str(mock.url), "ann")
        wait_until_saved(mock.url)
        size = log.stat().st_size
        assert b'"ann"' in log.read_bytes()

        send("GET", f"{mock.url}/v3/users", apikey="REST_API_KEY")
        assert send("GET", f"{mock.url}/v3/users", apikey="nonsense").status == 401
        assert create(str(mock.url), "ann").status == 400
        wait_until_saved(mock.url)
        assert log.stat().st_size == size

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
            wait_until_saved(mock.url)
            change(mock)

        assert set(held(path)) == apps
        assert ("ann" in users_in(path)) == ("new" in apps)


def test_more_apps_than_may_be_added_are_loaded_all_the_same(path: Path) -> None:
    names = {f"app-{number}" for number in range(30)}
    with serve(path) as mock:
        for name in names:
            mock.app(name).create_user("ann")

    with serve(path) as mock:
        assert set(mock.state()) >= names


# --- refused --------------------------------------------------------------------------------
JSON = '{"format": "mockchat-state", "version": 1'  # the start of a file before SQLite


@each_row(
    ("content", "reason"),
    [
        ("\n", "is no state file of mockchat; name another one"),
        ("[]", "is no state file of mockchat; name another one"),
        ('{"users": []}', "is no state file of mockchat; name another one"),
        ('{"format": "mockchat-state", "version": 2}', "is of version 2, not 1"),
        (f'{JSON}, "app": 1}}', "is damaged: 'app' is not known"),
        (f"{JSON}}}", "is damaged: apps must be an object"),
        (f'{JSON}, "apps": {{"a": {{"id": 1}}}}}}', "is damaged: a.id: The id"),
        (f'{JSON}, "apps": {{"a": 1}}}}', "is damaged: a: The a must be a JSON"),
        (f'{JSON}, "sha256": "", "apps": {{}}}}', "is damaged: it does not hold what was saved"),
        ("[" * 100_000, "is damaged, or no state file"),
        ("\ufeff\udcff", "is damaged, or no state file"),
    ],
)
def test_what_is_no_state_file_is_refused_and_left(path: Path, content: str, reason: str) -> None:
    path.write_bytes(before := content.encode(errors="surrogatepass"))

    with pytest.raises(StartError) as refused, serve(path):
        pass

    assert str(refused.value).startswith(f"--state {path}: {reason}")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_home_of_a_user_who_does_not_exist_is_refused() -> None:
    told = r"^--state ~nobody-here/x: cannot be used: Could not determine home directory\."
    with pytest.raises(StartError, match=told), serve(Path("~nobody-here/x")):
        pass


CHECKED = "UPDATE sqlite_master SET sql = replace(sql, 'crc INTEGER', 'crc CHECK (crc = 0)')"
STRANGE = zlib.crc32(b"a\0b\0c\0{}")  # the sum of a row of a section that there is not


@each_row(
    ("change", "reason"),
    [
        ("PRAGMA application_id = 0", "is no state file of mockchat; name another one"),
        ("PRAGMA application_id = 1", "is no state file of mockchat; name another one"),
        ("PRAGMA user_version = 3", "is of version 3, not 2"),
        (
            "UPDATE entities SET json = '{}' WHERE kind = 'roles'",
            "is damaged: roles default of app_id was not saved so",
        ),
        (
            f"INSERT INTO entities VALUES ('a', 'b', 'c', '{{}}', {STRANGE})",
            "is damaged: b c of a was not saved so",
        ),
        (
            "UPDATE entities SET json = CAST(json AS BLOB) WHERE kind = 'roles'",
            "is damaged: roles default of app_id was not saved so",
        ),
        ("DELETE FROM entities WHERE kind = 'app'", "is damaged: app_id is not complete"),
        ("DELETE FROM entities WHERE kind = 'roles'", "is damaged: APP_ID: there is no role"),
        ("DROP TABLE entities", "is damaged: no such table: entities"),
        (
            f"PRAGMA writable_schema = 1; {CHECKED}",
            "is damaged: CHECK constraint failed in entities",
        ),
    ],
)
def test_another_database_is_refused_and_left(tmp_path: Path, change: str, reason: str) -> None:
    path = tmp_path / hashlib.sha256(change.encode()).hexdigest()
    with serve(path):
        pass
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(change)
    before = path.read_bytes()

    with pytest.raises(StartError) as refused, serve(path):
        pass

    assert str(refused.value).startswith(f"--state {path}: {reason}")
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path, timeout=0)) as database:
        database.execute("BEGIN EXCLUSIVE")  # nothing holds it


def test_the_command_refuses_it_with_status_1(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("freeze", "set_threshold"):  # what the command does to a process of its own
        monkeypatch.setattr(gc, name, lambda *_: None)
    path.write_text("{}")

    assert main(["serve", "--port", "0", "--https-port", "off", "--state", str(path)]) == 1

    reason = "is no state file of mockchat; name another one"
    assert capsys.readouterr().err == f"mockchat: --state {path}: {reason}\n"


def test_where_no_file_can_be_kept_the_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "state.db-journal").mkdir()
    reasons = {
        "": "is no file",
        "nowhere/state.db": "cannot be used: No such file or directory",
        "file/state.db": "cannot be used: Not a directory",
        "loop": "cannot be used: (its links lead in a circle|Symlink loop)",
        "state.db": "cannot be used: unable to open database file",
    }
    for name, reason in reasons.items():
        told = f"^--state {tmp_path / name}: {reason}"
        with pytest.raises(StartError, match=told), serve(tmp_path / name):
            pass


# --- the format before ----------------------------------------------------------------------
def as_json(apps: Json) -> bytes:
    """A state file as versions before SQLite wrote it."""
    members = (f"{json.dumps(app_id)}: {json.dumps(one)}" for app_id, one in apps.items())
    body = (",\n".join(members) + "\n}}\n").encode()
    first = {"format": "mockchat-state", "version": 1, "sha256": hashlib.sha256(body).hexdigest()}
    return f'{json.dumps(first)[:-1]}, "apps": {{\n'.encode() + body


def test_a_json_file_is_taken_over_and_kept_beside(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # which may be on another disk
    with serve(path.with_name("other")) as mock:
        fill(mock)
        apps = mock.state()
    names = ["state.db.json1", "state.db.json2"]
    for name in names:
        path.write_bytes(before := as_json(apps))
        for _ in range(2):
            with serve(path) as mock:
                assert mock.state() == apps

        kept = path.with_name(name)
        assert kept.read_bytes() == before
        assert {one.stat().st_mode & 0o777 for one in (path, kept)} == {0o600}
        told = f"{path} is a SQLite file from now on; {kept} is the JSON file"
        assert caplog.messages.count(told) == 1
    assert {one.name for one in path.parent.iterdir()} == {"other", "state.db", *names}


def test_a_json_file_that_was_edited_on_purpose_is_taken_without_its_sum(path: Path) -> None:
    with serve(path.with_name("other")) as mock:
        content = json.loads(as_json(mock.state()))
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
    path = tmp_path_factory.mktemp("saved") / "state.db"
    with serve(path) as mock:
        fill(mock)
        mock.log_in("bob")
    return path


def loaded(path: Path) -> Any:
    """What a server holds that has loaded a file, or the refusal."""
    store = create_store(config(path), Clock())
    before = path.read_bytes()
    file = StateFile(path, store, check_apps)
    try:
        file.load()
    except StateFileError as error:
        assert path.read_bytes() == before
        return error
    asyncio.run(file.close())
    return finish(store.taking())


@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_means_the_same(saved: Path, data: st.DataObject) -> None:
    good = saved.read_bytes()
    place = data.draw(st.integers(1, len(good) - 1))
    bit = data.draw(st.none() | st.integers(0, 7))
    damaged = saved.with_name("damaged.db")
    if bit is None:
        damaged.write_bytes(good[:place])
    else:
        flipped = good[place] ^ 1 << bit
        damaged.write_bytes(good[:place] + bytes([flipped]) + good[place + 1 :])

    found = loaded(damaged)

    assert isinstance(found, StateFileError) or found == held(saved)


@settings(max_examples=25)
@given(data=st.data())
def test_anything_in_an_edited_file_is_refused_or_held(saved: Path, data: st.DataObject) -> None:
    content: Json = {"format": "mockchat-state", "version": 1, "apps": held(saved)}
    row = data.draw(st.sampled_from(list(rows(content["apps"]))))
    row[data.draw(st.sampled_from([*row, "strange"]))] = data.draw(json_values)
    edited = saved.with_name("edited.json")
    edited.write_text(json.dumps(content))

    found = loaded(edited)

    assert isinstance(found, StateFileError) or json.loads(json.dumps(found)) == found


def rows(apps: Json) -> Iterator[Json]:
    """The objects that a state file consists of."""
    for app in apps.values():
        yield app
        for name in ("users", "roles", "apiKeys", "authTokens"):
            yield from app[name]


def test_an_error_of_python_s_own_is_no_sign_of_a_foreign_file() -> None:
    assert not is_foreign(sqlite3.ProgrammingError("closed"))
