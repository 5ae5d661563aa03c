"""`mockchat serve`: its banner, its log lines, and the real process."""

import asyncio
import contextlib
import gc
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
from mockchat.serve import banner

ROOT = Path(__file__).parent.parent
PATIENCE = 20  # seconds; what is waited for comes long before


# --- the banner -----------------------------------------------------------------------------
def facts_of(text: str) -> dict[str, str]:
    """The named lines of a banner."""
    found = re.findall(r"^  (\S.*?)  +(\S.*)$", text, re.MULTILINE)
    return dict(found)


def banner_of(**settings: Any) -> str:
    with MockChat(Config(**{"port": 0, "https_port": None, **settings})).in_thread() as mock:
        return banner(mock)


def test_the_banner_names_the_addresses(tmp_path: Path) -> None:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path))

    with MockChat(config).in_thread() as mock:
        text = banner(mock)

    port = str(mock.https_url).rpartition(":")[2]
    assert text.startswith(f"mockchat {__version__} is up\n")
    assert facts_of(text)["HTTP"] == mock.url
    assert facts_of(text)["HTTPS"] == mock.https_url
    for name in ("localhost", "10.0.2.2", "host.docker.internal"):
        assert f"https://{name}:{port}" in facts_of(text)["Also as"]


def test_the_banner_names_app_keys_users_and_the_ca(tmp_path: Path) -> None:
    text = banner_of(https_port=0, ca_dir=str(tmp_path), auth_key=("ONE", "TWO"), region="eu")

    assert "APP_ID" in text
    assert "region eu" in text
    assert {"ONE", "TWO", "REST_API_KEY"} <= set(re.findall(r"\w+", text))
    assert "cometchat-uid-1, cometchat-uid-2" in text
    assert "SUPERHERO5" in text
    assert str(tmp_path / "ca.pem") in text


def test_the_banner_says_that_any_app_id_works_unless_apps_are_strict() -> None:
    assert "any other app id works" in banner_of()
    assert "any other app id works" not in banner_of(strict_apps=True)


def test_the_banner_names_twenty_users_and_counts_the_rest(tmp_path: Path) -> None:
    users = [{"uid": f"u{number:02}", "name": "User"} for number in range(25)]
    (tmp_path / "many.json").write_text(json.dumps({"users": users}))

    text = banner_of(fixture=(str(tmp_path / "many.json"),))

    assert "u00, u01" in text
    assert "u19 and 5 more" in text
    assert "u20" not in text


def test_the_banner_says_what_is_off() -> None:
    text = banner_of(fixture=("empty",))

    assert facts_of(text)["HTTPS"] == "off"
    assert facts_of(text)["Users"] == "none"
    assert facts_of(text)["CA"] == "none of its own"


def brought_certificate(folder: Path) -> dict[str, Any]:
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "all.pem"))
    return {"tls_cert": str(folder / "all.pem"), "tls_key": str(folder / "all.pem")}


ODD_USERS = [{"uid": "it's-ünï😀", "name": "Odd"}]
SETTINGS: dict[str, dict[str, Any]] = {
    "by default": {},
    "without users": {"fixture": ("empty",)},
    "with strict apps": {"strict_apps": True},
    "with strict apps and no users": {"strict_apps": True, "fixture": ("empty",)},
    "with keys to be quoted": {"auth_key": ("it's",), "rest_api_key": ('a"b$c',)},
    "with another app": {"app_id": "mine"},
    "by HTTPS only": {"port": None, "https_port": 0},
    "by both": {"https_port": 0},
    "with a uid to be quoted": {"fixture": ("odd.json",)},
    "with the live dialect": {"errors": "live"},
}


