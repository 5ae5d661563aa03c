"""How commands find a running server, whom they trust and what they say of refusals."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mockchat import Config, MockApp, MockChat
from mockchat.commands import remote
from tests.command_line import Command

STEERING = [
    ("users",),
    ("token", "superhero1"),
    ("reset",),
    ("seed", "--users", "1"),
    ("snapshot",),
    ("faults",),
    ("journal",),
    ("journal", "--follow"),
    ("clock",),
]


@pytest.fixture(scope="module")
def guarded(ca_dir: Path) -> Iterator[MockChat]:
    """A server that asks for a token and speaks HTTPS."""
    config = Config(port=0, https_port=0, ca_dir=str(ca_dir), control_token="secret")
    with MockChat(config).in_thread() as mock:
        yield mock


# --- which server, which app ----------------------------------------------------------------
def test_flags_win_over_variables(steer: Command, app: MockApp) -> None:
    other = app.server.app(f"{app.app_id}-other")

    users = steer("users", "--app", other.app_id, "--url", f"{app.server.url}/", "--json").json

    assert {user["app"] for user in users} == {other.app_id}


@pytest.mark.parametrize("words", [("--app", "beta", "list"), ("list", "--app", "beta")])
def test_options_stand_before_an_action_or_behind_it(
    steer: Command, app: MockApp, words: tuple[str, ...]
) -> None:
    app.server.app("beta").fail("hang", path="/nowhere")

    faults = steer("faults", *words, "--json").json

    assert {fault["app"] for fault in faults} == {"beta"}
    app.server.app("beta").close()


def test_an_app_s_own_base_url_will_do(command: Command, app: MockApp) -> None:
    users = command("users", "--url", app.url, "--json").json

    assert {user["app"] for user in users} == {app.app_id}


def test_an_app_id_that_cannot_be_is_refused(steer: Command) -> None:
    done = steer("users", "--app", "no such/app")

    assert done.status == 1
    assert done.complaint == "The app must be 1 to 64 letters, digits, - or _. (ERR_BAD_REQUEST)"


# --- the control token ----------------------------------------------------------------------
@pytest.mark.parametrize("words", STEERING, ids=" ".join)
def test_without_the_control_token_the_server_says_no(
    command: Command, guarded: MockChat, words: tuple[str, ...]
) -> None:
    done = command(*words, "--url", guarded.url)

    if words[0] != "token":  # which is the emulated API's
        assert done.status == 1
        assert done.complaint.endswith("(MOCK_CONTROL_TOKEN)")


def test_the_control_token_comes_by_flag(command: Command, guarded: MockChat) -> None:
    assert command("users", "--url", guarded.url, "--control-token", "secret").status == 0


def test_the_control_token_comes_by_the_variable_of_the_server(
    command: Command, guarded: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_CONTROL_TOKEN", "secret")

    assert command("users", "--url", guarded.url).status == 0


# --- TLS ------------------------------------------------------------------------------------
def test_on_loopback_nobody_needs_a_ca(command: Command, guarded: MockChat) -> None:
    assert command("users", "--url", guarded.https_url, "--control-token", "secret").status == 0


def by_name(guarded: MockChat) -> str:
    """The server's address by a name that its certificate covers."""
    return str(guarded.https_url).replace("127.0.0.1", "localhost")


def test_a_ca_that_is_named_is_held_to(
    command: Command, guarded: MockChat, ca_dir: Path, tmp_path: Path
) -> None:
    words = ("users", "--url", by_name(guarded), "--control-token", "secret", "--ca")
    other = command("ca", "--ca-dir", tmp_path / "other").lines[0]

    assert command(*words, ca_dir / "ca.pem").status == 0
    done = command(*words, other)

    assert done.status == 1
    assert "certificate verify failed" in done.complaint
    assert "; name its CA by --ca FILE" in done.complaint


def test_beyond_loopback_a_certificate_must_be_trusted(
    command: Command, guarded: MockChat, ca_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "is_loopback", lambda _: False)
    words = ("users", "--url", by_name(guarded), "--control-token", "secret")

    refused = command(*words)
    monkeypatch.setenv("MOCKCHAT_CA", str(ca_dir / "ca.pem"))

    assert "certificate verify failed" in refused.complaint
    assert command(*words).status == 0


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        *(("https://localhost:1", True), ("https://127.0.0.2", True), ("https://[::1]:8", True)),
        *(("https://mockchat:8443", False), ("https://10.0.2.2", False), ("https://[", False)),
        ("https://localhost.example", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(url: str, *, is_loopback: bool) -> None:
    assert remote.is_loopback(url) is is_loopback


def test_a_ca_file_that_is_none_is_named(
    command: Command, guarded: MockChat, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")

    done = command("users", "--url", guarded.https_url, "--ca", tmp_path / "empty.pem")

    assert done.status == 2
    assert done.complaint.startswith(f"--ca {tmp_path / 'empty.pem'}: cannot be used")


def test_health_and_the_ca_need_neither_token_nor_trust(
    command: Command, guarded: MockChat, ca_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "is_loopback", lambda _: False)

    assert command("health", "--url", guarded.https_url).json["status"] == "ok"
    assert command("ca", "--url", guarded.https_url).out == (ca_dir / "ca.pem").read_text()


# --- what answers otherwise -----------------------------------------------------------------
@contextmanager
def answering(status: int, content: bytes) -> Iterator[str]:
    """Some other server, which always says the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (404, b"<h1>Not found</h1>"),
        (500, b'{"error": "text"}'),
        (403, b"[]"),
        (403, b'{"error": {"details": []}}'),
        (200, b"<h1>Welcome</h1>"),
        (200, b"\xff"),
    ],
)
def test_a_server_that_is_no_mockchat_is_told(
    command: Command, status: int, content: bytes
) -> None:
    with answering(status, content) as url:
        done = command("users", "--url", url)

    assert done.status == 1
    assert done.complaint.startswith(f"{url} answers")
    assert done.complaint.endswith("but is no mockchat")


def test_a_refusal_without_details_is_told_by_its_message(command: Command) -> None:
    error = {"message": "No.\x1b", "code": "ERR_NO"}

    with answering(400, json.dumps({"error": error}).encode()) as url:
        done = command("users", "--url", url)

    assert (done.status, done.complaint) == (1, "No.\\x1b (ERR_NO)")


@pytest.mark.parametrize("words", STEERING, ids=" ".join)
def test_without_a_server_every_command_says_how_to_get_one(
    command: Command, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    done = command(*words, "--url", url)

    assert done.status == 1
    assert done.complaint == (
        f"no server answers at {url}: Connection refused; "
        "start one (`mockchat serve`) or name another by --url"
    )


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/hosts", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_told(command: Command, url: str) -> None:
    done = command("users", "--url", url)

    assert done.status == 1
    assert done.complaint.endswith("an address is like http://127.0.0.1:8080")


def test_a_proxy_of_this_machine_is_not_asked(
    steer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert steer("users").status == 0


def test_words_that_are_no_text_are_wrong_usage(steer: Command) -> None:
    done = steer("token", "a\udcff")

    assert done.status == 2
    assert done.complaint == "the arguments must be UTF-8 text"
