"""`users`, `token`, `reset`, `seed` and `clock` against a running server."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mockchat import Config, MockApp, MockChat
from tests.command_line import Command

ZOE = {"users": [{"uid": "zoe", "name": "Zoë"}]}


# --- users ----------------------------------------------------------------------------------
def test_users_are_listed_the_newest_first(steer: Command, app: MockApp) -> None:
    app.create_user("zoe", "Zoë")

    head, first, second = steer("users").words[:3]

    assert head == ["app", "uid", "name", "role", "auth", "tokens", "state"]
    assert first == [app.app_id, "zoe", "Zoë", "default", "0", "active"]
    assert second[1] == "cometchat-uid-1"


def test_users_tell_their_tokens_and_who_is_deactivated(steer: Command, app: MockApp) -> None:
    app.issue_token("superhero1", force=True)
    app.issue_token("superhero1", force=True)
    app.delete_user("superhero2", permanent=False)

    rows = {words[1]: words[-2:] for words in steer("users").words}

    assert rows["SUPERHERO1"] == ["2", "active"]
    assert rows["SUPERHERO2"] == ["0", "deactivated"]


def test_users_as_json_have_their_app(steer: Command, app: MockApp) -> None:
    users = steer("users", "--json").json

    assert len(users) == 10
    assert {user["app"] for user in users} == {app.app_id}
    assert users[0]["name"] == "Andrew Joseph"


def test_without_an_app_the_users_of_all_are_listed(steer: Command, app: MockApp) -> None:
    app.create_user("zoe")

    users = steer("users", "--app", "", "--json").json

    assert {"APP_ID", app.app_id} <= {user["app"] for user in users}


def test_a_name_moves_no_cursor(steer: Command, app: MockApp) -> None:
    app.create_user("zoe", "\x1b[2J\nZoë")

    (line,) = [line for line in steer("users").lines if "zoe" in line]

    assert "\\x1b[2J\\nZoë" in line


def test_listing_users_leaves_the_journal_alone(steer: Command, app: MockApp) -> None:
    steer("users")

    assert len(app.journal) == 0


# --- token ----------------------------------------------------------------------------------
def test_a_token_is_all_that_stdout_has(steer: Command, app: MockApp) -> None:
    done = steer("token", "superhero1")

    assert done.lines == [app.issue_token("superhero1")]
    assert done.err == ""


def test_a_token_is_used_again_unless_it_is_forced(steer: Command) -> None:
    first, again = steer("token", "superhero1").out, steer("token", "superhero1").out
    forced = steer("token", "superhero1", "--force").out

    assert first == again != forced


def test_a_token_as_json_has_its_user(steer: Command) -> None:
    assert steer("token", "superhero1", "--json").json["uid"] == "SUPERHERO1"


def test_the_token_of_an_unknown_user_is_refused_in_the_server_s_words(steer: Command) -> None:
    done = steer("token", "nobody")

    assert done.status == 1
    assert done.complaint.startswith("The UID nobody does not exist")
    assert done.complaint.endswith("(ERR_UID_NOT_FOUND)")


def test_a_uid_is_one_segment_whatever_it_holds(steer: Command, app: MockApp) -> None:
    steer("token", "a/b?c=d")

    assert app.journal.last().target == "/v3/users/a%2Fb%3Fc%3Dd/auth_tokens"


@pytest.mark.parametrize("words", [("--api-key", "wrong"), ()])
def test_the_api_key_comes_by_flag_or_variable(
    steer: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MOCKCHAT_REST_API_KEY", "wrong" if not words else "REST_API_KEY")

    done = steer("token", "superhero1", *words)

    assert done.status == 1
    assert "ERROR_API_KEY_NOT_FOUND" in done.complaint


def test_of_several_keys_in_the_variable_the_first_is_used(
    steer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_REST_API_KEY", "REST_API_KEY, OTHER")

    assert steer("token", "superhero1").status == 0


def test_what_a_refused_request_came_nearest_to_is_told(steer: Command) -> None:
    done = steer("token", "superhero1", "--api-key", " ")

    assert done.status == 1
    assert done.complaint.endswith("\n  hint: the header apikey is missing")


# --- reset and seed -------------------------------------------------------------------------
def test_a_reset_brings_the_seed_back(steer: Command, app: MockApp) -> None:
    app.create_user("zoe")

    assert steer("reset").lines == ["1 app went back to the seed."]
    assert "zoe" not in app.users


def test_a_reset_of_one_app_leaves_the_others_alone(
    steer: Command, app: MockApp, command_server: MockChat
) -> None:
    other = command_server.app(f"{app.app_id}-other")
    other.create_user("zoe")

    steer("reset")

    assert "zoe" in other.users


def test_as_json_an_action_prints_the_server_s_answer(steer: Command) -> None:
    assert steer("reset", "--json").json["success"] is True


def test_any_number_of_users_is_added(steer: Command, app: MockApp) -> None:
    done = steer("seed", "--users", 3)

    assert done.lines == [f"Users added: 3 (apps: {app.app_id})."]
    assert len(app.users) == 13


def test_a_fixture_file_of_this_machine_is_sent(
    steer: Command, app: MockApp, tmp_path: Path
) -> None:
    (tmp_path / "own.json").write_text(json.dumps(ZOE))

    done = steer("seed", "--fixture", tmp_path / "own.json")

    assert (done.status, app.users["zoe"]["name"]) == (0, "Zoë")


def test_a_fixture_comes_through_a_pipe(
    steer: Command, app: MockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = SimpleNamespace(buffer=io.BytesIO(json.dumps(ZOE).encode()))
    monkeypatch.setattr("sys.stdin", piped)

    steer("seed", "--fixture", "-")

    assert "zoe" in app.users


def test_a_word_is_the_name_of_a_fixture_before_it_is_a_file(
    steer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_text(json.dumps(ZOE))

    assert "Users added: 10 " in steer("seed", "--fixture", "default").out


@pytest.mark.parametrize("name", ["nowhere.json", "./nowhere.json", "nowhere"])
def test_a_fixture_that_neither_side_has_is_refused(steer: Command, name: str) -> None:
    done = steer("seed", "--fixture", name)

    assert done.status == 1
    assert done.complaint.endswith(f"; {name} is no file here")


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        ("{", 2, "is not valid JSON"),
        ('{"users": [{"uid": 1}]}', 1, "users[0].uid: must be text"),
    ],
)
def test_a_fixture_file_that_is_no_good_is_named(
    steer: Command, tmp_path: Path, content: str, status: int, sentence: str
) -> None:
    (tmp_path / "own.json").write_text(content)

    done = steer("seed", "--fixture", tmp_path / "own.json")

    assert done.status == status
    assert sentence in done.complaint


def test_a_seed_of_nothing_is_wrong_usage(steer: Command) -> None:
    done = steer("seed")

    assert (done.status, done.complaint) == (2, "seed needs --users N or --fixture FILE")


def test_a_number_of_users_that_cannot_be_is_refused_by_the_server(steer: Command) -> None:
    done = steer("seed", "--users", 0)

    assert done.status == 1
    assert done.complaint.startswith("The users must be between 1 and")


# --- clock ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def timed() -> Iterator[MockChat]:
    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        yield mock


@pytest.fixture
def clock(command: Command, timed: MockChat, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs `mockchat clock` against a server whose time is nobody else's."""
    monkeypatch.setenv("MOCKCHAT_URL", str(timed.url))
    yield lambda *words: command("clock", *words)
    timed.clock.resume()


