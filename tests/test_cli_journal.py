"""`journal` against a running server; following it is in test_cli_follow.py."""

import json
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mockchat import MockApp
from tests.command_line import Command


def ask(app: MockApp, path: str = "/users/superhero1", method: str = "GET") -> None:
    headers = {"apikey": app.rest_api_key}
    try:
        urlopen(Request(f"{app.url}/v3{path}", headers=headers, method=method)).close()
    except HTTPError as error:
        error.close()


# --- lines ----------------------------------------------------------------------------------
def test_an_exchange_is_a_line(steer: Command, app: MockApp) -> None:
    ask(app)

    (words,) = steer("journal").words

    (exchange,) = app.journal
    stamp = time.strftime("%H:%M:%S", time.localtime(exchange.at))
    assert words[0] == f"#{exchange.id}"
    assert words[1].startswith(f"{stamp}.")
    assert words[2:4] == ["GET", "200"]
    assert words[4].endswith("ms")
    assert words[5:] == [exchange.target, "uid=superhero1"]


def test_lines_name_the_app_where_all_are_shown(steer: Command, app: MockApp) -> None:
    ask(app)

    lines = steer("journal", "--app", "", "--limit", "1000").lines

    assert any(f" {app.app_id} " in line for line in lines)


def test_a_refusal_shows_its_code_and_what_came_nearest(steer: Command, app: MockApp) -> None:
    ask(app, "/usrs/superhero1")

    line, hint = steer("journal").lines

    assert " 404 " in line
    assert "  ERR_API_NOT_FOUND" in line
    assert hint == "        hint: the nearest is GET /users/{uid}"


def test_a_fault_that_struck_is_shown(steer: Command, app: MockApp) -> None:
    app.fail(503, times=1)
    ask(app)

    (line,) = steer("journal").lines

    assert "fault: error" in line


def test_an_exchange_without_an_answer_has_no_status(steer: Command, app: MockApp) -> None:
    app.fail("empty", times=1)
    with pytest.raises(OSError, match="closed connection"):
        ask(app)

    (words,) = steer("journal").words

    assert words[2:4] == ["GET", "-"]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--method", "delete"), 1),
        (("--path", "/users/*"), 2),
        (("--uid", "SUPERHERO1"), 2),
        (("--status", "404"), 1),
        (("--code", "ERR_UID_NOT_FOUND"), 1),
        (("--operation", "list_users"), 1),
        (("--operation", "get_user", "--status", "404"), 0),
    ],
)
def test_exchanges_are_filtered(
    steer: Command, app: MockApp, words: tuple[str, ...], count: int
) -> None:
    ask(app)
    ask(app, "/users/superhero1/friends", "GET")
    ask(app, "/users/nobody", "DELETE")
    ask(app, "/users")

    assert steer("journal", *words, "--json").json["count"] == count


def test_the_newest_are_shown_and_the_others_told_of(steer: Command, app: MockApp) -> None:
    for _ in range(3):
        ask(app)

    done = steer("journal", "--limit", 2)

    assert len(done.lines) == 2
    assert done.lines[-1].startswith(f"#{app.journal.last().id} ")
    assert done.err == "mockchat: these are the newest of 3; --limit N shows more\n"


def test_an_empty_journal_is_told_and_no_failure(steer: Command) -> None:
    done = steer("journal")

    assert (done.status, done.out) == (0, "")
    assert done.complaint == "there is no such exchange"


def test_a_filter_that_cannot_be_is_refused(steer: Command) -> None:
    done = steer("journal", "--status", "teapot")

    assert done.status == 1
    assert "The status must be an integer" in done.complaint


def test_the_journal_is_cleared(steer: Command, app: MockApp) -> None:
    ask(app)

    assert steer("journal", "clear").lines == ["1 exchanges are forgotten."]
    assert len(app.journal) == 0


# --- one exchange ---------------------------------------------------------------------------
def test_an_exchange_is_shown_in_full(steer: Command, app: MockApp) -> None:
    steer("token", "superhero1")
    exchange = app.journal.last()

    lines = steer("journal", exchange.id).lines

    assert lines[0].startswith(f"#{exchange.id} ")
    assert "> POST /v3/users/superhero1/auth_tokens" in lines
    assert "> Apikey: REST_API_KEY" in lines
    assert "< 200" in lines
    assert '<     "uid": "SUPERHERO1",' in lines


def test_an_exchange_as_json_is_what_the_server_has(steer: Command, app: MockApp) -> None:
    ask(app)

    shown = steer("journal", app.journal.last().id, "--json").json

    assert shown["response"]["body"]["data"]["uid"] == "SUPERHERO1"


def test_an_exchange_that_is_not_there_is_refused(steer: Command) -> None:
    done = steer("journal", "0")

    assert (done.status, done.complaint) == (1, "There is no exchange 0. (MOCK_NOT_FOUND)")


# --- HAR ------------------------------------------------------------------------------------
def test_the_journal_is_written_as_har(steer: Command, app: MockApp, tmp_path: Path) -> None:
    ask(app)
    ask(app, "/users/nobody")

    done = steer("journal", "--har", tmp_path / "all.har", "--status", "404")

    log = json.loads((tmp_path / "all.har").read_text())["log"]
    assert done.err == f"mockchat: {tmp_path / 'all.har'} is written\n"
    assert log["version"] == "1.2"
    assert [entry["response"]["status"] for entry in log["entries"]] == [404]


def test_har_goes_through_a_pipe(steer: Command) -> None:
    assert steer("journal", "--har", "-").json["log"]["entries"] == []


# --- waiting --------------------------------------------------------------------------------
def test_what_is_there_is_not_waited_for(steer: Command, app: MockApp) -> None:
    ask(app)

    assert len(steer("journal", "--wait", "1h").lines) == 1


def test_what_does_not_come_is_a_failure(steer: Command, app: MockApp) -> None:
    ask(app)

    done = steer("journal", "--wait", "1ms", "--count", 2, "--path", "/users/*")

    assert (done.status, done.complaint) == (1, "1 of 2 exchanges came within 1ms")


def test_a_long_wait_is_asked_for_in_parts(
    steer: Command, app: MockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.commands.journal._LONGEST_WAIT", 0.001)
    ask(app)

    done = steer("journal", "--wait", "20ms", "--count", 2)

    assert done.complaint == "1 of 2 exchanges came within 20ms"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--wait", "soon"), "--wait must be a duration like 25ms, 1.5s, 10m, 2h or 30d"),
        (("--wait", "1s", "--count", "many"), "--count must be a whole number from 1 on"),
        (("--wait", "1s", "--count", "0"), "--count must be a whole number from 1 on"),
        (("--count", "3"), "journal --count needs --wait"),
        (("--follow", "--har", "x.har"), "one of ID, clear, --follow, --har and --wait"),
        (("clear", "--wait", "1s"), "one of ID, clear, --follow, --har and --wait"),
        (("latest",), "the id of an exchange or clear, not 'latest'"),
    ],
)
def test_what_cannot_be_asked_for_is_wrong_usage(
    steer: Command, words: tuple[str, ...], sentence: str
) -> None:
    done = steer("journal", *words)

    assert done.status == 2
    assert sentence in done.complaint
