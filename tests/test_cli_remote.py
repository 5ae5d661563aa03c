"""How commands find a running server, what they trust, and what they say of other servers."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockchat import Config, MockApp, MockChat
from mockchat.commands import remote
from tests.command_line import Command, check_refusals

REMOTE = (
    *("users", "token superhero1", "reset", "seed --users 1", "snapshot", "faults", "journal"),
    *("journal --follow", "clock"),
)


@pytest.fixture(scope="module")
def guarded(ca_dir: Path) -> Iterator[MockChat]:
    """A server that requires a token and speaks HTTPS."""
    config = Config(port=0, https_port=0, ca_dir=str(ca_dir), control_token="secret")
    with MockChat(config).in_thread() as mock:
        yield mock


@contextmanager
def closed_port() -> Iterator[str]:
    """An address where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    yield address


# --- which server, which app ----------------------------------------------------------------
def test_flags_win_over_variables_and_may_stand_before_or_after_an_action(
    steer: Command, app: MockApp
) -> None:
    url = f"{app.server.url}/"
    users = steer("users", "--app", "beta", "--url", url, "--json").json
    assert {user["app"] for user in users} == {"beta"}

    app.server.app("beta").fail("hang", path="/nowhere")
    for words in ("--app", "beta", "list"), ("list", "--app", "beta"):
        faults = steer("faults", *words, "--json").json
        assert {fault["app"] for fault in faults} == {"beta"}, words
    app.server.app("beta").close()


def test_the_base_url_of_an_app_is_an_address_as_well(command: Command, app: MockApp) -> None:
    users = command("users", "--url", app.url, "--json").json

    assert {user["app"] for user in users} == {app.app_id}


