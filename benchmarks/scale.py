"""Compares one mockchat process with two, behind the nginx of `examples/scale`.

    python -m benchmarks.scale

The load goes to apps of one process, then to as many apps of both, in turns; what counts is the
median of the ratios round by round. `wall` compares requests per second, on a machine whose cores
nginx and this load generator share with the processes. `cpu` compares requests per processor second
of the busier process: what two give where every process has a core of its own.
"""

import http.client
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.compare import cpu, free_port, request

_ROOT = Path(__file__).parent.parent
_EXAMPLE = _ROOT / "examples" / "scale"
_PORTS = ("8080", "8443", "8451", "8452", "9001", "9002")
_ROUNDS = 15
_CONNECTIONS, _REQUESTS = 32, 50  # requests of each connection; nginx ends one after 1,000
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_KEY = "apikey: REST_API_KEY"
_BODY = '{"force":true}'
_PATH = "/v3/users/cometchat-uid-2/auth_tokens"


class Scale(NamedTuple):
    """The running example: nginx's port, that of one process itself, and who is who."""

    port: int
    direct: int
    processes: list[int]
    nginx: int


class Cost(NamedTuple):
    """What a round took, in seconds."""

    wall: float
    busier: float  # processor time of the process that worked more
    nginx: float
    generator: float


@contextmanager
def scale() -> Iterator[Scale]:
    ports = {port: str(free_port()) for port in _PORTS}
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "nginx.conf")
        text = (_EXAMPLE / "nginx.conf").read_text()
        conf.write_text(re.sub(r"\b[0-9]{4}\b", lambda found: ports.get(found[0], found[0]), text))
        environment = {
            **os.environ,
            "MOCKCHAT": f"{sys.executable} -m mockchat",
            "MOCKCHAT_CA_DIR": str(Path(folder, "ca")),
            "MOCKCHAT_LOG_LEVEL": "warning",
        }
        command = [str(_EXAMPLE / "run.sh"), str(conf)]
        with subprocess.Popen(
            command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as script:
            try:
                told = [int(pid) for pid in re.findall(r"pid ([0-9]+)", _until_up(script))]
                yield Scale(int(ports["8080"]), int(ports["9001"]), told[:2], told[2])
            finally:
                script.terminate()


def _until_up(script: subprocess.Popen[str]) -> str:
    told = ""
    for line in script.stdout or ():
        told += line
        if line.startswith("nginx is up"):
            return told
    raise RuntimeError("the example did not start")


def _of_workers(nginx: int) -> float:
    """Return the processor seconds of nginx, which works in children."""
    children = Path(f"/proc/{nginx}/task/{nginx}/children").read_text().split()
    return sum(cpu(int(pid)) for pid in children)


def apps_of(port: int, process: str) -> list[str]:
    """Return an app for each connection, all of one process."""
    found: list[str] = []
    number = 0
    while len(found) < _CONNECTIONS:
        number += 1
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", f"/apps/job-{number}/")
        if connection.getresponse().headers["X-Mock-Process"] == process:
            found.append(f"job-{number}")
        connection.close()
    return found


def load(port: int, apps: Sequence[str]) -> None:
    """Send as many requests for each of the apps, on a connection of its own."""
    with selectors.DefaultSelector() as ready:
        for app in apps:
            message = request("POST", _PATH, _BODY, _KEY, f"appId: {app}")
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            ready.register(connection, selectors.EVENT_READ, _client(connection, message))
            connection.sendall(message)
        while ready.get_map():
            for key, _ in ready.select(10):
                if not key.data():
                    ready.unregister(key.fileobj)


def _client(connection: socket.socket, message: bytes) -> Callable[[], bool]:
    """Return what to do when something was received; it tells whether there is more to come."""
    received, left = b"", _REQUESTS

    def receive() -> bool:
        nonlocal received, left
        received += connection.recv(65536)
        head = received.find(b"\r\n\r\n")
        length = _LENGTH.search(received, 0, head + 2) if head > 0 else None
        if length is None or len(received) < head + 4 + int(length[1]):
            return True
        if not received.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(received.decode())
        received, left = b"", left - 1
        if left:
            connection.sendall(message)
        else:
            connection.close()
        return left > 0

    return receive


def measure(port: int, apps: Sequence[str], running: Scale) -> Cost:
    processes = [cpu(pid) for pid in running.processes]
    nginx, own, started = _of_workers(running.nginx), time.process_time(), time.perf_counter()
    load(port, apps)
    return Cost(
        time.perf_counter() - started,
        max(cpu(pid) - before for pid, before in zip(running.processes, processes, strict=True)),
        _of_workers(running.nginx) - nginx,
        time.process_time() - own,
    )


def told(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    with scale() as running:
        first, second = (apps_of(running.port, process) for process in "12")
        half = _CONNECTIONS // 2
        loads = {
            "bare": (running.direct, first),
            "one": (running.port, first),
            "two": (running.port, first[:half] + second[half:]),
        }
        for port, apps in loads.values():
            load(port, apps)  # the first requests seed the apps
        costs: dict[str, list[Cost]] = {name: [] for name in loads}
        for _ in range(_ROUNDS):
            for name, (port, apps) in loads.items():
                costs[name].append(measure(port, apps, running))
    report(costs)


def report(costs: dict[str, list[Cost]]) -> None:
    bare, one, two = costs["bare"], costs["one"], costs["two"]
    by_wall = told([a.wall / b.wall for a, b in zip(one, two, strict=True)])
    by_cpu = told([a.busier / b.busier for a, b in zip(one, two, strict=True)])
    behind = told([a.wall / b.wall for a, b in zip(bare, one, strict=True)])
    print(f"two processes, requests/s of one: {by_wall} by wall, {by_cpu} by cpu")
    print(f"one behind nginx, requests/s of one without: {behind} by wall")
    for name, rounds in costs.items():
        shares = ", ".join(
            f"{part} {statistics.median(getattr(cost, part) / cost.wall for cost in rounds):.0%}"
            for part in ("busier", "nginx", "generator")
        )
        print(f"processor time in a round of {name!r}: {shares}")


if __name__ == "__main__":
    main()
