"""What the tests of faults share: rules over HTTP, the proofs of the kinds, and bare sockets."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from mockchat import MockChat
from tests.answers import body_of
from tests.values import PATIENCE, Client, Json

Test = TypeVar("Test", bound=Callable[..., Any])

PROVEN: dict[str, str] = {}  # kinds and presets, each with a test that meets it on a socket


def proves(*names: str) -> Callable[[Test], Test]:
    """Marks a test as the proof of kinds or presets; `test_fault_rules` misses none."""

    def note(test: Test) -> Test:
        PROVEN.update(dict.fromkeys(names, test.__name__))
        return test

    return note


async def add_fault(client: Client, kind: str, **knobs: Json) -> Json:
    return await body_of(client.post("/_mock/faults", json={"kind": kind, **knobs}))


def strikes_of(mock: MockChat) -> asyncio.Queue[None]:
    """Tells of each exchange that the only rule strikes, as soon as it does."""
    told: asyncio.Queue[None] = asyncio.Queue()
    (rule,) = mock.store.faults.rules.values()

    def chance() -> float:
        told.put_nowait(None)
        return 0.0

    rule.probability, rule.chance = 0.5, chance  # which is what a rule asks last
    return told


async def jump(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the timers of this loop find that so many seconds have passed, and those due go off."""
    loop = asyncio.get_running_loop()
    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + seconds)
    await asyncio.sleep(0)


class Recorder:
    """A sleep that takes no time and is remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


class Gate(Recorder):
    """A sleep that lasts until the test lets it go on; `asleep` tells of each."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Semaphore(0)
        self.wake = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        await super().__call__(seconds)
        self.asleep.release()
        await self.wake.acquire()


@dataclass(frozen=True)
class Wire:
    """A served MockChat and one of its ports, for clients that see every byte."""

    mock: MockChat
    port: int
    trust: ssl.SSLContext | None

    @contextlib.asynccontextmanager
    async def connection(
        self, room: int = 2**17
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect with `room` bytes for what nobody has read yet; leaving the block hangs up.

        The block has the time of every wait for an event.
        """
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        name = "localhost" if self.trust else None
        reader, writer = await asyncio.open_connection(
            sock=raw, ssl=self.trust, server_hostname=name, limit=room
        )
        try:
            async with asyncio.timeout(PATIENCE):
                yield reader, writer
        finally:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def asking(
        self, head: str = "GET /users HTTP/1.1", body: bytes = b"", *, key: str = "REST_API_KEY"
    ) -> AsyncIterator[asyncio.StreamReader]:
        """Send a request on a connection of its own."""
        lines = (head, "Host: localhost", f"apikey: {key}", f"Content-Length: {len(body)}", "", "")
        async with self.connection() as (reader, writer):
            writer.write("\r\n".join(lines).encode() + body)
            yield reader
