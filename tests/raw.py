"""Raw bytes: requests and paths as they are, which no client would send."""

import asyncio
import re

from aiohttp import ClientResponse
from yarl import URL

from tests.answers import body_of
from tests.values import CHUNKED, PATIENCE, Client


async def get_as_encoded(client: Client, path: str, headers: dict[str, str]) -> ClientResponse:
    """Get a path as it is; aiohttp's client would encode it anew."""
    url = URL(f"http://{client.host}:{client.port}{path}", encoded=True)
    return await client.session.get(url, headers=headers)


def raw_request(head: str | bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """A request's bytes with the REST key, its length declared unless it comes in chunks."""
    first = head.encode() if isinstance(head, str) else head
    sized = (b"Content-Length: %d" % len(body),) if body and CHUNKED not in lines else ()
    key = b"apikey: REST_API_KEY"
    return b"\r\n".join((first, b"Host: localhost", key, *lines, *sized, b"", b"")) + body


async def send_raw(client: Client, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; return status and body, or 0 where the server hung up."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *([0-9]+)", head)
            follows = int(length[1]) if length and not request.startswith(b"HEAD ") else 0
            body = await reader.readexactly(follows)
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""
    else:
        return int(head.split(b" ", 2)[1]), body
    finally:
        writer.close()


async def assert_alive(client: Client) -> None:
    assert (await body_of(client.get("/_mock/health")))["status"] == "ok"
