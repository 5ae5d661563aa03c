"""The commands that need no server (`errors`, `routes`, `config`), and output to terminals."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockchat import config
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE
from tests.command_line import Command, check_refusals


# --- errors and routes ----------------------------------------------------------------------
def test_every_error_is_listed_with_both_codes(command: Command) -> None:
    words = {word for line in command("errors").words for word in line}
    for row in CATALOGUE.values():
        assert {row.name, row.documented.code, row.live.code} <= words, row.name

    listed = command("errors", "--json").json
    assert [row["name"] for row in listed] == list(CATALOGUE)
    assert listed[0].keys() == {"name", "when", "documented", "live"}
    assert listed[0]["live"].keys() == {"code", "status", "message", "evidence"}


def test_a_word_selects_errors_which_are_one_line_where_both_dialects_agree(
    command: Command,
) -> None:
    (line,) = command("errors", "ERR_UID_ALREADY_EXISTS").lines[1:]
    rows = command("errors", "already logging in", "--json").json

    assert line.startswith("both ")
    assert [row["name"] for row in rows] == ["login_in_progress"]


def test_every_operation_is_listed_and_a_word_selects_some(command: Command) -> None:
    listed = command("routes", "--json").json
    assert [(row["method"], row["path"]) for row in listed] == [
        (row.method, row.path) for row in (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT)
    ]

    head, *rows = command("routes", "/me/jwt").lines
    assert head.split("  ")[0] == "operation"
    assert len(rows) == 1
    assert rows[0].startswith("create_jwt  POST    /me/jwt  auth token  Create a session JWT; ")
    assert all(line.endswith("not built") for line in command("routes", "/members").lines[1:])


def test_a_word_without_rows_is_a_failure(command: Command) -> None:
    told = "no row contains 'flibbertigibbet'"
    check_refusals(command, 1, {f"{name} flibbertigibbet": told for name in ("errors", "routes")})


# --- config ---------------------------------------------------------------------------------
def row_of(command: Command, flag: str, *words: str) -> str:
    (line,) = [line for line in command("config", *words).lines if line.startswith(f"{flag} ")]
    return " ".join(line.split())


def test_every_setting_is_listed_and_as_json_has_its_value(command: Command) -> None:
    settings = [line.split()[0] for line in command("config").lines[1:]]
    assert settings == [config.flag(name) for name in config.ROWS]

    rows = command("config", "--port", "9000", "--auth-key", "A", "--json").json
    values = {row["setting"]: row["value"] for row in rows}
    assert (values["port"], values["auth_key"], values["tls_cert"]) == (9000, ["A"], None)
    check_refusals(command, 2, {"config --port http": "--port must be a port"})


def test_a_setting_shows_its_source(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('region = "eu"\nport = 1000\nerrors = "live"')
    monkeypatch.setenv("MOCKCHAT_PORT", "2000")
    words = ("--config", str(tmp_path / "own.toml"), "--errors", "documented")

    assert row_of(command, "--region", *words) == "--region eu --config"
    assert row_of(command, "--port", *words) == "--port 2000 MOCKCHAT_PORT"
    assert row_of(command, "--errors", *words) == "--errors documented flag"


def test_a_value_is_shown_as_its_flag_takes_it(command: Command) -> None:
    rows = {
        "--login-latency": "--login-latency 25ms default",
        "--random-seed": "--random-seed random default",
        "--https-port off": "--https-port off flag",
        "--any-key": "--any-key on flag",
        "--auth-key A --auth-key B": "--auth-key A, B flag",
        "--token-ttl 90m": "--token-ttl 5400s flag",
    }
    for words, row in rows.items():
        flag, *_ = given = words.split()
        assert row_of(command, flag, *(() if row.endswith("default") else given)) == row


def test_the_control_token_is_not_shown(command: Command) -> None:
    for words in (), ("--json",):
        done = command("config", "--control-token", "hush-hush", *words)

        assert ("hush-hush" in done.out, "********" in done.out) == (False, True)


# --- terminals, pipes, odd characters -------------------------------------------------------
def test_a_terminal_gets_lines_that_fit_and_a_pipe_gets_whole_lines(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    whole = command("routes").lines
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    cut = command("routes").lines

    assert max(map(len, whole)) > 60
    assert max(map(len, cut)) == 60
    assert any(line.endswith("…") for line in cut)


def run(*words: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "mockchat", *words]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_stops_reading_causes_no_traceback() -> None:
    for words in (["config"], ["config", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)

        with os.fdopen(writing, "wb") as pipe:
            done = run(*words, stdout=pipe)

        assert (done.returncode, done.stderr) == (128 + 13, b""), words


def test_a_terminal_that_lacks_a_character_shows_its_number() -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "MOCKCHAT_TLS_HOST": "münchen"}

    done = run("config", env=environ, stdout=subprocess.PIPE)

    assert done.returncode == 0
    assert b"m\\xfcnchen" in done.stdout
