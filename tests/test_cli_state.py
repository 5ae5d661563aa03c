"""`users`, `token`, `reset`, `seed`, `snapshot` and `clock` against a running server."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mockchat import Config, MockApp, MockChat
from tests.command_line import Command, check_refusals

ZOE = {"users": [{"uid": "zoe", "name": "Zoë"}]}
Pipe = Callable[[str], None]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Puts a text on stdin."""

    def put(text: str) -> None:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))

    return put


# --- users ----------------------------------------------------------------------------------
def test_users_are_listed_newest_first_with_tokens_and_state(steer: Command, app: MockApp) -> None:
    app.create_user("zoe", "\x1b[2J\nZoë")
    app.issue_token("superhero1", force=True)
    app.issue_token("superhero1", force=True)
    app.delete_user("superhero2", permanent=False)

    head, first, second, *rows = steer("users").words

    assert head == ["app", "uid", "name", "role", "auth", "tokens", "state"]
    assert first == [app.app_id, "zoe", "\\x1b[2J\\nZoë", "default", "0", "active"]
    assert second[1] == "cometchat-uid-1"
    states = {words[1]: words[-2:] for words in rows}
    assert states["SUPERHERO1"] == ["2", "active"]
    assert states["SUPERHERO2"] == ["0", "deactivated"]


def test_users_as_json_have_their_app_and_number_of_tokens_and_may_be_of_all_apps(
    steer: Command, app: MockApp
) -> None:
    app.issue_token("cometchat-uid-1")

    users = steer("users", "--json").json
    everybody = steer("users", "--app", "", "--json").json

    assert len(users) == 10
    assert {user["app"] for user in users} == {app.app_id}
    assert (users[0]["name"], users[0]["authTokens"]) == ("Andrew Joseph", 1)
    assert {"APP_ID", app.app_id} <= {user["app"] for user in everybody}
    assert len(app.journal) == 0, "listing users leaves the journal alone"


# --- token ----------------------------------------------------------------------------------
def test_stdout_has_the_token_and_nothing_else_and_no_new_one_unless_forced(
    steer: Command, app: MockApp
) -> None:
    done = steer("token", "superhero1")

    assert done.lines == [app.issue_token("superhero1")]
    assert done.err == ""
    assert steer("token", "superhero1", "--json").json["uid"] == "SUPERHERO1"
    assert (
        steer("token", "superhero1").out == done.out != steer("token", "superhero1", "--force").out
    )
    steer("token", "a/b?c=d{uid}")  # a uid is one segment of the path whatever it contains
    assert app.journal.last().target == "/v3/users/a%2Fb%3Fc%3Dd%7Buid%7D/auth_tokens"


