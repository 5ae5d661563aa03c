"""Compares mockchat with a bare aiohttp application, side by side in one run.

    python benchmarks/compare.py [starts] [throughput]

Machines are shared and noisy, so the two take turns, and what counts is the median of the ratios
round by round. `wall` compares requests per second, `cpu` the processor time of the server alone,
which a busy machine disturbs less.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_ROUNDS, _STARTS = 9, 11
_CONNECTIONS, _REQUESTS = 8, 250  # per round
_TICKS = os.sysconf("SC_CLK_TCK")
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
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=_HERE.parent
    ) as process:
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


async def load(port: int, message: bytes) -> float:
    """Return the seconds that a round of requests takes."""

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(_REQUESTS):
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise RuntimeError(head.decode())
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(_CONNECTIONS)))
    return time.perf_counter() - started


def cpu(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measure(server: Server, message: bytes) -> tuple[float, float]:
    before = cpu(server.pid)
    wall = asyncio.run(load(server.port, message))
    return wall, cpu(server.pid) - before


def compare(name: str, yardstick: Server, mock: Server, message: bytes) -> None:
    walls, cpus = [], []
    for _ in range(_ROUNDS):
        wall_bare, cpu_bare = measure(yardstick, message)
        wall_mock, cpu_mock = measure(mock, message)
        walls.append(wall_bare / wall_mock)
        cpus.append(cpu_bare / cpu_mock)
    print(
        f"{name:<22} requests/s of bare aiohttp: {statistics.median(walls):.2f} by wall "
        f"({min(walls):.2f} to {max(walls):.2f}), {statistics.median(cpus):.2f} by cpu"
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
        messages = {
            "create auth token": request(
                "POST", "/v3/users/cometchat-uid-2/auth_tokens", '{"force":true}', _KEY
            ),
            "PUT /me": request(
                "PUT",
                "/v3.0/me",
                '{"platform":"web","deviceId":"web_1a2b3c4d5"}',
                f"authToken: {token(mock)}",
                "appId: APP_ID",
            ),
        }
        for name, message in messages.items():
            compare(name, yardstick, mock, message)


def compare_starts(ca_dir: str) -> None:
    ratios = []
    for _ in range(_STARTS):
        with bare() as yardstick, mockchat(ca_dir) as mock:
            ratios.append(mock.ready / yardstick.ready)
    print(
        f"{'ready':<22} as late as bare aiohttp: {statistics.median(ratios):.2f} times "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    parts = {"starts": compare_starts, "throughput": compare_throughput}
    wanted = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory() as ca_dir:
        with mockchat(ca_dir):
            pass  # the first start makes the CA
        for name in wanted:
            parts[name](ca_dir)


if __name__ == "__main__":
    main()
