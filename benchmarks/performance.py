"""Measures a server of its own with few and many users, and writes a table of Markdown.

    python -m benchmarks.performance [--users 10,10000,1000000] [--sockets 5000]

Requests come one after the other on one connection; the figures are the median and the 99th
percentile. While an action on all users runs, another client asks for one user again and again:
its longest answer is what the action keeps others waiting.
"""

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import selectors
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

_KEY = {"apikey": "REST_API_KEY"}
_ROUNDS = 1000
_SEED = 100_000  # users at once
_CHANGES = 10  # of presence
_SO_TIMESTAMPNS = 35  # Linux then tells when it received what a socket reads
_HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)


class Client:
    """A client with one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """Return the body of an answer, which must be a success."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return bytes(content)


@contextmanager
def server(state: Path, *more: str) -> Iterator[tuple[int, int, float]]:
    """Run a server; yield its port, its process and the seconds that its start took."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mockchat", "serve", "--port", "0", "--https-port", "off"]
    options = ["--state", str(state), "--log-level", "error", *more]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stdout or () if "HTTP  " in line)
        yield int(line.rsplit(":", 1)[1]), process.pid, time.perf_counter() - started
        process.send_signal(signal.SIGTERM)


def timed(do: Callable[[int], Any]) -> str:
    """Return the median and the 99th percentile of the milliseconds of many calls."""
    times = []
    for number in range(_ROUNDS):
        started = time.perf_counter()
        do(number)
        times.append(1000 * (time.perf_counter() - started))
    return f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=100)[-1]:.1f} ms"


def longest_wait(port: int, action: Callable[[], Any]) -> str:
    """Return the longest answer to another client during an action, and the action's seconds.

    The other client has a process of its own: a thread would wait for the work of this client.
    """
    told, tell = multiprocessing.Pipe(duplex=False)
    done = multiprocessing.Event()
    other = multiprocessing.Process(target=ask_again_and_again, args=(port, done, tell))
    other.start()
    told.recv()
    started = time.perf_counter()
    action()
    took = time.perf_counter() - started
    done.set()
    longest = told.recv()
    other.join()
    return f"{longest:.0f} ms (of {took:.1f} s)"


def ask_again_and_again(port: int, done: Event, tell: Connection) -> None:
    """Ask until `done`; tell of the first answer, and the milliseconds of the longest one."""
    client, waits = Client(port), [0.0]
    client.ask("GET", "/users/superhero1", **_KEY)
    tell.send(0)
    while not done.is_set():
        started = time.perf_counter()
        client.ask("GET", "/users/superhero1", **_KEY)
        waits.append(1000 * (time.perf_counter() - started))
    tell.send(max(waits))


def requests_of(port: int) -> dict[str, str]:
    client, stamp = Client(port), time.time_ns()
    login = {"uid": "superhero1", "authKey": "AUTH_KEY"}
    user = {"name": "Somebody"}
    return {
        "get a user": timed(lambda _: client.ask("GET", "/users/superhero1", **_KEY)),
        "list 100 users": timed(lambda _: client.ask("GET", "/users?per_page=100", **_KEY)),
        "create a user": timed(
            lambda n: client.ask("POST", "/users", {**user, "uid": f"u{stamp}-{n}"}, **_KEY)
        ),
        "update a user": timed(lambda _: client.ask("PUT", "/users/superhero1", user, **_KEY)),
        "log in (25 ms of them by design)": timed(lambda _: client.ask("POST", "/login", login)),
    }


def actions_of(port: int, users: int) -> dict[str, str]:
    client = Client(port)
    seed = {"users": min(users, _SEED)}
    told = {
        "seed (at most 100,000)": longest_wait(
            port, lambda: client.ask("POST", "/_mock/seed", seed)
        )
    }
    exported: list[bytes] = []
    actions: dict[str, Callable[[], Any]] = {
        "save a snapshot": lambda: client.ask("PUT", "/_mock/snapshots/one"),
        "export it": lambda: exported.append(client.ask("GET", "/_mock/snapshots/one")),
        "import it": lambda: client.ask("PUT", "/_mock/snapshots/two", exported[0]),
        "restore it": lambda: client.ask("POST", "/_mock/snapshots/two/restore"),
        "reset": lambda: client.ask("POST", "/_mock/reset"),
    }
    return told | {name: longest_wait(port, action) for name, action in actions.items()}


def with_users(users: int) -> dict[str, str]:
    """Return the figures of a server with so many users."""
    print(f"{users:,} users …", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.db")
        with server(state) as (port, _, _):
            for left in range(users - 10, 0, -_SEED):
                Client(port).ask("POST", "/_mock/seed", {"users": min(left, _SEED)})
        with server(state) as (port, pid, start):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            facts = {"start, with a state file": f"{start:.1f} s", "memory": f"{memory:.0f} MiB"}
            return facts | requests_of(port) | actions_of(port, users)


# --- WebSockets -----------------------------------------------------------------------------
def jwt_of(port: int, uid: str) -> str:
    """Log a user in; return the JWT for WebSockets."""
    client = Client(port)
    login = client.ask("POST", "/login", {"uid": uid, "authKey": "AUTH_KEY"})
    headers = {"authToken": json.loads(login)["data"]["authToken"]}
    jwt: str = json.loads(client.ask("PUT", "/me", {}, **headers))["data"]["jwt"]
    return jwt


def opened(port: int, jwt: str) -> socket.socket:
    """Return a WebSocket that hears of every presence."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(_HANDSHAKE.format(base64.b64encode(os.urandom(16)).decode()).encode())
    _read_until(client, b"\r\n\r\n")
    body = {"auth": jwt, "presenceSubscription": "ALL_USERS"}
    frame = json.dumps({"appId": "APP_ID", "type": "auth", "deviceId": "d", "body": body}).encode()
    client.sendall(b"\x81\xfe" + len(frame).to_bytes(2, "big") + bytes(4) + frame)
    _read_until(client, b'"OK"}}')
    return client


