"""What commands print, and the tables that need no server: errors, routes, config."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockchat import config
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE
from tests.command_line import Command


# --- errors and routes ----------------------------------------------------------------------
def test_every_error_is_listed_by_both_codes(command: Command) -> None:
    words = {word for line in command("errors").words for word in line}

    for row in CATALOGUE.values():
        assert {row.name, row.documented.code, row.live.code} <= words


def test_errors_as_json_are_those_of_the_control_api(command: Command, steer: Command) -> None:
    listed = command("errors", "--json").json

    assert [row["name"] for row in listed] == list(CATALOGUE)
    assert listed[0].keys() == {"name", "when", "documented", "live"}


def test_an_error_that_is_the_same_in_both_dialects_is_one_line(command: Command) -> None:
    (line,) = command("errors", "ERR_UID_ALREADY_EXISTS").lines[1:]

    assert line.startswith("both ")


def test_errors_are_looked_up_by_a_word_of_theirs(command: Command) -> None:
    rows = command("errors", "already logging in", "--json").json

    assert [row["name"] for row in rows] == ["login_in_progress"]


def test_every_operation_is_listed(command: Command) -> None:
    listed = command("routes", "--json").json

    all_of_them = (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT)
    assert [(row["method"], row["path"]) for row in listed] == [
        (row.method, row.path) for row in all_of_them
    ]


def test_an_operation_tells_what_it_needs_and_does(command: Command) -> None:
    head, *rows = command("routes", "/me/jwt").lines

    assert head.split("  ")[0] == "method"
    assert len(rows) == 1
    assert rows[0].startswith("POST    /me/jwt  auth token  Create a session JWT; ")


def test_what_is_not_built_says_so(command: Command) -> None:
    assert all(line.endswith("not built") for line in command("routes", "/groups").lines[1:])


@pytest.mark.parametrize("name", ["errors", "routes"])
def test_a_word_that_nothing_has_is_a_failure(command: Command, name: str) -> None:
    done = command(name, "flibbertigibbet")

    assert (done.status, done.complaint) == (1, "nothing here has 'flibbertigibbet'")


# --- config ---------------------------------------------------------------------------------
def row_of(command: Command, flag: str, *words: str) -> str:
    (line,) = [line for line in command("config", *words).lines if line.startswith(f"{flag} ")]
    return " ".join(line.split())


def test_every_setting_is_told(command: Command) -> None:
    settings = [line.split()[0] for line in command("config").lines[1:]]

    assert settings == [config.flag(name) for name, _ in config.rows()]


def test_a_default_is_shown_as_the_help_shows_it(command: Command) -> None:
    assert row_of(command, "--login-latency") == "--login-latency 25ms default"
    assert row_of(command, "--random-seed") == "--random-seed random default"


def test_a_setting_tells_where_it_comes_from(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('region = "eu"\nport = 1000\nerrors = "live"')
    monkeypatch.setenv("MOCKCHAT_PORT", "2000")
    words = ("--config", str(tmp_path / "own.toml"), "--errors", "documented")

    assert row_of(command, "--region", *words) == "--region eu --config"
    assert row_of(command, "--port", *words) == "--port 2000 MOCKCHAT_PORT"
    assert row_of(command, "--errors", *words) == "--errors documented flag"


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (("--https-port", "off"), "--https-port off flag"),
        (("--any-key",), "--any-key on flag"),
        (("--auth-key", "A", "--auth-key", "B"), "--auth-key A, B flag"),
        (("--token-ttl", "90m"), "--token-ttl 5400s flag"),
    ],
)
def test_a_value_is_shown_as_its_flag_takes_it(
    command: Command, words: tuple[str, ...], row: str
) -> None:
    assert row_of(command, words[0], *words) == row


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_control_token_is_not_shown(command: Command, words: tuple[str, ...]) -> None:
    done = command("config", "--control-token", "hush-hush", *words)

    assert "hush-hush" not in done.out
    assert "********" in done.out


def test_settings_as_json_have_their_values(command: Command) -> None:
    rows = command("config", "--port", "9000", "--auth-key", "A", "--json").json
    values = {row["setting"]: row["value"] for row in rows}

    assert (values["port"], values["auth_key"], values["tls_cert"]) == (9000, ["A"], None)


def test_a_setting_that_is_no_good_is_wrong_usage(command: Command) -> None:
    done = command("config", "--port", "http")

    assert done.status == 2
    assert done.complaint.startswith("--port must be a port")


# --- terminals, pipes, odd characters -------------------------------------------------------
def test_on_a_terminal_a_line_is_no_longer_than_it(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")

    lines = command("routes").lines

    assert max(map(len, lines)) == 60
    assert any(line.endswith("…") for line in lines)


def test_a_pipe_takes_lines_of_any_length(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert max(map(len, command("routes").lines)) > 60


@pytest.mark.parametrize("words", [("config",), ("openapi",)])
def test_a_reader_that_has_read_enough_is_no_traceback(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mockchat", *words]

    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(command, check=False, stdout=pipe, stderr=subprocess.PIPE, timeout=60)

    assert (done.returncode, done.stderr) == (128 + 13, b"")


def test_a_terminal_that_lacks_a_character_shows_it_by_number(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "MOCKCHAT_TLS_HOST": "münchen"}

    command = [sys.executable, "-m", "mockchat", "config"]
    done = subprocess.run(command, check=False, env=environ, capture_output=True, timeout=60)

    assert done.returncode == 0
    assert b"m\\xfcnchen" in done.stdout
