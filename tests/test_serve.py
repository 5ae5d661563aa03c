"""`mockchat serve`: its banner, its log lines, and the real process."""

import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import aiohttp
import pytest
import trustme

from mockchat import Config, MockChat, __version__
from mockchat.cli import main
from mockchat.core.state import App
from mockchat.log import Writer
from mockchat.serve import banner

ROOT = Path(__file__).parent.parent
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
PATIENCE = 20  # seconds; every wait ends long before


# --- the banner -----------------------------------------------------------------------------
def facts_of(text: str) -> dict[str, str]:
    """The named lines of a banner."""
    return dict(re.findall(r"^  (\S.*?)  +(\S.*)$", text, re.MULTILINE))


def banner_of(folder: Path, **settings: Any) -> str:
    given = {"port": 0, "https_port": None, "ca_dir": str(folder), **settings}
    with MockChat(Config(**given)).in_thread() as mock:
        return banner(mock)


def test_the_banner_has_addresses_app_keys_users_and_the_ca(tmp_path: Path) -> None:
    config = Config(
        port=0, https_port=0, ca_dir=str(tmp_path), auth_key=("ONE", "TWO"), region="eu"
    )
    with MockChat(config).in_thread() as mock:
        text = banner(mock)

    facts = facts_of(text)
    assert text.startswith(f"mockchat {__version__} is up\n")
    assert (facts["HTTP"], facts["HTTPS"]) == (mock.url, mock.https_url)
    port = str(mock.https_url).rpartition(":")[2]
    for name in ("localhost", "10.0.2.2", "host.docker.internal"):
        assert f"https://{name}:{port}" in facts["Also as"]
    assert facts["App"] == "APP_ID (region eu); any other app id works too"
    assert facts["Auth key"].startswith("ONE or TWO ")
    assert facts["API key"].startswith("REST_API_KEY ")
    assert facts["Browser"] == f"{mock.url}/ (the dashboard)"
    assert facts["Users"].startswith("cometchat-uid-1, cometchat-uid-2")
    assert facts["Users"].endswith("SUPERHERO5")
    assert facts["CA"] == str(tmp_path / "ca.pem")


def test_the_banner_shows_what_is_off_and_no_more_than_twenty_users(tmp_path: Path) -> None:
    facts = facts_of(banner_of(tmp_path, fixture=("empty",), strict_apps=True, dashboard=False))
    assert (facts["HTTPS"], facts["Users"], facts["CA"]) == ("off", "none", "none")
    assert facts["App"] == "APP_ID (region us)"
    assert "Browser" not in facts

    users = [{"uid": f"u{number:02}", "name": "User"} for number in range(25)]
    (tmp_path / "many.json").write_text(json.dumps({"users": users}))
    shown = facts_of(banner_of(tmp_path, fixture=(str(tmp_path / "many.json"),)))["Users"]
    assert shown.startswith("u00, u01, ")
    assert shown.endswith(", u19 and 5 more")


def test_the_banner_tells_that_the_ca_is_new_where_another_one_was_trusted(tmp_path: Path) -> None:
    texts = [
        banner_of(tmp_path, https_port=0, tls_host=names)
        for names in ((), ("mock.test",), ("in.mock.test",))
    ]

    told = f"{tmp_path / 'ca.pem'} (new: the old one does not cover mock.test; trust it anew)"
    assert [facts_of(text)["CA"] == told for text in texts] == [False, True, False]


ODD_USERS = [{"uid": "it's-ünï😀", "name": "Odd"}]
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"fixture": ("empty",)},
    {"strict_apps": True},
    {"strict_apps": True, "fixture": ("empty",)},
    {"auth_key": ("it's",), "rest_api_key": ('a"b$c',)},
    {"app_id": "mine"},
    {"port": None, "https_port": 0},
    {"port": None, "https_port": 0, "tls_cert": "own.pem", "tls_key": "own.pem"},
    {"https_port": 0},
    {"fixture": ("odd.json",)},
    {"errors": "live"},
)


