"""Sends a server of its own mixed requests and WebSockets for minutes; its memory must stay flat.

    python -m benchmarks.soak [--requests 1000000] [--sockets 10000]

After 100,000 requests the server is warm: the journals, apps and caches that these requests fill
are full. If memory then grows by more than a fifth, or if one answer is a 5xx other than 501, the
exit status is 1. A shorter run tells of answers alone. The requests are the same at every run.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.performance import jwt_of, opened, server

_CONNECTIONS = 16
_FAILURES = {*range(500, 600)} - {501}
_SMALL = ("--journal-bytes", "256KiB", "--max-apps", "100")  # to be warm early
_WARM_UP = 100_000  # requests
_TOLERATED = 1.2  # times the memory of the warm server
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_KEY = "apikey: REST_API_KEY\r\n"
_LOGIN = {"uid": "superhero1", "authKey": "AUTH_KEY"}
_FAULT = "X-Mock-Fault: error; status=503\r\n"


class Ask(NamedTuple):
    """A request of the mix."""

    method: str
    path: str
    body: object = None
    headers: str = _KEY


def mix(number: int) -> Iterator[Ask]:
    """Yield the requests of one client for ever; what it creates it also deletes."""
    chance = random.Random(number)
    for turn in itertools.count():
        uid, app = f"u{number}-{turn}", f"/apps/app-{chance.randrange(3000)}"
        yield Ask("POST", "/v3/users", {"uid": uid, "name": uid, "metadata": {"n": turn}})
        yield Ask("POST", f"/v3/users/{uid}/auth_tokens", {})
        yield Ask("PUT", f"/v3/users/{uid}", {"name": "Other", "tags": ["a"]})
        yield Ask("POST", f"/v3/users/{uid}/friends", {"accepted": ["superhero1"]})
        yield Ask("GET", f"/v3/users?perPage=10&searchKey=u{number}")
        yield Ask("DELETE", f"/v3/users/{uid}", {"permanent": True})
        yield Ask("POST", "/v3/login", _LOGIN, "")
        yield Ask("GET", f"{app}/v3/users")
        yield Ask("POST", f"{app}/v3/users", {"uid": uid, "name": uid})
        yield Ask("GET", f"/apps/{uid}/v3/users", None, "apikey: wrong\r\n")
        yield Ask("GET", f"/{uid}/{turn}")
        yield Ask("POST", "/v3/users", {"uid": " "}, _KEY + _FAULT)
        if turn % 50 == 0:
            yield Ask("GET", "/_mock/journal?limit=5", None, "")
            yield Ask("PUT", f"/_mock/snapshots/s{turn % 5}?app=APP_ID", {}, "")
            yield Ask("POST", "/_mock/faults", {"kind": "latency", "delay": 0, "times": 1}, "")
            yield Ask("DELETE", "/_mock/faults", None, "")


async def send(port: int, asks: Iterator[Ask], statuses: Counter[int]) -> None:
    """Send requests, one after the other, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for method, path, body, headers in asks:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        if length := _LENGTH.search(answer):
            await reader.readexactly(int(length[1]))
        status = int(answer[9:12])
        statuses[-status if _FAULT in headers else status] += 1
    writer.close()


async def come_and_go(port: int, sockets: int) -> None:
    """Open WebSockets, a hundred at a time, and close them again."""
    jwt = jwt_of(port, "superhero1")
    for _ in range(0, sockets, 100):
        for one in await asyncio.gather(
            *(asyncio.to_thread(opened, port, jwt) for _ in range(100))
        ):
            one.close()


def memory_of(pid: int) -> float:
    """Return the MiB that a process takes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def soak(port: int, pid: int, requests: int, sockets: int) -> int:
    """Return the exit status."""
    mixes = [mix(number) for number in range(_CONNECTIONS)]
    statuses: Counter[int] = Counter()
    memory = []  # of the warm server
    for step in range(10):
        part = requests // 10 // _CONNECTIONS
        await asyncio.gather(
            *(send(port, itertools.islice(one, part), statuses) for one in mixes),
            come_and_go(port, sockets // 10),
        )
        sent, used = statuses.total(), memory_of(pid)
        if sent >= _WARM_UP:
            memory.append(used)
        print(
            f"{sent:,} requests, {(step + 1) * sockets // 10:,} WebSockets: {used:.0f} MiB",
            flush=True,
        )
    failed = {one: count for one, count in statuses.items() if one in _FAILURES}
    print(f"5xx: {failed or 'none'}")
    if requests <= _WARM_UP:
        print(f"memory: not judged, as the server is warm after {_WARM_UP:,} requests")
        return int(bool(failed))
    grown = max(memory) / memory[0]
    print(f"memory: {grown:.2f} times that of the warm server, of {_TOLERATED} that are allowed")
    return int(bool(failed) or grown > _TOLERATED)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--sockets", type=int, default=10_000)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder, "state.db"), *_SMALL) as (port, pid, _),
    ):
        return asyncio.run(soak(port, pid, given.requests, given.sockets))


if __name__ == "__main__":
    sys.exit(main())