def test_the_variables_of_a_container_lead_to_its_server(
    command: Command, guarded: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_PORT", str(guarded.url).rpartition(":")[2])
    assert command("health").json["status"] == "ok"

    monkeypatch.setenv("MOCKCHAT_PORT", "off")
    monkeypatch.setenv("MOCKCHAT_HTTPS_PORT", str(guarded.https_url).rpartition(":")[2])
    assert command("health").json["status"] == "ok"

    monkeypatch.setenv("MOCKCHAT_HTTPS_PORT", "1")
    monkeypatch.setenv("MOCKCHAT_URL", f"{guarded.url}/")
    assert command("health").json["status"] == "ok"


def test_a_proxy_of_this_machine_is_not_used_and_an_impossible_app_id_is_refused(
    steer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert steer("users").status == 0
    told = "The app must be 1 to 64 letters, digits, - or _. (ERR_BAD_REQUEST)"
    check_refusals(steer, 1, {"users --app 'no such/app'": told})


# --- the control token ----------------------------------------------------------------------
def test_the_control_token_comes_from_the_flag_or_the_server_s_variable_or_is_missing(
    command: Command, guarded: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    controls = [words for words in REMOTE if not words.startswith("token")]  # the emulated API's
    rows = {f"{words} --url {guarded.url}": "(MOCK_CONTROL_TOKEN)" for words in controls}
    check_refusals(command, 1, rows)
    assert command("token", "superhero1", "--url", guarded.url).status == 0

    assert command("users", "--url", guarded.url, "--control-token", "secret").status == 0
    monkeypatch.setenv("MOCKCHAT_CONTROL_TOKEN", "secret")
    assert command("users", "--url", guarded.url).status == 0


# --- TLS ------------------------------------------------------------------------------------
def users_of(guarded: MockChat) -> tuple[str, ...]:
    """Words that list users by a host name that the certificate has."""
    url = str(guarded.https_url).replace("127.0.0.1", "localhost")
    return ("users", "--url", url, "--control-token", "secret")


def test_this_machine_needs_no_ca_but_a_named_ca_is_checked(
    command: Command, guarded: MockChat, ca_dir: Path, tmp_path: Path
) -> None:
    words = users_of(guarded)
    other = command("ca", "--ca-dir", tmp_path / "other").lines[0]

    assert command(*words).status == 0
    assert command(*words, "--ca", ca_dir / "ca.pem").status == 0
    done = command(*words, "--ca", other)

    assert done.status == 1
    assert "certificate verify failed" in done.complaint
    assert "; pass its CA with --ca FILE" in done.complaint


def test_another_machine_needs_a_trusted_certificate_except_for_health_and_ca(
    command: Command, guarded: MockChat, ca_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "is_loopback", lambda _: False)

    refused = command(*users_of(guarded))
    health = command("health", "--url", guarded.https_url)
    ca = command("ca", "--url", guarded.https_url)
    monkeypatch.setenv("MOCKCHAT_CA", str(ca_dir / "ca.pem"))

    assert "certificate verify failed" in refused.complaint
    assert command(*users_of(guarded)).status == 0
    assert health.json["status"] == "ok"
    assert ca.out == (ca_dir / "ca.pem").read_text()


def test_only_loopback_addresses_are_this_machine() -> None:
    loopback = ("https://localhost:1", "https://127.0.0.2", "https://[::1]:8")
    others = ("mockchat:8443", "10.0.2.2", "[", "localhost.example")

    assert [url for url in loopback if not remote.is_loopback(url)] == []
    assert [name for name in others if remote.is_loopback(f"https://{name}")] == []


def test_a_wrong_ca_file_is_named(command: Command, guarded: MockChat, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    words = f"users --url {guarded.https_url} --ca {tmp_path}/empty.pem"

    check_refusals(command, 2, {words: f"--ca {tmp_path / 'empty.pem'}: cannot be used"})


# --- no server, or another one --------------------------------------------------------------
def test_without_a_server_every_command_says_how_to_start_one(command: Command) -> None:
    with closed_port() as address:
        told = f"no server answers at http://{address}: Connection refused; start one"
        told += " (`mockchat serve`) or name another with --url"
        words = [f"{words} --url http://{address}" for words in (*REMOTE, "health")]
        check_refusals(command, 1, dict.fromkeys(words, told))


def test_a_wrong_address_is_one_line_with_status_1(command: Command) -> None:
    told = " is no http:// or https:// address; one looks like http://127.0.0.1:8080"
    others = ("127.0.0.1:80", "nonsense", "file:///etc/hosts", "ftp://[::1]", "http://[::1", "' '")
    rows = {f"users --url {url}": told for url in others}
    urls = ("http://127.0.0.1:99999", "'http://a b/'", "http://é.invalid/é")
    rows |= {f"health --url {url}": "no server answers at " for url in urls}

    check_refusals(command, 1, rows)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that sends these bytes to its first client."""
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


def http(status: int, content: bytes) -> bytes:
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def test_a_server_that_speaks_no_http_is_one_line_with_status_1(command: Command) -> None:
    for answer in (b"", b"SSH-2.0-OpenSSH\r\n", b"\x15\x03\x01\x00\x02\x02F"):
        with answering(answer) as url:
            done = command("health", "--url", url)

        assert (done.status, done.complaint.count("\n")) == (1, 0)
        assert done.complaint.startswith(f"no server answers at {url}: "), answer


def test_a_server_that_is_not_mockchat_is_told_apart(command: Command) -> None:
    answers = [
        (404, b"<h1>Not found</h1>"),
        (500, b'{"error": "text"}'),
        (403, b"[]"),
        (403, b'{"error": {"details": []}}'),
        (200, b"<h1>Welcome</h1>"),
        (200, b"\xff"),
    ]
    for status, content in answers:
        with answering(http(status, content)) as url:
            done = command("users", "--url", url)

        assert done.status == 1
        assert done.complaint.startswith(f"{url} answers")
        assert done.complaint.endswith("but is not mockchat"), content

    with answering(http(503, b"no")) as url:
        assert command("health", "--url", url).status == 1


def test_a_refusal_without_details_shows_its_message(command: Command) -> None:
    error = {"message": "No.\x1b", "code": "ERR_NO"}

    with answering(http(400, json.dumps({"error": error}).encode())) as url:
        done = command("users", "--url", url)

    assert (done.status, done.complaint) == (1, "No.\\x1b (ERR_NO)")
