"""`mockchat serve`: its log lines, a stderr that takes none, and the real process."""

import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from aiohttp import ClientSession

from mockchat.cli import main
from mockchat.core.state import App
from mockchat.log import Writer
from tests.clients import send
from tests.processes import LONG as PATIENCE
from tests.processes import facts_of, run_curl, serving, wait_until

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"


# --- the command, in process ----------------------------------------------------------------
class Screen(io.StringIO):
    """Is the terminal; after the banner, its user sends requests and then ends the server."""

    def __init__(self, number: int, paths: tuple[str, ...]) -> None:
        super().__init__()
        self._user = threading.Thread(target=self._act, args=(number, paths))

    def flush(self) -> None:
        if "Try it" in self.getvalue() and not self._user.ident:
            self._user.start()

    def _act(self, number: int, paths: tuple[str, ...]) -> None:
        for path in paths:
            with contextlib.suppress(HTTPError):
                urlopen(facts_of(self.getvalue())["HTTP"] + path, timeout=PATIENCE).close()
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
    writer.flush()
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


# --- the real process -----------------------------------------------------------------------
LOGIN = {"uid": "SUPERHERO1", "authKey": "AUTH_KEY"}


async def test_sigterm_lets_the_server_answer_the_requests_it_has(tmp_path: Path) -> None:
    words = ("--https-port", "0", "--ca-dir", str(tmp_path), "--login-latency", "300ms")
    with serving(*words, "--log-format", "json") as process:
        async with ClientSession(process.url) as session, session.ws_connect("/") as socket:
            logins = [asyncio.ensure_future(session.post("/login", json=LOGIN)) for _ in "ab"]
            refused, _ = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
            assert len(refused) == 1  # so the server has the other one

            process.popen.send_signal(signal.SIGTERM)
            await socket.receive(timeout=PATIENCE)
            answers = await asyncio.wait_for(asyncio.gather(*logins), PATIENCE)
        ended, log = process.ended()

    assert (sorted(answer.status for answer in answers), ended) == ([200, 409], 0)
    assert socket.close_code == 1001
    lines = [json.loads(line) for line in log.splitlines()]
    logged = [(line["method"], line["path"], line["status"]) for line in lines if "path" in line]
    assert {("POST", "/login", 409), ("POST", "/login", 200)} <= set(logged)
    assert "Traceback" not in log


async def test_neither_a_slow_request_nor_a_silent_client_delays_a_stop_for_ever() -> None:
    with serving("--https-port", "off", "--login-latency", "1m") as process:
        async with ClientSession(process.url) as session:
            logins = [asyncio.ensure_future(session.post("/login", json=LOGIN)) for _ in "ab"]
            await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)

            process.popen.send_signal(signal.SIGTERM)

            assert await asyncio.to_thread(process.popen.wait, 4) == 0
            await asyncio.gather(*logins, return_exceptions=True)
    with serving("--https-port", "off") as process:
        async with ClientSession(process.url) as session:
            silent = await session.ws_connect("/", autoclose=False)  # the stop waits for its end
            process.popen.send_signal(signal.SIGTERM)
            await silent.receive(timeout=PATIENCE)

            assert process.end(signal.SIGTERM)[0] == -signal.SIGTERM  # a second one ends at once
            await silent.close()


def test_the_pasted_command_is_answered_and_logged_and_ctrl_c_ends_the_server_silently() -> None:
    with serving("--https-port", "off") as process:
        status, answer = run_curl(process.banner)
        ended, log = process.end(signal.SIGINT)

    assert (status, answer["data"]["uid"]) == (200, "cometchat-uid-1")
    assert ended == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /login 200 .* \d+\.\dms\n", log)


def full_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    return reading, writing


def test_a_stdout_that_takes_no_banner_holds_up_neither_the_server_nor_its_stop() -> None:
    reading, writing = full_pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    for stdout, told in ((writing, ""), (full, "the banner cannot be written to stdout: ")):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        words = ("serve", "--port", str(port), "--https-port", "off", "--log-level", "warning")
        with subprocess.Popen(
            [sys.executable, "-m", "mockchat", *words], stdout=stdout, stderr=subprocess.PIPE
        ) as process:
            wait_until(partial(is_up, port))
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=4) == 0, told
            log = process.stderr.read().decode() if process.stderr else ""

        assert told in log
        assert log.count("\n") == bool(told), log
    for handle in (reading, writing, full):
        os.close(handle)


def is_up(port: int) -> bool:
    try:
        return send("GET", f"http://127.0.0.1:{port}/_mock/health").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_a_stdin_that_is_closed_does_not_break_the_stop(closed: str) -> None:
    with serving("--https-port", "off", shell=f'exec "$@" {closed}') as process:
        process.popen.send_signal(signal.SIGTERM)

        assert process.popen.wait(timeout=4) == 0


@pytest.mark.parametrize("shell", ['exec "$@"', 'exec "$@" 2>&-'])
def test_a_stderr_that_is_closed_or_that_nobody_reads_stops_no_request(shell: str) -> None:
    path = "x" * 4000
    with (
        serving("--https-port", "off", shell=shell) as process,
        contextlib.closing(HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)) as client,
    ):
        for _ in range(50):  # which fills the pipe
            client.request("GET", f"/{path}")
            assert client.getresponse().read()
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(timeout=4) == 0
