"""The command `mockchat`, called in process: usage, refusals and `health`."""

import contextlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from mockchat import Config, MockChat, __version__, config
from mockchat.cli import main
from mockchat.commands import COMMANDS
from mockchat.commands.show import sentence

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, _ in config.rows():
        monkeypatch.delenv(config.variable(name), raising=False)
    monkeypatch.delenv("MOCKCHAT_URL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def mock() -> Iterator[MockChat]:
    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        yield mock


def complaint(output: Output) -> str:
    """What stderr says: one sentence, and nothing on stdout."""
    printed = output.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mockchat: ")
    assert printed.err.count("\n") == 1, printed.err
    return printed.err.removeprefix("mockchat: ").removesuffix("\n")


def usage_error(output: Output, *arguments: str) -> str:
    """What argparse says of wrong arguments."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return output.readouterr().err


def said_by(output: Output, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return output.readouterr().out


# --- usage ----------------------------------------------------------------------------------
def test_without_a_command_it_prints_its_help_and_fails(capsys: Output) -> None:
    status = main([])

    assert status == 2
    assert "serve" in capsys.readouterr().err


def test_the_help_names_every_command_and_what_it_does(capsys: Output) -> None:
    text = said_by(capsys, "--help")

    for command in COMMANDS.values():
        assert f"  {command.name:<10}{command.does}\n" in text


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("words", [("{}", "--help"), ("help", "{}")])
def test_every_command_has_a_help_of_its_own(
    capsys: Output, name: str, words: tuple[str, ...]
) -> None:
    text = said_by(capsys, *(word.format(name) for word in words))

    assert text.startswith(f"usage: mockchat {name}")
    assert sentence(COMMANDS[name].does) in " ".join(text.split())


def test_a_command_that_is_almost_one_is_guessed(capsys: Output) -> None:
    assert "did you mean serve?" in usage_error(capsys, "sevre")


def test_wrong_usage_names_the_help_to_read(capsys: Output) -> None:
    assert "(see `mockchat token --help`)" in usage_error(capsys, "token")


def test_a_flag_is_not_taken_in_part(capsys: Output) -> None:
    assert "--forc" in usage_error(capsys, "token", "superhero1", "--forc")


def test_it_tells_its_version(capsys: Output) -> None:
    assert said_by(capsys, "--version") == f"mockchat {__version__}\n"


def test_an_unknown_command_is_wrong_usage(capsys: Output) -> None:
    assert "'sevre'" in usage_error(capsys, "sevre")


def test_an_unknown_flag_is_wrong_usage(capsys: Output) -> None:
    assert "--prot" in usage_error(capsys, "serve", "--prot", "80")


def test_a_flag_without_its_value_is_wrong_usage(capsys: Output) -> None:
    assert "--port" in usage_error(capsys, "serve", "--port")


@pytest.mark.parametrize(("name", "row"), config.rows(), ids=[name for name, _ in config.rows()])
def test_the_help_of_serve_tells_every_setting(capsys: Output, name: str, row: config.Row) -> None:
    text = " ".join(said_by(capsys, "serve", "--help").split())

    shown = row.shown.replace("`", "")
    entry = f"{row.help} (default: {shown}; {config.variable(name)})"
    assert re.search(rf" {config.flag(name)} (\S+ )?{re.escape(entry)}", text)


def test_it_prints_the_openapi_document(capsys: Output) -> None:
    status = main(["openapi"])

    assert status == 0
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.")


# --- settings that are no good --------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "http"], "--port must be a port from 0 to 65535, or off, not 'http'"),
        (["--any-key", "maybe"], "--any-key must be true or false, not 'maybe'"),
        (["--token-ttl=-1s"], "--token-ttl must be a duration like"),
        (["--port", "off", "--https-port", "off"], "--port and --https-port are both off"),
        (["--tls-cert", "c.pem"], "--tls-cert and --tls-key belong together"),
        (["--config", "nowhere.toml"], "--config nowhere.toml: cannot be read"),
        (["--auth-key", ""], "--auth-key must not be empty"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_status_2(
    capsys: Output, arguments: list[str], sentence: str
) -> None:
    status = main(["serve", *arguments])

    assert status == 2
    assert complaint(capsys).startswith(sentence)


def test_a_bad_variable_is_one_sentence_and_status_2(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_REGION", "mars")

    status = main(["serve"])

    assert status == 2
    assert complaint(capsys) == "MOCKCHAT_REGION must be one of us, eu, in, not 'mars'"


def test_a_bad_config_file_is_one_sentence_and_status_2(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "mockchat.toml"
    path.write_text("prot = 1")

    status = main(["serve", "--config", str(path)])

    assert status == 2
    assert complaint(capsys) == f"--config {path}: there is no setting 'prot'"


# --- starts that fail -----------------------------------------------------------------------
@contextlib.contextmanager
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize(
    ("flag", "other"), [("--port", "--https-port"), ("--https-port", "--port")]
)
def test_a_port_in_use_is_one_sentence_and_status_1(capsys: Output, flag: str, other: str) -> None:
    with taken_port() as port:
        status = main(["serve", flag, port, other, "0"])

    assert status == 1
    expected = f"port {port} is in use; choose another with {flag} (0 = any free port)"
    assert complaint(capsys) == expected


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fixture", "nowhere.json"], "nowhere.json: no such fixture file; shipped are"),
        (["--fixture", "~nobody-has-this-name/x.json"], "~nobody-has-this-name/x.json: "),
        (["--tls-cert", "c.pem", "--tls-key", "k.pem"], "c.pem: no such certificate file"),
        (["--ca-dir", "/dev/null/ca"], "/dev/null/ca: cannot keep the CA here: "),
        (["--host", "no-such-host.invalid"], "--host no-such-host.invalid: there is no such"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
    ],
)
def test_what_prevents_a_start_is_one_sentence_and_status_1(
    capsys: Output, arguments: list[str], sentence: str
) -> None:
    status = main(["serve", "--port", "0", "--https-port", "0", *arguments])

    assert status == 1
    assert complaint(capsys).startswith(sentence)


def test_sigterm_ends_a_server_that_is_still_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("mockchat.serve.serve", lambda _config: signal.raise_signal(signal.SIGTERM))

    with pytest.raises(SystemExit) as ended:
        main(["serve"])

    signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 0


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"users": [{"uid": "u1"}]}'])
def test_a_bad_fixture_is_one_sentence_that_starts_with_its_path_and_status_1(
    capsys: Output, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "own.json"
    path.write_text(content)

    status = main(["serve", "--port", "0", "--https-port", "0", "--fixture", str(path)])

    assert status == 1
    assert complaint(capsys).startswith(f"{path}: ")


def test_a_damaged_ca_is_one_sentence_and_status_1(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "ca-key.pem").write_text("rubbish")

    status = main(["serve", "--port", "0", "--https-port", "0", "--ca-dir", str(tmp_path)])

    assert status == 1
    assert complaint(capsys).startswith(f"{tmp_path / 'ca-key.pem'}: the CA is damaged")


# --- health ---------------------------------------------------------------------------------
def test_the_health_of_a_running_server_is_printed(capsys: Output, mock: MockChat) -> None:
    status = main(["health", "--url", str(mock.url)])

    assert status == 0
    assert json.loads(capsys.readouterr().out)["status"] == "ok"


def test_health_finds_the_server_by_its_variable(
    capsys: Output, mock: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_URL", f"{mock.url}/")

    assert main(["health"]) == 0


def test_health_finds_the_server_by_the_port_variable_of_its_container(
    capsys: Output, mock: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_PORT", str(mock.url).rpartition(":")[2])

    assert main(["health"]) == 0


def test_health_without_a_server_is_one_sentence_and_status_1(capsys: Output) -> None:
    with taken_port() as port:
        pass

    status = main(["health", "--url", f"http://127.0.0.1:{port}"])

    assert status == 1
    assert complaint(capsys).startswith(f"no server answers at http://127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://[::1", "http://a b/", "nonsense", "", "ftp://127.0.0.1"],
)
def test_a_url_that_leads_nowhere_is_one_sentence_and_status_1(capsys: Output, url: str) -> None:
    status = main(["health", "--url", url or " "])

    assert status == 1
    assert complaint(capsys)


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that says this to its first client, whatever the client says."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=10)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"\x15\x03\x01\x00\x02\x02F"])
def test_a_server_that_speaks_no_http_is_one_sentence_and_status_1(
    capsys: Output, answer: bytes
) -> None:
    with answering(answer) as url:
        status = main(["health", "--url", url])

    assert status == 1
    assert complaint(capsys).startswith(f"no server answers at {url}: ")


def test_a_server_that_is_not_well_is_status_1(capsys: Output) -> None:
    with answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno") as url:
        status = main(["health", "--url", url])

    assert status == 1


def test_health_asks_by_https_where_the_url_says_so(capsys: Output, tmp_path: Path) -> None:
    settings = Config(port=None, https_port=0, ca_dir=str(tmp_path))

    with MockChat(settings).in_thread() as mock:
        status = main(["health", "--url", str(mock.https_url)])

    assert status == 0


def test_health_finds_the_server_of_a_container_that_serves_https_only(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Config(port=None, https_port=0, ca_dir=str(tmp_path))
    monkeypatch.setenv("MOCKCHAT_PORT", "off")

    with MockChat(settings).in_thread() as mock:
        monkeypatch.setenv("MOCKCHAT_HTTPS_PORT", str(mock.https_url).rpartition(":")[2])
        status = main(["health"])

    assert status == 0


def test_ctrl_c_is_status_130_and_no_traceback(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(HTTPConnection, "request", interrupt)

    assert main(["health"]) == 130
    assert capsys.readouterr().err == ""
