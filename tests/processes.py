"""Processes: commands that are run to their end, and `mockchat serve` as a user starts it."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Any

ROOT = Path(__file__).parent.parent
LONG = 60  # seconds; every wait for a process ends long before


def run(
    *words: object, check: bool = False, timeout: float = 60, **options: Any
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; return its status, which may be any, and what it printed."""
    options |= {"capture_output": True, "text": True, "timeout": timeout}
    return subprocess.run([*map(str, words)], check=check, **options)


def wait_until(condition: Callable[[], bool]) -> None:
    """Look every few milliseconds whether it is true."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        Event().wait(0.005)


class Process:
    """A server that has shown its banner."""

    def __init__(self, popen: subprocess.Popen[str], banner: str) -> None:
        self.popen, self.banner = popen, banner
        self.facts = facts_of(banner)
        self.url = self.facts["HTTP"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return what `ended` does."""
        self.popen.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what the process wrote to stderr."""
        status = self.popen.wait(LONG)
        return status, self.popen.stderr.read() if self.popen.stderr else ""


@contextmanager
def serving(
    *words: str,
    code: Sequence[str] = ("-W", "error", "-m", "mockchat"),
    shell: str = "",
    **options: Any,
) -> Iterator[Process]:
    """Serve on a free port for as long as the block runs.

    `code` are the words that make Python run mockchat. `shell` is a line of a shell that runs the
    command: "$@".
    """
    command = [sys.executable, *code, "serve", "--port", "0", *words]
    before = ["sh", "-c", shell, "sh"] if shell else []
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        [*before, *command], text=True, **{"cwd": ROOT, **pipes, **options}
    ) as popen:
        alarm = Timer(LONG, popen.kill)
        alarm.start()
        try:
            banner = _banner(popen)
            alarm.cancel()
            yield Process(popen, banner)
        finally:
            alarm.cancel()
            popen.kill()


def _banner(popen: subprocess.Popen[str]) -> str:
    text = ""
    for line in popen.stdout or ():
        text += line
        if line.startswith("  curl "):
            return text
    raise AssertionError(f"it did not start: {text}{popen.stderr and popen.stderr.read()}")


def facts_of(banner: str) -> dict[str, str]:
    """The named lines of a banner."""
    return dict(re.findall(r"^  (\S.*?)  +(\S.*)$", banner, re.MULTILINE))


def run_curl(banner: str) -> tuple[int, Any]:
    """Paste the banner's command; return the status and the answer."""
    line = banner.partition("Try it:\n")[2].strip()
    assert line.startswith("curl ")
    extra = ["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]
    done = run(*shlex.split(line), *extra, timeout=LONG, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)