def _read_until(client: socket.socket, end: bytes) -> None:
    read = b""
    while not read.endswith(end):
        if not (some := client.recv(4096)):
            raise RuntimeError(f"the server closed a WebSocket after {read!r}")
        read += some


def told_of_presence(port: int, pid: int, sockets: int) -> str:
    """Return what it takes to tell so many WebSockets that a user came."""
    first, *others = sorted(os.sched_getaffinity(0))
    if others:  # a core each
        os.sched_setaffinity(pid, [first])
        os.sched_setaffinity(0, others)
    jwt, other = jwt_of(port, "superhero1"), jwt_of(port, "superhero2")
    clients = selectors.DefaultSelector()
    for _ in range(sockets):
        client = opened(port, jwt)
        client.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        clients.register(client, selectors.EVENT_READ)

    def come_and_go() -> tuple[float, float]:
        """Return the milliseconds until the last one heard, and those of the processor."""
        processor, since = _processor_ms(pid), time.time_ns()
        newcomer = opened(port, other)
        took = (_all_told(clients) - since) / 1e6
        processor = _processor_ms(pid) - processor
        newcomer.close()
        _all_told(clients)
        return took, processor

    rounds = [come_and_go() for _ in range(_CHANGES)]
    wall, processor = (statistics.median(times) for times in zip(*rounds, strict=True))
    return (
        f"the last one has it after {wall:.0f} ms ({min(rounds)[0]:.0f} to {max(rounds)[0]:.0f}), "
        f"which take {processor:.0f} ms of processor time; another request waits "
        f"{longest_wait(port, come_and_go)}"
    )


def _all_told(clients: selectors.BaseSelector) -> int:
    """Wait for a frame at each client; return when the kernel had the last one, in nanoseconds."""
    left, last = len(clients.get_map()), 0
    while left:
        for key, _ in clients.select():
            client: Any = key.fileobj
            frame, [(_, _, stamp)], *_ = client.recvmsg(65536, 64)
            seconds, nanoseconds = struct.unpack("ll", stamp)
            last = max(last, seconds * 10**9 + nanoseconds)
            left -= frame.endswith(b"}}}")
    return last


def _processor_ms(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", default="10,10000,1000000")
    parser.add_argument("--sockets", type=int, default=5000)
    given = parser.parse_args()
    sizes = [int(one) for one in given.users.split(",")]
    columns = [with_users(users) for users in sizes]
    print("| |", " | ".join(f"{users:,} users" for users in sizes), "|")
    print("| --- |" + " --- |" * len(sizes))
    for name in columns[0]:
        print(f"| {name} |", " | ".join(column[name] for column in columns), "|")
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder, "state.db")) as (port, pid, _),
    ):
        told = told_of_presence(port, pid, given.sockets)
    print(f"\nA change of presence, told to {given.sockets:,} WebSockets: {told}.")


if __name__ == "__main__":
    main()