def run_curl(text: str) -> tuple[int, Any]:
    """Paste the banner's command; return the status and the answer."""
    line = text.partition("Try it:\n")[2].strip()
    assert line.startswith("curl ")
    extra = ["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]
    done = subprocess.run(
        [*shlex.split(line), *extra], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_banner_s_command_works_as_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.json").write_text(json.dumps({"users": ODD_USERS}))
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path("own.pem")
    for settings in SETTINGS:
        config = Config(**{"port": 0, "https_port": None, "ca_dir": str(tmp_path), **settings})
        with MockChat(config).in_thread() as mock:
            status, answer = run_curl(banner(mock))

        assert (status, bool(answer.get("data", {}).get("uid"))) == (200, True), settings


# --- the command, in process ----------------------------------------------------------------
class Screen:
    """Is the terminal; after the banner, its user sends requests and then ends the server."""

    def __init__(self, number: int, paths: tuple[str, ...]) -> None:
        self.text = ""
        self._user = threading.Thread(target=self._act, args=(number, paths))

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        if "Try it" in self.text:
            self._user.start()

    def _act(self, number: int, paths: tuple[str, ...]) -> None:
        for path in paths:
            with contextlib.suppress(HTTPError):
                urlopen(facts_of(self.text)["HTTP"] + path, timeout=PATIENCE).close()
        os.kill(os.getpid(), number)


Serve = Callable[..., int]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Runs the command until its user, after requests for `paths`, ends it by a signal."""

    def serve(*arguments: str, number: int = signal.SIGTERM, paths: tuple[str, ...] = ()) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Screen(number, paths))
            patch.setattr(logging.root, "handlers", [])
            patch.setattr(logging.root, "level", logging.WARNING)
            return main(["serve", "--port", "0", "--https-port", "off", *arguments])

    # The command changes its process; another test must not see that.
    thresholds = gc.get_threshold()
    yield serve
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_a_signal_ends_it_silently_with_status_0(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        assert serve("--log-level", "warning", number=number, paths=("/v3/me",)) == 0
        assert capsys.readouterr().err == "", "a quiet server logs no requests"


def test_every_request_is_one_line_or_one_json_object(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(paths=("/v3/me", "/_mock/health?a=1", "/v3/users/a%0Ab"))
    log = capsys.readouterr().err.splitlines()
    words = [line.split(" ")[1:4] for line in log[:2]]
    assert words == [["GET", "/v3/me", "401"], ["GET", "/_mock/health?a=1", "200"]]
    assert [line.split(" ")[4:-1] for line in log] == [
        ["ERROR_BLANK_AUTHTOKEN", "get_me", "app=APP_ID"],
        ["get_health"],
        ["ERROR_API_KEY_NOT_FOUND", "get_user", 'uid="a\\nb"', "app=APP_ID"],
    ]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d .* \d+\.\dms", line) for line in log)

    serve("--log-format", "json", paths=("/v3/users/a%0Ab",))
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    facts = {name: line[name] for name in ("code", "operation", "uid", "app")}
    assert facts == {
        "code": "ERROR_API_KEY_NOT_FOUND",
        "operation": "get_user",
        "uid": "a\nb",
        "app": "APP_ID",
    }
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v3/users/a%0Ab", 401)
    assert line["milliseconds"] >= 0
    assert re.fullmatch(STAMP, line["time"])


def test_a_control_token_that_others_can_read_is_told(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("--control-token", "secret", "--log-level", "error")
    told = "others on this machine can read --control-token"
    assert told in capsys.readouterr().err

    monkeypatch.setenv("MOCKCHAT_CONTROL_TOKEN", "secret")
    serve("--log-level", "error")
    assert told not in capsys.readouterr().err


def break_down(*_arguments: object) -> None:
    raise ZeroDivisionError("this is a test")


def test_a_crash_is_logged_with_its_traceback(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(App, "key_caller", break_down)

    serve(paths=("/v3/users",))
    log = capsys.readouterr().err
    serve("--log-format", "json", paths=("/v3/users",))
    crash, request = map(json.loads, capsys.readouterr().err.splitlines())

    assert "mockchat failed to answer GET /v3/users" in log
    assert log.count("ZeroDivisionError: this is a test") == 1
    assert " GET /v3/users 500 " in log
    assert crash["level"] == "error"
    assert re.fullmatch(STAMP, crash["time"])
    assert "ZeroDivisionError: this is a test" in crash["message"]
    assert request["status"] == 500


# --- a stderr that takes no lines -------------------------------------------------------------
def told(count: int) -> str:
    return f"({count})\n"


class Refusing(io.StringIO):
    """A stderr on a full disk."""

    def write(self, _text: str) -> int:
        raise OSError("No space left on device")


class Stuck(io.StringIO):
    """A stderr that nobody reads, until somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.taken = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.taken.wait(PATIENCE)
        return super().write(text)


def test_lines_that_stderr_refuses_are_dropped_and_told_once_it_takes_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    working = io.StringIO()
    writer = Writer(told)
    monkeypatch.setattr(sys, "stderr", Refusing())
    writer.write("lost\nlost\n")
    writer.write("lost\n")
    wait_until(lambda: writer.dropped == 3)
    monkeypatch.setattr(sys, "stderr", working)
    writer.write("kept\n")
    writer.close()

    assert working.getvalue() == "kept\n(3)\n"


def test_a_stderr_that_nobody_reads_neither_blocks_nor_grows_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, line = Stuck(), "x" * 1023 + "\n"
    writer = Writer(told)
    monkeypatch.setattr(sys, "stderr", stuck)
    writer.write(line)
    assert stuck.reached.wait(PATIENCE)
    for _ in range(5000):
        writer.write(line)
    assert writer.size <= 2**20
    writer.close(0.001)  # does not wait for it

    stuck.taken.set()
    writer.close(PATIENCE)
    lines = stuck.getvalue().splitlines(keepends=True)
    assert lines.count(line) == 1024
    assert lines[-1] == f"({5001 - 1024})\n"


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 1000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it did not come true in time")


# --- the real process -----------------------------------------------------------------------
class Process:
    """`mockchat serve` as a user starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "mockchat", "serve"]
        ports = ["--port", "0", "--https-port", "0", "--ca-dir", str(folder / "ca")]
        self._errors = (folder / "stderr").open("w+")
        self.popen = subprocess.Popen(
            [*command, *ports, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.banner = self._banner()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(line)

    def _banner(self) -> str:
        text = ""
        while "  curl " not in text:
            text += self._lines.get(timeout=PATIENCE)
        return text

    def url(self, name: str) -> str:
        return facts_of(self.banner)[name]

    def end(self, number: int) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(timeout=PATIENCE)

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def close(self) -> None:
        self.popen.kill()
        self.popen.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        self._errors.close()


@pytest.fixture
def process(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    process = Process(tmp_path, *request.param)
    yield process
    process.close()


async def say_goodbye(process: Process) -> tuple[list[int], int | None]:
    """Stop the server while a login waits and a WebSocket is open.

    Returns the statuses of two simultaneous logins and the close code of the WebSocket.
    """
    base, body = process.url("HTTP"), {"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}
    async with aiohttp.ClientSession() as session, session.ws_connect(base) as socket:
        logins = [asyncio.ensure_future(session.post(f"{base}/login", json=body)) for _ in "ab"]
        refused, _ = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        assert len(refused) == 1  # so the server has the other one

        process.popen.send_signal(signal.SIGTERM)
        await socket.receive(timeout=PATIENCE)

        answers = await asyncio.wait_for(asyncio.gather(*logins), PATIENCE)
        return sorted(answer.status for answer in answers), socket.close_code


@pytest.mark.parametrize(
    "process", [["--login-latency", "300ms", "--log-format", "json"]], indirect=True
)
async def test_sigterm_lets_the_server_answer_the_requests_it_has(process: Process) -> None:
    statuses, close_code = await say_goodbye(process)

    assert statuses == [200, 409]
    assert close_code == 1001
    assert process.popen.wait(timeout=PATIENCE) == 0
    lines = [json.loads(line) for line in process.errors().splitlines()]
    logged = [(line["method"], line["path"], line["status"]) for line in lines if "path" in line]
    assert {("POST", "/login", 409), ("POST", "/login", 200)} <= set(logged)
    assert "Traceback" not in process.errors()


@pytest.mark.parametrize("process", [["--login-latency", "1m"]], indirect=True)
def test_a_slow_request_does_not_delay_the_end(process: Process) -> None:
    url, body = process.url("HTTP") + "/login", b'{"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}'
    name, port = url.split("/")[2].split(":")
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as login:
        head = f"POST /login HTTP/1.1\r\nHost: {name}\r\nContent-Length: {len(body)}\r\n\r\n"
        login.sendall(head.encode() + body)
        assert post(url, body) == 409  # so the server has the first one

        process.popen.send_signal(signal.SIGTERM)

        assert process.popen.wait(timeout=4) == 0


@pytest.mark.parametrize("process", [[]], indirect=True)
async def test_a_second_signal_ends_the_process_at_once(process: Process) -> None:
    base = process.url("HTTP")
    async with aiohttp.ClientSession() as session:
        silent = await session.ws_connect(base, autoclose=False)  # the stop waits for its goodbye
        process.popen.send_signal(signal.SIGTERM)
        await silent.receive(timeout=PATIENCE)

        assert process.end(signal.SIGTERM) == -signal.SIGTERM
        await silent.close()


def post(url: str, body: bytes) -> int:
    try:
        with urlopen(url, body, timeout=PATIENCE) as answer:
            status: int = answer.status
    except HTTPError as error:
        error.close()
        return error.code
    return status


@pytest.mark.parametrize("process", [[]], indirect=True)
def test_the_pasted_command_is_answered_and_logged_and_ctrl_c_ends_the_server_silently(
    process: Process,
) -> None:
    status, answer = run_curl(process.banner)

    assert (status, answer["data"]["uid"]) == (200, "cometchat-uid-1")
    assert process.end(signal.SIGINT) == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /login 200 .* \d+\.\dms\n", process.errors())


@pytest.mark.parametrize("stderr", ["unread", "closed"])
def test_a_stderr_that_is_closed_or_that_nobody_reads_stops_no_request(stderr: str) -> None:
    unread = stderr == "unread"
    command = [sys.executable, "-m", "mockchat", "serve", "--port", "0", "--https-port", "off"]
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh"]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    options |= {"stderr": subprocess.PIPE} if unread else {}
    with subprocess.Popen(command if unread else closed + command, **options) as popen:
        assert popen.stdout is not None
        text = ""
        while "  curl " not in text:
            text += popen.stdout.readline()
        name, port = facts_of(text)["HTTP"].split("/")[2].split(":")
        path = "x" * 4000
        with contextlib.closing(HTTPConnection(name, int(port), timeout=PATIENCE)) as client:
            for _ in range(50):  # which fills the pipe
                client.request("GET", f"/{path}")
                assert client.getresponse().read()
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(timeout=4) == 0