def test_the_time_of_the_server_is_shown(clock: Command) -> None:
    (line,) = clock().lines

    assert line.endswith("Z ticking")


def test_the_clock_is_frozen_now(clock: Command, timed: MockChat) -> None:
    assert clock("freeze").out.endswith("Z frozen\n")
    assert timed.clock.frozen


def test_the_clock_is_frozen_at_an_instant_and_advanced(clock: Command) -> None:
    clock("freeze", "2030-01-01T00:00:00Z")

    assert clock("advance", "1h").lines == ["2030-01-01T01:00:00.000Z frozen"]


def test_the_clock_ticks_again(clock: Command, timed: MockChat) -> None:
    clock("freeze")

    assert clock("resume", "--json").json["frozen"] is False
    assert not timed.clock.frozen


@pytest.mark.parametrize(("action", "word"), [("freeze", "tomorrow"), ("advance", "soon")])
def test_a_time_that_is_none_is_refused(clock: Command, action: str, word: str) -> None:
    done = clock(action, word)

    assert done.status == 1
    assert "ERR_BAD_REQUEST" in done.complaint


def test_an_unknown_action_is_wrong_usage_that_names_the_others(clock: Command) -> None:
    done = clock("back")

    assert done.status == 2
    assert all(action in done.complaint for action in ("show", "freeze", "advance", "resume"))
