"""A container engine as its command line has it: Docker where it runs, else Podman."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from mockchat import __version__

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
IMAGE = "mockchat:check"
# As strict as a cluster is: nothing to write to but the volume, and no privilege at all.
STRICT = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
PATIENCE = 120
# What testcontainers does not find out about Podman by itself.
_AS_DOCKER = {
    "TESTCONTAINERS_RYUK_DISABLED": "true",
    "TESTCONTAINERS_HOST_OVERRIDE": "localhost",
    "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
}
_KEY = {"apikey": "REST_API_KEY"}
_DIRECT = build_opener(ProxyHandler({}))  # what is asked for is on this machine


class Engine:
    """Builds the image and runs containers of it."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.is_podman = command == "podman"
        own = {"CONTAINERS_CONF": str(HERE / "containers.conf")} if self.is_podman else {}
        self.environment = {**os.environ, **own}

    def call(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.command, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{self.command} {' '.join(arguments)}: {done.stderr}")
        return done

    def build(self) -> None:
        """Build the image as `make image` does."""
        arguments = ["--build-arg", f"VERSION={__version__}", "--build-arg", "REVISION=abc"]
        if self.is_podman:  # whose own image format has no health check
            arguments += ["--format", "docker", "--network", "host", "--isolation", "chroot"]
            # A machine that reaches its packages in a way of its own says so in these files.
            own = (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"))
            for file in filter(Path.exists, own):
                arguments += ["--volume", f"{file}:{file}:ro"]
        self.call("build", "--no-cache", *arguments, "--tag", IMAGE, str(ROOT))

    def inspect(self, name: str) -> Any:
        return json.loads(self.call("inspect", name).stdout)[0]

    @contextmanager
    def socket(self, folder: Path) -> Iterator[dict[str, str]]:
        """Give what testcontainers finds the engine by."""
        if not self.is_podman:
            yield self.environment
            return
        address = f"unix://{folder}/podman.sock"
        command = ["podman", "system", "service", "--time", "0", address]
        with subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL) as service:
            try:
                while not (folder / "podman.sock").exists():
                    assert service.poll() is None
                yield self.environment | _AS_DOCKER | {"DOCKER_HOST": address}
            finally:
                service.terminate()

    @contextmanager
    def run(self, *options: str, command: tuple[str, ...] = ()) -> Iterator["Container"]:
        """Run a container that is removed in the end."""
        arguments = ("--detach", "--publish", "127.0.0.1::8080", *options, IMAGE, *command)
        container = Container(self, self.call("run", *arguments).stdout.strip())
        try:
            yield container
        finally:
            self.call("rm", "--force", "--volumes", container.name)


class Container:
    """A running container of the image."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.started = time.monotonic()

    @cached_property
    def url(self) -> str:
        return "http://" + self.engine.call("port", self.name, "8080").stdout.split()[0]

    def get(self, path: str) -> bytes:
        return self._ask(Request(self.url + path, headers=_KEY))

    def post(self, path: str, body: bytes) -> bytes:
        return self._ask(Request(self.url + path, body, _KEY))

    def _ask(self, request: Request) -> bytes:
        with _DIRECT.open(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def wait_until_it_answers(self) -> float:
        """Return how many seconds it took from the start on."""
        while time.monotonic() - self.started < PATIENCE:
            try:
                self.get("/_mock/health")
            except (OSError, URLError):
                if not self.engine.inspect(self.name)["State"]["Running"]:
                    break
            else:
                return time.monotonic() - self.started
        raise AssertionError(f"no answer; the log says: {self.log()}")

    def execute(self, *command: str) -> str:
        return self.engine.call("exec", self.name, *command).stdout

    def end(self) -> int:
        """Wait until it ends by itself; return its status."""
        return int(self.engine.call("wait", self.name).stdout.split()[0])

    def log(self) -> str:
        done = self.engine.call("logs", self.name)
        return done.stdout + done.stderr


def find_engine() -> Engine:
    """Return the engine of this machine; without one nothing was tried, which fails."""
    for command in ("docker", "podman"):
        if shutil.which(command) is None:
            continue
        if subprocess.run([command, "info"], capture_output=True, check=False).returncode == 0:
            return Engine(command)
    raise AssertionError("no container engine runs here; tests/image/prepare installs one")
