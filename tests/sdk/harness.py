"""The ways from Python to the vendor's packages: npm to get them, Node to run them."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

from mockchat import MockChat

Facts = dict[str, Any]

HERE = Path(__file__).parent
DEBIAN_PACKAGE = {
    "node": "nodejs",
    "npm": "npm",
    "certutil": "libnss3-tools",
    "chromium": "chromium",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOG_END = 4000
INSTALL_LIMIT = 300


class MissingToolError(Exception):
    """A program that the SDK tests need is not installed; says how to get it."""


def tool(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise MissingToolError(
        f"The SDK tests need {names[0]}, which is not installed. Debian and Ubuntu have it "
        f"in a package: apt-get install {DEBIAN_PACKAGE[names[0]]}"
    )


def need_tools() -> None:
    """Raises MissingToolError unless all of them are there."""
    for names in (("node",), ("npm",), ("certutil",), BROWSERS):
        tool(*names)


def install_locked(folder: Path) -> None:
    """Installs what a folder's `package-lock.json` pins, unless it is there."""
    installed = folder / "node_modules" / ".package-lock.json"
    wanted = folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        npm("ci", folder=folder)


def npm(*arguments: str, folder: Path = HERE) -> str:
    """What npm prints for a command that has to succeed."""
    done = subprocess.run(
        [tool("npm"), *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=INSTALL_LIMIT,
    )
    return done.stdout


def environment_for(server: MockChat) -> dict[str, str]:
    """What the runners read: where the mock is, whom to trust, which browser and keys to use."""
    return {
        **os.environ,
        "MOCKCHAT_URL": str(server.url),
        "MOCKCHAT_HTTPS_URL": str(server.https_url),
        "MOCKCHAT_CHROMIUM": tool(*BROWSERS),
        "NODE_EXTRA_CA_CERTS": str(server.ca_path),
        "AUTH_KEY": "AUTH_KEY",
        "REST_API_KEY": "REST_API_KEY",
    }


def app_id_for(run_name: str) -> str:
    """An app of its own for each run; in capitals, as the default app's id is."""
    return "SDK_" + re.sub(r"\W", "_", run_name).upper()


def facts_from(command: list[str], environment: dict[str, str], limit: float) -> Any:
    """Runs a script in Node and returns the JSON document that it prints."""
    with node(command, environment, limit) as process:
        output, log = process.communicate()
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {process.returncode}:\n{log[-LOG_END:]}"
        )
    return json.loads(output)


@contextmanager
def node(
    command: list[str], environment: dict[str, str], limit: float, **streams: Any
) -> Iterator[subprocess.Popen[str]]:
    """A script that runs in Node, ended after the limit, with the browser it may have started."""
    process = subprocess.Popen(
        [tool("node"), *command],
        cwd=HERE,
        env=environment,
        text=True,
        start_new_session=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )
    alarm = Timer(limit, end, [process])
    alarm.start()
    try:
        yield process
    except BaseException:
        end(process)
        raise
    finally:
        alarm.cancel()
        process.wait()


def end(process: subprocess.Popen[str]) -> None:
    """Ends a script and what it started, if it is still there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
