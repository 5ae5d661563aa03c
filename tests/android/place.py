"""The server that the SDKs run against, its port 443, and the JVM's trust in it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from mockchat import Config, MockChat
from mockchat.bridge import loop_in_thread
from tests.android.sdk import build_stubs, trust_store

HTTPS = 443  # where the live names are asked for


class Place(NamedTuple):
    """What all runs share."""

    mock: MockChat
    port: int  # of HTTPS
    has_443: bool
    trust: list[str]  # options of the JVM
    stubs: Path
    folder: Path


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Start a server on free ports; port 443 leads to it, too, if this user may bind it."""
    config = Config(port=0, https_port=0, proxy_port=0, ca_dir=str(folder / "ca"))
    with MockChat(config).in_thread() as mock, loop_in_thread() as loop:
        port = urlsplit(str(mock.https_url)).port or HTTPS
        opening = asyncio.run_coroutine_threadsafe(_lead_443_to(port), loop)
        trust = trust_store(Path(str(mock.ca_path)), folder)
        yield Place(mock, port, opening.result(), trust, build_stubs(folder), folder)


async def _lead_443_to(port: int) -> bool:
    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):  # at the end the loop cancels what is open
            there = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    try:
        await asyncio.start_server(lead, "127.0.0.1", HTTPS)
    except OSError:
        return False
    return True


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()