def test_the_api_key_comes_from_the_flag_else_the_first_in_the_variable(
    steer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_REST_API_KEY", "REST_API_KEY, OTHER")
    assert steer("token", "superhero1").status == 0

    rows = {"token superhero1 --api-key wrong": "ERROR_API_KEY_NOT_FOUND"}
    check_refusals(steer, 1, rows)
    monkeypatch.setenv("MOCKCHAT_REST_API_KEY", "wrong")
    check_refusals(steer, 1, {"token superhero1": "ERROR_API_KEY_NOT_FOUND"})


def test_a_refusal_has_the_server_s_words_and_its_hint(steer: Command) -> None:
    unknown = steer("token", "nobody")
    hinted = steer("token", "superhero1", "--api-key", " ")

    assert (unknown.status, hinted.status) == (1, 1)
    assert unknown.complaint.startswith("The UID nobody does not exist")
    assert unknown.complaint.endswith("(ERR_UID_NOT_FOUND)")
    assert hinted.complaint.endswith("\n  hint: the header apikey is missing")


# --- reset and seed -------------------------------------------------------------------------
def test_a_reset_brings_the_seed_back_in_this_app_only(
    steer: Command, app: MockApp, command_server: MockChat
) -> None:
    other = command_server.app(f"{app.app_id}-other")
    for each in (app, other):
        each.create_user("zoe")

    assert steer("reset").lines == ["1 app went back to the seed."]
    assert ("zoe" in app.users, "zoe" in other.users) == (False, True)
    assert steer("reset", "--json").json["success"] is True


def test_a_fixture_comes_from_a_file_or_a_pipe_and_made_up_users_are_added(
    steer: Command, app: MockApp, tmp_path: Path, pipe: Pipe
) -> None:
    (tmp_path / "own.json").write_text(json.dumps(ZOE))
    assert steer("seed", "--fixture", tmp_path / "own.json").status == 0
    assert app.users["zoe"]["name"] == "Zoë"

    app.reset()
    pipe(json.dumps(ZOE))
    assert steer("seed", "--fixture", "-").status == 0
    assert "zoe" in app.users

    assert steer("seed", "--users", 3).lines == [f"Users added: 3 (apps: {app.app_id})."]
    assert len(app.users) == 14


def test_a_plain_word_is_the_name_of_a_fixture_even_if_a_file_has_that_name(
    steer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_text(json.dumps(ZOE))

    assert "Users added: 10 " in steer("seed", "--fixture", "default").out


def test_a_wrong_seed_is_refused(steer: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"users": [{"uid": 1}]}')
    names = ("nowhere.json", "./nowhere.json", "nowhere")
    rows = {f"seed --fixture {name}": f"; this machine has no file {name}" for name in names}
    rows[f"seed --fixture {tmp_path}/wrong.json"] = "The fixture.users.0.uid must be a string"
    rows["seed --users 0"] = "The users must be between 1 and"
    check_refusals(steer, 1, rows)

    rows = {"seed": "seed needs --users N or --fixture FILE"}
    rows[f"seed --fixture {tmp_path}/broken.json"] = "broken.json: is not valid JSON"
    check_refusals(steer, 2, rows)


# --- snapshots ------------------------------------------------------------------------------
def test_a_snapshot_is_saved_listed_restored_and_deleted(steer: Command, app: MockApp) -> None:
    assert steer("snapshot", "save", "one").lines == ["The snapshot one is saved (users: 10)."]
    assert steer("snapshot").words == [
        ["name", "of", "apps", "users"],
        ["one", app.app_id, app.app_id, "10"],
    ]
    assert steer("snapshot", "--json").json == steer("snapshot", "list", "--json").json
    app.create_user("zoe")

    assert steer("snapshot", "restore", "one").lines == ["The snapshot one was restored."]
    assert "zoe" not in app.users
    assert steer("snapshot", "delete", "one").lines == ["The snapshot one is forgotten."]
    assert steer("snapshot", "list", "--json").json == []


def test_a_snapshot_goes_through_a_file_and_a_pipe(
    steer: Command, app: MockApp, tmp_path: Path, pipe: Pipe
) -> None:
    file = tmp_path / "one.json"
    app.create_user("zoe")
    steer("snapshot", "save", "one")

    exported = steer("snapshot", "export", "one", file)
    printed = steer("snapshot", "export", "one", "-")
    app.reset()
    imported = steer("snapshot", "import", "two", file)
    steer("snapshot", "restore", "two")
    pipe(printed.out)

    assert (exported.out, exported.err) == ("", f"mockchat: wrote {file}\n")
    assert imported.lines == ["The snapshot two is saved (users: 11)."]
    assert "zoe" in app.users
    assert (printed.json, printed.err) == (json.loads(file.read_text()), "")
    assert steer("snapshot", "import", "three", "-", "--json").json["users"] == 11


def test_a_wrong_snapshot_is_refused(
    steer: Command, app: MockApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.commands.show._LONGEST", 10_000)
    steer("snapshot", "save", "one")
    other = json.dumps({"apps": app.server.app("other").state()})
    contents = ("[]", '{"users": []}', "rubbish", '{"apps": {"another": {}}}', other)
    files = [tmp_path / f"{number}.json" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_text(content)
    refused = {
        "snapshot restore two": "There is no snapshot two. (MOCK_NOT_FOUND)",
        "snapshot delete ona": "There is no snapshot ona. Did you mean 'one'? (MOCK_NOT_FOUND)",
        "snapshot save a/restore": "must be 1 to 64 letters",
        f"snapshot import one {files[3]}": "The apps.another.secret field is required",
        f"snapshot import one {files[4]}": f"the app {app.app_id} is not in it",
    }
    wrong = {
        f"snapshot import one {files[0]}": "is not a snapshot: `apps` is missing",
        f"snapshot import one {files[1]}": "is not a snapshot: `apps` is missing",
        f"snapshot import one {files[2]}": "is not valid JSON",
        "snapshot import one /dev/zero": "/dev/zero: is longer than 0 MiB",
        "faults add --from /dev/zero": "/dev/zero: is longer than 0 MiB",
        "snapshot import one none.json": "none.json: cannot be read: No such file or directory",
        f"snapshot export one {tmp_path}/no/one.json": "one.json: cannot be written: No such file",
    }
    check_refusals(steer, 1, refused)
    check_refusals(steer, 2, wrong)


# --- clock ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def timed() -> Iterator[MockChat]:
    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        yield mock


@pytest.fixture
def clock(command: Command, timed: MockChat, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs `mockchat clock` against a server whose time no other test uses."""
    monkeypatch.setenv("MOCKCHAT_URL", str(timed.url))
    yield lambda *words: command("clock", *words)
    timed.clock.resume()


def test_the_clock_is_shown_frozen_advanced_and_resumed(clock: Command, timed: MockChat) -> None:
    assert clock().out.endswith("Z ticking\n")
    assert clock("freeze").out.endswith("Z frozen\n")
    assert timed.clock.frozen
    assert clock("resume", "--json").json["frozen"] is False
    assert not timed.clock.frozen
    assert clock("freeze", "2030-01-01T00:00:00Z").lines == ["2030-01-01T00:00:00.000Z frozen"]
    assert clock("advance", "1h").lines == ["2030-01-01T01:00:00.000Z frozen"]
    check_refusals(clock, 1, {"freeze tomorrow": "ERR_BAD_REQUEST", "advance soon": "ERR_BAD"})
