"""The command `mockchat`: help, wrong usage, and starts that fail."""

import contextlib
import re
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from mockchat import __version__, config
from mockchat.cli import main, sentence
from mockchat.commands.table import COMMANDS, ROWS, Argument
from tests.command_line import Command, check_refusals
from tests.processes import run
from tests.rows import each_row

SERVE = "serve --port 0 --https-port 0"


# --- help and wrong usage -------------------------------------------------------------------
def test_without_a_command_it_prints_the_help_and_fails(command: Command) -> None:
    done = command()

    assert (done.status, done.out, "serve" in done.err) == (2, "", True)


def test_the_help_names_every_command(command: Command) -> None:
    text = command("--help").out

    rows = [f"  {row.words:<10}{row.does}\n" for row in COMMANDS.values()]
    assert [row for row in rows if row not in text] == []


def test_every_command_and_action_has_a_help_with_all_its_arguments(command: Command) -> None:
    for words, row in ROWS.items():
        done = command(*words.split(), "--help")

        assert done.out.startswith(f"usage: mockchat {words}"), words
        assert sentence(row.does) in " ".join(done.out.split()), words
        assert command("help", *words.split()) == done
        given = [one for one in row.arguments if isinstance(one, Argument)]
        names = [one.name if one.name[:2] == "--" else one.options["metavar"] for one in given]
        names += ["--url", "--app", "--control-token", "--ca", "--json"] if row.request else []
        assert [name for name in names if name not in done.out] == [], words


def test_the_help_of_serve_explains_every_setting(command: Command) -> None:
    text = " ".join(command("serve", "--help").out.split())

    for name, row in config.ROWS.items():
        entry = f"{row.help} (default: {row.shown.replace('`', '')}; {config.variable(name)})"
        assert re.search(rf" {config.flag(name)} (\S+ )?{re.escape(entry)}", text), name


def test_it_prints_its_version_and_the_openapi_document(command: Command) -> None:
    assert command("--version").out == f"mockchat {__version__}\n"
    assert command("openapi").json["openapi"].startswith("3.")


def test_wrong_usage_is_one_line_with_status_2(command: Command) -> None:
    rows = {
        "sevre": "'sevre'; did you mean 'serve'? (see `mockchat --help`)",
        "nonsense-without-a-neighbour": "there is no command 'nonsense-without-a-neighbour'",
        "token": "(see `mockchat token --help`)",
        "token superhero1 --forc": "--forc",
        "serve --prot 80": "--prot",
        "serve --port": "--port",
        "snapshot save": "NAME (see `mockchat snapshot save --help`)",
        "clock back": "resume",
        "clock advance": "DURATION",
        "token a\udcff": "the arguments must be UTF-8 text",
        "token ''": "UID must not be empty (see `mockchat token --help`)",
        "snapshot save ''": "NAME must not be empty",
        "--url http://127.0.0.1:1 users": "--url goes behind the command, as in `mockchat users",
        "--app=a users": "--app goes behind the command",
    }
    check_refusals(command, 2, rows)


def test_ctrl_c_is_status_130_without_a_traceback(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(HTTPConnection, "request", interrupt)

    assert command("health") == (130, "", "")


# --- settings that are wrong ----------------------------------------------------------------
def test_a_wrong_setting_is_one_line_with_status_2(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mockchat.toml").write_text("prot = 1")
    rows = {
        "serve --port http": "--port must be a port from 0 to 65535, or off, not 'http'",
        "serve --any-key maybe": "--any-key must be true or false, not 'maybe'",
        "serve --token-ttl=-1s": "--token-ttl must be a duration like",
        "serve --port off --https-port off": "--port and --https-port are both off",
        "serve --tls-cert c.pem": "--tls-cert and --tls-key belong together",
        "serve --config nowhere.toml": "--config nowhere.toml: cannot be read",
        "serve --config /dev/zero": "--config /dev/zero: is no file",
        "serve --auth-key ''": "--auth-key must not be empty",
        f"serve --config {tmp_path}/mockchat.toml": "mockchat.toml: there is no setting 'prot'",
    }
    check_refusals(command, 2, rows)

    monkeypatch.setenv("MOCKCHAT_REGION", "mars")
    check_refusals(command, 2, {"serve": "MOCKCHAT_REGION must be one of us, eu, in, not 'mars'"})

    monkeypatch.setenv("MOCKCHAT_APP", "\udcff")
    check_refusals(command, 2, {"users": "MOCKCHAT_APP must be UTF-8 text"})


@each_row(
    ("words", "status", "told"),
    [
        ("errors >/dev/full", 1, "mockchat: stdout: No space left on device\n"),
        ("errors | head -1 >/dev/null", 0, ""),
    ],
)
def test_a_stdout_that_takes_nothing_is_one_line(words: str, status: int, told: str) -> None:
    done = run("sh", "-c", f"{shlex.quote(sys.executable)} -m mockchat {words}")

    assert (done.returncode, done.stderr) == (status, told)


# --- starts that fail -----------------------------------------------------------------------
@contextlib.contextmanager
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def test_a_port_in_use_is_one_line_with_status_1(command: Command) -> None:
    for flag, other in ("--port", "--https-port"), ("--https-port", "--port"):
        with taken_port() as port:
            done = command("serve", flag, port, other, 0)

        expected = f"port {port} is in use; choose another with {flag} (0 = any free port)"
        assert (done.status, done.complaint) == (1, expected)


def test_a_failure_to_start_is_one_line_with_status_1(command: Command, tmp_path: Path) -> None:
    rows = {
        "--fixture nowhere.json": "nowhere.json: no such fixture file; shipped are",
        "--fixture ~nobody-has-this-name/x.json": "~nobody-has-this-name/x.json: ",
        "--tls-cert c.pem --tls-key k.pem": "c.pem: no such certificate file",
        "--ca-dir /dev/null/ca": "/dev/null/ca: cannot keep the CA here: ",
        "--host no-such-host.invalid": "--host no-such-host.invalid: there is no such",
        "--host 192.0.2.1": "cannot listen on 192.0.2.1",
        f"--ca-dir {tmp_path}": f"{tmp_path / 'ca-key.pem'}: the CA is damaged",
    }
    (tmp_path / "ca-key.pem").write_text("rubbish")
    for number, content in enumerate(("not JSON", "[]", '{"users": [{"uid": "u1"}]}')):
        file = tmp_path / f"{number}.json"
        file.write_text(content)
        rows[f"--fixture {file}"] = f"{file}: "

    check_refusals(command, 1, {f"{SERVE} {words}": text for words, text in rows.items()})


def test_sigterm_stops_a_server_that_is_still_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("mockchat.serve.serve", lambda _config: signal.raise_signal(signal.SIGTERM))

    with pytest.raises(SystemExit) as ended:
        main(["serve"])

    signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 0