def run_curl(text: str) -> tuple[int, Any]:
    """Paste the banner's line; return the status and the answer."""
    line = text.partition("Try it:\n")[2].strip()
    assert line.startswith("curl ")
    extra = ["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]
    done = subprocess.run(
        [*shlex.split(line), *extra], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_banner_s_line_works_as_pasted(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.json").write_text(json.dumps({"users": ODD_USERS}))
    config = Config(**{"port": 0, "https_port": None, "ca_dir": str(tmp_path), **settings})

    with MockChat(config).in_thread() as mock:
        status, answer = run_curl(banner(mock))

    assert (status, "error" in answer) == (200, False), answer
    assert answer["data"]["uid"]


def test_the_banner_s_line_works_with_a_certificate_of_one_s_own(tmp_path: Path) -> None:
    config = Config(port=None, https_port=0, **brought_certificate(tmp_path))

    with MockChat(config).in_thread() as mock:
        status, _ = run_curl(banner(mock))

    assert status == 200


# --- the command, in process ----------------------------------------------------------------
class Screen:
    """Stands in for a terminal; once the banner is there, a user acts and then ends the server."""

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
    """Runs the command until its user, who asks for `paths`, ends it by a signal."""

    def serve(*arguments: str, number: int = signal.SIGTERM, paths: tuple[str, ...] = ()) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Screen(number, paths))
            patch.setattr(logging.root, "handlers", [])
            patch.setattr(logging.root, "level", logging.WARNING)
            return main(["serve", "--port", "0", "--https-port", "off", *arguments])

    # What the command does to its process is undone: it expects to have one of its own.
    thresholds = gc.get_threshold()
    yield serve
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_and_in_silence(
    serve: Serve, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    assert serve(number=number) == 0
    assert capsys.readouterr().err == ""


def test_every_request_is_one_line(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(paths=("/v3/me", "/_mock/health?a=1"))

    log = capsys.readouterr().err.splitlines()
    words = [line.split(" ")[1:4] for line in log]
    assert words == [["GET", "/v3/me", "401"], ["GET", "/_mock/health?a=1", "200"]]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d .* \d+\.\dms", line) for line in log)


def test_every_request_is_one_json_object(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve("--log-format", "json", paths=("/v3/me",))

    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v3/me", 401)
    assert line["milliseconds"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", line["time"])


def test_a_quiet_server_logs_no_requests(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve("--log-level", "warning", paths=("/v3/me",))

    assert capsys.readouterr().err == ""


def break_down(*_arguments: object) -> None:
    raise ZeroDivisionError("this is a test")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look-up of an api key crashes."""
    monkeypatch.setattr(App, "key_caller", break_down)


def test_a_crash_is_logged_with_its_traceback(
    serve: Serve, capsys: pytest.CaptureFixture[str], broken: None
) -> None:
    serve(paths=("/v3/users",))

    log = capsys.readouterr().err
    assert "mockchat failed to answer GET /v3/users" in log
    assert log.count("ZeroDivisionError: this is a test") == 1
    assert " GET /v3/users 500 " in log


def test_a_crash_is_one_json_object_with_its_traceback(
    serve: Serve, capsys: pytest.CaptureFixture[str], broken: None
) -> None:
    serve("--log-format", "json", paths=("/v3/users",))

    crash, request = map(json.loads, capsys.readouterr().err.splitlines())
    assert crash["level"] == "error"
    assert "ZeroDivisionError: this is a test" in crash["message"]
    assert request["status"] == 500


# --- the real process -----------------------------------------------------------------------
class Process:
    """`mockchat serve` as a user starts it; its lines are waited for with a bound."""

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
    """End the server while a login is in flight and a socket is open.

    Returns the statuses of two logins fired together and the socket's close code.
    """
    base, body = process.url("HTTP"), {"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}
    async with aiohttp.ClientSession() as session, session.ws_connect(base) as socket:
        logins = [asyncio.ensure_future(session.post(f"{base}/login", json=body)) for _ in "ab"]
        refused, _ = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        assert len(refused) == 1  # so the other one has arrived and waits

        process.popen.send_signal(signal.SIGTERM)
        await socket.receive(timeout=PATIENCE)

        answers = await asyncio.wait_for(asyncio.gather(*logins), PATIENCE)
        return sorted(answer.status for answer in answers), socket.close_code


@pytest.mark.parametrize(
    "process", [["--login-latency", "300ms", "--log-format", "json"]], indirect=True
)
async def test_sigterm_lets_the_server_finish_what_it_began(process: Process) -> None:
    statuses, close_code = await say_goodbye(process)

    assert statuses == [200, 409]
    assert close_code == 1001
    assert process.popen.wait(timeout=PATIENCE) == 0
    lines = [json.loads(line) for line in process.errors().splitlines()]
    logged = [(line["method"], line["path"], line["status"]) for line in lines if "path" in line]
    assert {("POST", "/login", 409), ("POST", "/login", 200)} <= set(logged)
    assert "Traceback" not in process.errors()


@pytest.mark.parametrize("process", [["--login-latency", "1m"]], indirect=True)
def test_a_request_that_takes_its_time_does_not_hold_up_the_end(process: Process) -> None:
    url, body = process.url("HTTP") + "/login", b'{"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}'
    name, port = url.split("/")[2].split(":")
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as login:
        head = f"POST /login HTTP/1.1\r\nHost: {name}\r\nContent-Length: {len(body)}\r\n\r\n"
        login.sendall(head.encode() + body)
        assert post(url, body) == 409  # so the first one has arrived and waits

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
def test_the_pasted_line_is_answered_and_logged_and_ctrl_c_ends_it_in_silence(
    process: Process,
) -> None:
    status, answer = run_curl(process.banner)

    assert (status, answer["data"]["uid"]) == (200, "cometchat-uid-1")
    assert process.end(signal.SIGINT) == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /login 200 \d+\.\dms\n", process.errors())
