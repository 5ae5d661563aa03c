"""Compares mockchat with a bare aiohttp application, side by side in one run.

    python benchmarks/compare.py [starts] [throughput]

Machines are shared and noisy, so the two take turns, and the median of the ratios round by round
counts. The servers run on one core, the load on another. `wall` compares requests per second,
`cpu` the processor time of the server alone, `p99` the slowest hundredth of the answers.
"""

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_ROUNDS, _STARTS = 9, 11
_CONNECTIONS, _REQUESTS = 8, 250  # per round
_CORES = sorted(os.sched_getaffinity(0))
_SERVERS, _LOAD = {_CORES[-1]}, {_CORES[0]}
_TICKS = os.sysconf("SC_CLK_TCK")
# An installed package has its bytecode: the first start writes that of a clone.
_ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_KEY = "apikey: REST_API_KEY"


class Server(NamedTuple):
    """A server process and where it listens."""

    port: int
    pid: int
    ready: float  # seconds from start to the first answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def bare() -> Iterator[Server]:
    port = free_port()
    with _process([sys.executable, str(_HERE / "bare.py"), str(port)], port) as server:
        yield server


@contextmanager
def mockchat(ca_dir: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "mockchat", "serve", "--port", str(port)]
    command += ["--https-port", "0", "--ca-dir", ca_dir]
    with _process(command, port) as server:
        yield server


@contextmanager
def _process(command: list[str], port: int) -> Iterator[Server]:
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=_HERE.parent, env=_ENV
    ) as process:
        os.sched_setaffinity(process.pid, _SERVERS)
        try:
            _wait(port)
            yield Server(port, process.pid, time.perf_counter() - started)
        finally:
            process.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"GET /_mock/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
                if b" 200 " in probe.recv(64):
                    return
        except OSError:
            time.sleep(0.002)
    raise TimeoutError(f"nothing answers on port {port}")


def request(method: str, path: str, body: str, *headers: str) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", *headers)
    lines += ("Content-Type: application/json", f"Content-Length: {len(body)}", "", body)
    return "\r\n".join(lines).encode()


async def load(port: int, message: Callable[[int], bytes], first: int) -> list[float]:
    """Return the seconds that each request of a round takes; `first` is the first one's number."""
    times = []

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for place in range(_REQUESTS):
            sent = time.perf_counter()
            writer.write(message(first + number * _REQUESTS + place))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise RuntimeError(head.decode())
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            times.append(time.perf_counter() - sent)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(_CONNECTIONS)))
    return times


def cpu(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Round(NamedTuple):
    """What one round of requests took, in seconds."""

    wall: float
    cpu: float
    p99: float


def measure(server: Server, message: Callable[[int], bytes], first: int) -> Round:
    before, started = cpu(server.pid), time.perf_counter()
    times = asyncio.run(load(server.port, message, first))
    wall = time.perf_counter() - started
    return Round(wall, cpu(server.pid) - before, statistics.quantiles(times, n=100)[-1])


def compare(name: str, yardstick: Server, mock: Server, message: Callable[[int], bytes]) -> None:
    walls, cpus, slowest = [], [], []
    for number in range(_ROUNDS):
        first = number * _CONNECTIONS * _REQUESTS
        bare_round = measure(yardstick, message, first)
        mock_round = measure(mock, message, first)
        walls.append(bare_round.wall / mock_round.wall)
        cpus.append(bare_round.cpu / mock_round.cpu)
        slowest.append(mock_round.p99 / bare_round.p99)
    print(
        f"{name:<18} requests/s of bare aiohttp: {statistics.median(walls):.2f} by wall "
        f"({min(walls):.2f} to {max(walls):.2f}), {statistics.median(cpus):.2f} by cpu; "
        f"p99 {statistics.median(slowest):.2f} times"
    )


def token(mock: Server) -> str:
    message = request("POST", "/v3/users/cometchat-uid-1/auth_tokens", "", _KEY)
    with socket.create_connection(("127.0.0.1", mock.port), timeout=5) as connection:
        connection.sendall(message.replace(b"Accept: */*", b"Connection: close"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    value: str = json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["authToken"]
    return value


def compare_throughput(ca_dir: str) -> None:
    with bare() as yardstick, mockchat(ca_dir) as mock:
        by_token = (f"authToken: {token(mock)}", "appId: APP_ID")
        create_token = request(
            "POST", "/v3/users/cometchat-uid-2/auth_tokens", '{"force":true}', _KEY
        )
        put_me = request("PUT", "/v3.0/me", '{"platform":"web","deviceId":"web_1a2"}', *by_token)
        get_me = request("GET", "/v3.0/me", "", *by_token)
        get_user = request("GET", "/v3/users/cometchat-uid-3", "", _KEY)
        for name, message in {
            "create auth token": lambda _: create_token,
            "PUT /me": lambda _: put_me,
            "create user": lambda number: request(
                "POST", "/v3/users", f'{{"uid":"user-{number}","name":"A Name"}}', _KEY
            ),
            "GET /me": lambda _: get_me,
            "GET /users/{uid}": lambda _: get_user,
        }.items():
            compare(name, yardstick, mock, message)
        status = Path(f"/proc/{mock.pid}/status").read_text()
        print(f"memory after this load: {_resident(status):.0f} MB")


def _resident(status: str) -> float:
    """Return the resident megabytes that a process's status tells."""
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def compare_starts(ca_dir: str) -> None:
    ratios, stops, sizes = [], [], []
    for _ in range(_STARTS):
        with bare() as yardstick, mockchat(ca_dir) as mock:
            ratios.append(mock.ready / yardstick.ready)
            sizes.append(_resident(Path(f"/proc/{mock.pid}/status").read_text()))
            started = time.perf_counter()
            os.kill(mock.pid, signal.SIGTERM)
            os.waitid(os.P_PID, mock.pid, os.WEXITED | os.WNOWAIT)
            stops.append(1000 * (time.perf_counter() - started))
    print(
        f"{'ready':<18} as late as bare aiohttp: {statistics.median(ratios):.2f} times "
        f"({min(ratios):.2f} to {max(ratios):.2f}); stops within {statistics.median(stops):.0f} ms "
        f"({min(stops):.0f} to {max(stops):.0f}); {statistics.median(sizes):.0f} MB"
    )


def main() -> None:
    os.sched_setaffinity(0, _LOAD)
    parts = {"starts": compare_starts, "throughput": compare_throughput}
    wanted = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory() as ca_dir:
        with mockchat(ca_dir):
            pass  # the first start makes the CA
        for name in wanted:
            parts[name](ca_dir)


if __name__ == "__main__":
    main()
