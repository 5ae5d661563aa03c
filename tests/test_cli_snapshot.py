"""`snapshot` against a running server."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from mockchat import MockApp
from tests.command_line import Command


def test_what_is_kept_is_restored(steer: Command, app: MockApp) -> None:
    assert steer("snapshot", "save", "one").lines == ["The snapshot one is kept (users: 10)."]
    app.create_user("zoe")

    assert steer("snapshot", "restore", "one").lines == ["The snapshot one was restored."]
    assert "zoe" not in app.users


def test_snapshots_are_listed_with_their_apps(steer: Command, app: MockApp) -> None:
    steer("snapshot", "save", "one")

    head, row = steer("snapshot").words

    assert head == ["name", "of", "apps", "users"]
    assert row == ["one", app.app_id, app.app_id, "10"]


def test_listing_is_what_an_action_less_snapshot_does(steer: Command) -> None:
    steer("snapshot", "save", "one")

    assert steer("snapshot", "--json").json == steer("snapshot", "list", "--json").json


def test_a_deleted_snapshot_is_gone(steer: Command) -> None:
    steer("snapshot", "save", "one")

    assert steer("snapshot", "delete", "one").lines == ["The snapshot one is forgotten."]
    assert steer("snapshot", "list", "--json").json == []


@pytest.mark.parametrize("action", ["restore", "delete"])
def test_a_snapshot_that_is_not_there_is_refused(steer: Command, action: str) -> None:
    done = steer("snapshot", action, "none")

    assert (done.status, done.complaint) == (1, "There is no snapshot none. (MOCK_NOT_FOUND)")


def test_a_name_is_one_segment_whatever_it_holds(steer: Command) -> None:
    done = steer("snapshot", "save", "a/restore")

    assert done.status == 1
    assert "must be 1 to 64 letters" in done.complaint


def test_a_snapshot_goes_through_a_file(steer: Command, app: MockApp, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    app.create_user("zoe")
    steer("snapshot", "save", "one")

    exported = steer("snapshot", "export", "one", file)
    app.reset()
    imported = steer("snapshot", "import", "two", file)
    steer("snapshot", "restore", "two")

    assert (exported.out, exported.err) == ("", f"mockchat: {file} is written\n")
    assert imported.lines == ["The snapshot two is kept (users: 11)."]
    assert "zoe" in app.users


def test_a_snapshot_goes_through_a_pipe(steer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    steer("snapshot", "save", "one")
    printed = steer("snapshot", "export", "one", "-")
    piped = SimpleNamespace(buffer=io.BytesIO(printed.out.encode()))
    monkeypatch.setattr("sys.stdin", piped)

    assert printed.err == ""
    assert steer("snapshot", "import", "two", "-", "--json").json["users"] == 10


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        ("[]", 2, "is no snapshot: it has no `apps`"),
        ('{"users": []}', 2, "is no snapshot: it has no `apps`"),
        ("rubbish", 2, "is not valid JSON"),
        ('{"apps": {"another": {}}}', 1, "The apps is no snapshot: the app app-"),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused(
    steer: Command, tmp_path: Path, content: str, status: int, sentence: str
) -> None:
    (tmp_path / "bad.json").write_text(content)

    done = steer("snapshot", "import", "one", tmp_path / "bad.json")

    assert done.status == status
    assert sentence in done.complaint


def test_a_snapshot_of_another_app_is_refused(steer: Command, app: MockApp, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"apps": app.server.app("other").state()}))

    done = steer("snapshot", "import", "one", tmp_path / "other.json")

    assert done.status == 1
    assert f"the app {app.app_id} is not in it" in done.complaint


def test_a_file_that_cannot_be_written_is_named(steer: Command, tmp_path: Path) -> None:
    steer("snapshot", "save", "one")

    done = steer("snapshot", "export", "one", tmp_path / "nowhere" / "one.json")

    assert done.status == 2
    assert done.complaint.endswith("one.json: cannot be written: No such file or directory")


def test_a_file_that_cannot_be_read_is_named(steer: Command) -> None:
    done = steer("snapshot", "import", "one", "nowhere.json")

    assert done.status == 2
    assert done.complaint == "nowhere.json: cannot be read: No such file or directory"


def test_an_action_without_its_name_is_wrong_usage(steer: Command) -> None:
    done = steer("snapshot", "save")

    assert done.status == 2
    assert "NAME" in done.complaint
    assert "`mockchat snapshot save --help`" in done.complaint
